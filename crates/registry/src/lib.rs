//! Which client is calling, and how was that proven? Registrations, their secrets, and the one place that turns presented
//! credentials into an [`AuthenticatedClient`]. In reading order:

mod client;
mod client_id;

mod client_secret;
mod secret_hash;

mod keyed_digest;
mod pepper;
mod random;

mod chosen_hash;
mod generated_hash;
mod generated_secret;

mod store;

mod cold_lookups;
mod crowded_networks;
mod exact_timer;
mod failed_attempts;
mod hash_lanes;
mod hash_pool;
mod remembered;
mod secret_uses;
mod source;
mod verification;

mod authenticator;
mod client_authentication_error;

mod flow_id;
mod sign_in_delays;
mod unseen;
mod users;

pub use authenticator::{AuthenticatedClient, Authenticator};
pub use chosen_hash::{
    ChosenSalt, MAX_SECRET_LENGTH, OutOfMemory, hash_chosen, is_fit_secret, is_importable, salt_of,
};
pub use client::{Client, ClientStatus, IntrospectionRight};
pub use client_authentication_error::ClientAuthenticationError;
pub use client_id::{ClientId, InvalidClientId};
pub use client_secret::{ClientSecret, SecretId};
pub use exact_timer::ExactTimer;
pub use failed_attempts::FailedAttemptsLimit;
pub use generated_hash::{declared_digest, hash_generated};
pub use generated_secret::GeneratedSecret;
pub use hash_lanes::{Busy, HashJob, Lane};
pub use hash_pool::HashPool;
pub use pepper::Pepper;
pub use remembered::RememberedSecrets;
pub use secret_hash::{SecretHash, UnknownHashFormat};
pub use secret_uses::{SecretUses, UsedSecret};
pub use source::Source;
pub use store::ClientStore;
pub use unseen::{turning_in_name, unseen_in_id};
pub use users::{DeclaredPassword, DeclaredUser, HashedUsers, SignInError, SignedIn, Users};
