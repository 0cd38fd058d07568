//! The documents of every interface: tenants, clients, secrets and audit records. The operator's files and
//! the bodies of the API are read into these documents. Durations may be written as seconds or as text, and
//! are shown in seconds. Instants are RFC 3339.

mod account;
mod account_import;
mod account_sign_ins;
mod advice;
mod api_key;
pub mod application;
mod audit;
mod client;
mod client_view;
mod committed_shapes;
mod console;
mod etag;
mod explanation;
mod federation;
mod field_errors;
mod instant;
mod json;
mod key;
mod key_view;
mod live_credential;
mod logo;
mod merge;
mod nearest;
mod page;
mod pointer;
mod read;
mod refusal;
mod resource_scopes;
pub mod schema;
mod secret;
mod secret_view;
mod shape;
mod source;
mod status;
mod tenant;
mod tenant_view;
mod usage;
mod wiped;

pub use account::{
    AccountSettings, AccountView, AddressSettings, ClaimsSettings, NewAccount, NewPasswordSettings,
    PasswordLinkView,
};
pub use account_import::{ImportResult, ImportedAccount, ImportedLine};
pub use account_sign_ins::{ConsentView, SessionView, ThrottlingView};
pub use advice::{AdviceList, AdviceView, PatchView};
pub(crate) use api_key::API_KEY;
pub use api_key::{ApiKeySettings, ApiKeyView, CreatedApiKey, RotateApiKeySettings};
pub use audit::AuditView;
pub(crate) use client::CLIENT;
pub use client::{
    ClientPatch, ClientSettings, NewClient, OwnRefreshTokenSettings, RotationScheduleSettings, TokenSettings,
};
pub use client_view::{ClientView, CreatedClient, RotationProgressView, ViewContext};
pub use committed_shapes::{CommittedShapes, Shaped};
#[cfg(feature = "schemas")]
pub use committed_shapes::{shapes, written};
pub use console::ConsoleLink;
pub use etag::EntityTag;
pub use explanation::{
    ExplainSettings, ExplainedCheck, ExplainedClaims, ExplainedCredential, ExplainedResult, ExplainedScope,
    ExplainedToken, ExplanationView, RegisteredCredential,
};
pub use federation::{TrustRuleSettings, TrustedIssuerSettings};
pub use field_errors::{FieldErrorView, MOST_FIELD_ERRORS};
pub use instant::Instant;
pub use json::{as_answer, read_json, read_lenient_json, read_own_json};
pub use key::{
    BrokenTokensView, ImportSettings, KeyStatusView, KeyView, KeysChanged, PublicKeyView, UnopenedKeyView,
    VerifierView,
};
pub use live_credential::LiveCredential;
pub use logo::LogoSettings;
pub use merge::merge_patch;
pub use nearest::nearest;
pub use page::Page;
pub(crate) use pointer::escaped;
pub use pointer::{Pointer, pointer_names};
pub use refusal::RefusalView;
pub use resource_scopes::ResourceScopes;
pub use secret::{
    CreatedSecret, NewSecretSettings, RotateSettings, RotatedSecret, SecretEndSettings, SecretView, UsedFrom,
};
pub use shape::Shape;
pub use source::{ClientCaSettings, FileSecret, Jwk, Jwks, KeySource, PasswordSource, SecretSource};
pub use status::{KeyStepView, PlatformStatus, ReplicaView};
pub use tenant::{
    AccessTokenSettings, ApiKeysSettings, AssertionSettings, BrandingSettings, CreatedTenant, LeaksSettings,
    LimitsSettings, NewTenant, RefreshTokenSettings, ResourceServerSettings, SessionSettings,
    SignInLimitsSettings, SignInSettings, SigningSettings, StrategiesSettings, StrategySettings,
    TenantSettings, TenantView,
};
pub(crate) use tenant::{RESOURCE_SERVER, TENANT};
pub use usage::{BusyView, PeriodView, UsagePeriod, UsageSums, UsageView};
pub use wiped::Wiped;
