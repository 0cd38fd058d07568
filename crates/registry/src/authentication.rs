//! How a client proves which client it is: the service that judges what it presents, and
//! what it remembers of that.

mod api_keys;
pub(crate) mod authenticator;
mod client_authentication_error;
mod last_used;
pub(crate) mod lookup_latency;
mod proof;
pub(crate) mod verification;
pub(crate) mod verified_secret_cache;

pub use api_keys::ApiKeys;
pub use authenticator::{AuthenticatedClient, Authenticator, Purpose, may_authenticate};
pub use client_authentication_error::ClientAuthenticationError;
pub use last_used::{LastUsedApiKeys, LastUsedSecrets, SecretPath, UseOutcome, UsedApiKey, UsedSecret};
pub use proof::Proof;
pub use verified_secret_cache::VerifiedSecretCache;
