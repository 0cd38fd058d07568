//! What doors show and take: tenants, clients, secrets and audit records as JSON documents, the same over the API and on the
//! command line. Durations are seconds, instants RFC 3339, names those of config.yaml.

mod audit;
mod client;
mod etag;
mod merge;
mod page;
mod secret;
mod tenant;

pub use audit::AuditView;
pub use client::{ClientSettings, ClientView, CreatedClient, NewClient, TokenSettings};
pub use etag::EntityTag;
pub use merge::merge_patch;
pub use page::Page;
pub use secret::{CreatedSecret, NewSecretSettings, RotateSettings, SecretView, UsedFrom};
pub use tenant::{
    AccessTokenSettings, CreatedTenant, NewTenant, ResourceServerSettings, SigningSettings,
    StrategiesSettings, StrategySettings, TenantSettings, TenantStatusView, TenantView,
};
