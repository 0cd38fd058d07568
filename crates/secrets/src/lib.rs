//! How secrets are hashed, and how often a sender may guess them: hashes of secrets, the threads that compute
//! them, and limits of failed attempts, for clients and for people.
//!
//! The crate knows tenants and addresses, and neither clients nor people, so both use the same threads and
//! limits. What checking a client's secret costs is decided in `registry`. In reading order:

// Keys of digests.
mod identifier_cipher;
mod keyed_digest;
mod pepper;
mod random;

pub use identifier_cipher::IdentifierCipher;
pub use keyed_digest::KeyedDigest;
pub use pepper::Pepper;
pub use random::random_bytes;

// Digests for each tenant, and encryption for a recipient.
mod digest_keys;
mod recipient;

pub use digest_keys::{DigestKey, DigestKeys};
pub use recipient::{InvalidRecipientKey, OpeningReader, Recipient, RecipientKey, SealingWriter};

// Generated secrets, and hashes of secrets and passwords.
mod foreign_hash;
mod generated_secret;
mod password_hash;
mod secret_hash;
mod token_hash;

pub use foreign_hash::{ForeignHash, ForeignHashError};
pub use generated_secret::{GeneratedApiKey, GeneratedSecret, has_checksum};
pub use password_hash::{
    InvalidSalt, MAX_SECRET_LENGTH, OutOfMemory, PasswordSalt, hash_password, is_fit_secret, salt_and_digest,
    salt_of,
};
pub use secret_hash::{PresentedSecret, SecretHash, TokenHash, UnknownHashFormat};
pub use token_hash::{declared_digest, hash_api_key, hash_token, presented_api_key, presented_token};

// The source of a request.
mod client_address;
mod network_aggregation;

pub use client_address::CallerAddress;

// The order in which hashes are computed.
mod foreign_queue;
mod hash_lanes;
mod hash_pool;

pub use hash_lanes::{Busy, HashJob, Lane};
pub use hash_pool::HashPool;

// Limits of failed attempts.
mod failed_attempts;
mod fair_table;
mod leaky_buckets;
mod precise_timer;
mod shared_counts;
mod sign_in_delays;
mod source_table;

pub use failed_attempts::{AuthenticationAttempt, FailedAttempts};
pub use fair_table::FairTable;
pub use leaky_buckets::{BucketAttempt, LeakyBuckets};
pub use precise_timer::{PreciseTimer, wait_until};
pub use shared_counts::{Counted, Delta, LimitSpan, SharedAttempt, SharedCounts, TenantDeltas};
pub use sign_in_delays::SignInDelays;
pub use source_table::SourceTable;
