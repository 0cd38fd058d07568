//! What doors show and take: tenants, clients, secrets and audit records as JSON documents, the same over the API and on the
//! command line. Durations are seconds, instants RFC 3339, names those of config.yaml.

mod audit;
mod client;
mod client_view;
mod etag;
mod key;
mod key_view;
mod merge;
mod nearest;
mod page;
mod read;
mod secret;
mod secret_view;
mod tenant;
mod tenant_view;

pub use audit::AuditView;
pub use client::{ClientSettings, ClientView, CreatedClient, NewClient, TokenSettings};
pub use etag::EntityTag;
pub use key::{
    BrokenTokensView, ImportSettings, KeyStatusView, KeyView, KeysChanged, PublicKeyView, UnopenedKeyView,
    VerifierView,
};
pub use merge::merge_patch;
pub use nearest::nearest;
pub use page::Page;
pub(crate) use read::escaped;
pub use secret::{CreatedSecret, NewSecretSettings, RotateSettings, SecretView, UsedFrom};
pub use tenant::{
    AccessTokenSettings, CreatedTenant, NewTenant, ResourceServerSettings, SigningSettings,
    StrategiesSettings, StrategySettings, TenantSettings, TenantStatusView, TenantView,
};
