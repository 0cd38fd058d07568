//! Which client is calling, and how was that proven? Registrations, their secrets, and the one place that turns presented
//! credentials into an [`AuthenticatedClient`]. In reading order:

mod client;
mod client_id;

mod client_secret;
mod secret_hash;

mod keyed_digest;
mod pepper;
mod random;

mod generated_secret;
mod password_hash;
mod token_hash;

mod store;

mod client_address;
mod failed_attempts;
mod hash_lanes;
mod hash_pool;
mod last_used;
mod lookup_latency;
mod network_aggregation;
mod precise_timer;
mod verification;
mod verified_secret_cache;

mod authenticator;
mod client_authentication_error;

mod flow_id;
mod invisible_characters;
mod sign_in_delays;
mod users;

pub use authenticator::{AuthenticatedClient, Authenticator, Proof};
pub use client::{Client, ClientStatus, IntrospectionRight};
pub use client_address::ClientAddress;
pub use client_authentication_error::ClientAuthenticationError;
pub use client_id::{ClientId, InvalidClientId};
pub use client_secret::{ClientSecret, SecretId};
pub use failed_attempts::FailedAttemptsLimit;
pub use generated_secret::GeneratedSecret;
pub use hash_lanes::{Busy, HashJob, Lane};
pub use hash_pool::HashPool;
pub use invisible_characters::{bidi_control_in_name, invisible_in_id};
pub use last_used::{LastUsedSecrets, UsedSecret};
pub use password_hash::{
    MAX_SECRET_LENGTH, OutOfMemory, PasswordSalt, hash_password, is_fit_secret, is_importable, salt_of,
};
pub use pepper::Pepper;
pub use precise_timer::PreciseTimer;
pub use secret_hash::{SecretHash, UnknownHashFormat};
pub use store::ClientStore;
pub use token_hash::{declared_digest, hash_token};
pub use users::{DeclaredPassword, DeclaredUser, HashedUsers, SignInError, SignedIn, Users};
pub use verified_secret_cache::VerifiedSecretCache;
