//! The settings of the program. In reading order: the documents, how they are read, the resolved settings,
//! and the rules for them. `docs/configuration.md` is the reference for operators.

#![cfg_attr(
    not(feature = "schemas"),
    expect(dead_code, unused_imports, reason = "what only schemas name; lints judge it with the feature")
)]

// The content of the files.
mod document;
mod scalar;
mod secret_stores;
mod sections;
mod store_reference;

// How they are read.
mod claim_texts;
mod declared_places;
mod declared_tenants;
mod environment;
mod file_faults;
mod file_reader;
pub mod files;
mod form_faults;
mod hints;
mod layers;
mod locations;
mod number_texts;
pub mod owner;
mod platform_settings;
mod read;
mod read_error;
mod reading;
mod recovery;
mod resolve;
mod source_snapshot;
mod variable_text;
mod yaml;
#[cfg(test)]
mod yaml_limits;

// The resolved settings.
mod configured_admins;
mod resolved;
mod schema;

// The messages about them.
mod check;
mod diagnostic;
mod findings;
mod source;
mod source_map;

#[cfg(test)]
mod canaries;

pub use check::secret::{SAMPLE_SECRET, SAMPLE_SECRETS};
pub use configured_admins::ConfiguredAdmins;
pub use declared_places::DeclaredPlaces;
pub use diagnostic::{Diagnostic, ExplainedError};
pub use environment::Environment;
pub use findings::{Findings, Location};
pub use platform_settings::{PlatformSettings, read_platform};
pub use read::{Loaded, inspect, read, read_snapshot, refuse_beyond_loopback};
pub use read_error::ReadError;
pub use resolved::{
    MailRoute, MailSender, MailSettings, PostgresUrls, SealingKeySource, SealingKeys, SmtpSettings,
    StorageLocation, Token,
};
pub use scalar::PublicUrl;
#[cfg(feature = "schemas")]
pub use schema::schema;
pub use secret_stores::{Passwords, SecretStores};
pub use sections::{
    AuditOutput, CacheMemory, ClientCertificateHeader, Connections, KmsSetting, Listener, MaxRetired,
    PoolerMode, Server, Surface, Tls, VaultSetting,
};
pub use source_snapshot::{LARGEST as LARGEST_SNAPSHOT, SourceSnapshot};
