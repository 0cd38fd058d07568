//! Tenants. A tenant is an isolated authorization server with its own issuer, clients, scopes, keys and
//! limits. In reading order:

// Names of tenants.
mod issuer;
mod tenant_id;

pub use issuer::{InvalidIssuer, Issuer};
pub use tenant_id::{InvalidTenantId, TenantId};

// Settings of tenants.
mod access_token_policy;
mod api_key_policy;
mod assertion_policy;
mod branding;
mod leak_policy;
mod limits;
mod logo;
mod refresh_token_policy;
mod sign_in_policy;
mod signing_policy;
mod tenant;
mod trusted_issuer;
mod userinfo_tokens;

pub use access_token_policy::{
    AccessTokenPolicy, PreviousTyp, ReuseWindow, TokenFormat, TokenOverrides, bare_media_type,
    same_media_type,
};
pub use api_key_policy::ApiKeyPolicy;
pub use assertion_policy::AssertionPolicy;
pub use branding::{Branding, Corners, Font, LowContrast};
pub use leak_policy::{LeakAction, LeakPolicy};
pub use limits::{PasswordLimits, TenantLimits};
pub use logo::Logo;
pub use refresh_token_policy::{OwnRefreshTokenPolicy, RefreshTokenPolicy, Rotation};
pub use sign_in_policy::{SessionPolicy, SignInPolicy};
pub use signing_policy::{KidForm, SigningPolicy};
pub use tenant::{ResourceServer, Strategies, Tenant, TenantStatus};
pub use trusted_issuer::{IssuerKeys, TrustedIssuer, trust_domain};
pub use userinfo_tokens::UserinfoTokens;

// Finding the tenant of a request.
mod resolver;
mod store;

pub use resolver::{TenantError, TenantResolver};
pub use store::{History, LogoStore, StoreError, Stored, TenantStore};

// Fair turns between tenants, and shared buffers.
mod count_buffer;
mod turns;
mod usage_buffer;

pub use count_buffer::CountBuffer;
pub use turns::{TenantTurns, TooManyWait, Turn};
pub use usage_buffer::{Usage, UsageBuffer};
