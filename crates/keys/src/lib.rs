//! A tenant's keys: generated, sealed, published, used to sign and to verify (RFC 7515, RFC 7517, RFC
//! 7519). In reading order:

// Keys as rows.
mod key_id;
mod key_kind;
mod key_record;
mod shown_times;

pub use key_id::{KeyId, Kid};
pub use key_record::{KeyRecord, KeyRecords, KeyStage};
pub use shown_times::ShownTimes;

// Keys as they sign, and as they are published.
mod jwk;
mod jwk_set;
mod key_pair;
mod private_key;
mod signing_key;

pub use jwk::{PublicJwk, PublicParameters, jwk_thumbprint};
pub use jwk_set::JwkSet;
pub use key_pair::SignError;
pub use private_key::{GenerationError, KeySpec, PrivateKeyDocument, RsaSize};
pub use signing_key::{KeyRejected, SigningKey};

// Keys that come from outside.
mod import;

pub use import::{ImportError, ImportedKey, import, import_key};

// Private keys at rest.
mod aead;
mod sealing;
mod sealing_key;

pub use aead::Aead;
pub use sealing::{SealError, SealingContext};
pub use sealing_key::{InvalidSealingKey, SealingKey};

// Verification, which says what each check has found.
mod check;
mod client_jwt;
mod digests;
mod inspection;
mod public_keys;
mod token_error;
mod token_faults;
mod token_kind;
mod verification_keys;
mod verified_signatures;
mod verify;

pub use check::{CheckTexts, DescribedCheck};
pub use client_jwt::ClientJwt;
pub use digests::{left_half_hash, sha256};
pub use inspection::{CheckOutcome, Inspection, inspect, outcomes_until};
pub use latchkey_verifier::{Check, InvalidKeySet, TokenError, UnusableKey};
pub use public_keys::{LeftOutKey, PublicKeys};
pub use token_error::Refused;
pub use token_faults::ObjectMembers;
pub use token_kind::JwtKind;
pub use verification_keys::VerificationKeys;
pub use verify::{Expectations, LEEWAY, verify};

// Tests of verification.
#[cfg(test)]
mod proof_jwt_tests;
#[cfg(test)]
mod verification_vectors;
#[cfg(test)]
mod verify_tests;

// The keys of a tenant, and their states over time.
mod key_ring;

pub use key_ring::KeyRing;

// How keys follow one another.
pub mod life_cycle;

// The service that opens the keys of tenants, and what it remembers.
mod hint_key;
mod jwks_fetches;
mod key_error;
mod key_failures;
mod key_ring_cache;
mod loaded_keys;
mod pool;
mod recent_rings;

pub use jwks_fetches::{JwksFetch, JwksFetches, JwksReader};
pub use key_error::KeyError;
pub use key_failures::UnopenedKeys;
pub use key_ring_cache::{KeyRingCache, open_key};
pub use loaded_keys::openable;
pub use pool::KeyPool;

// Keys that seal other keys, and stores.
mod envelope;
mod key_encryption_key;
mod sealer;
mod store;

pub use envelope::{EnvelopeSealer, SealedWith};
pub use key_encryption_key::{KeyEncryptionKey, data_key};
pub use sealer::KeySealer;
pub use store::SigningKeyStore;

// Fixtures.
#[cfg(test)]
mod test_keys;
