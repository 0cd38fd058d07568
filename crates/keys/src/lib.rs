//! A tenant's keys: generation, sealing, publication, signing and verification (RFC 7515, RFC 7517, RFC
//! 7519). In reading order:

// Stored keys.
mod key_algorithm;
mod key_id;
mod key_kind;
mod key_record;
mod shown_times;

pub use key_algorithm::{KeyAlgorithm, UnknownKeyAlgorithm};
pub use key_id::{KeyId, Kid};
pub use key_record::{KeyRecord, KeyRecords, KeyStage};
pub use shown_times::ShownTimes;

// The keys of each use, and published keys.
mod jwk;
mod jwk_set;
mod key_pair;
mod private_key;
mod signing_key;
mod tenant_key;
mod token_key;

pub use jwk::{PublicJwk, PublicParameters, jwk_thumbprint};
pub use jwk_set::JwkSet;
pub use key_pair::SignError;
pub use private_key::{GenerationError, KeySpec, PrivateKeyDocument, RsaSize};
pub use signing_key::{KeyRejected, SigningKey};
pub use tenant_key::TenantKey;
pub use token_key::{OPAQUE_TOKEN_PREFIX, TokenKey, key_of_opaque_token};

// Import of keys.
mod import;

pub use import::{ImportError, ImportedKey, import, import_key};

// Encryption of private keys in the store.
mod aead;
mod sealing;
mod sealing_key;

pub use aead::Aead;
pub use sealing::{SealError, SealingContext};
pub use sealing_key::{InvalidSealingKey, SealingKey};

// Verification, and the results of its checks.
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
pub use client_jwt::SignedJwt;
pub use digests::{left_half_hash, sha256};
pub use inspection::{CheckOutcome, Inspection, inspect, outcomes_until};
pub use latchkey_verifier::{Check, InvalidKeySet, TokenError, UnusableKey};
pub use public_keys::{LeftOutKey, PublicKeys};
pub use token_error::Refused;
pub use token_faults::ObjectMembers;
pub use token_kind::JwtKind;
pub use verification_keys::VerificationKeys;
pub use verify::{Expectations, LEEWAY, open_token, payload, verify};

#[cfg(test)]
mod proof_jwt_tests;
#[cfg(test)]
mod verification_vectors;
#[cfg(test)]
mod verify_tests;

// The keys of a tenant and their states.
mod key_ring;

pub use key_ring::KeyRing;

// The rotation of keys.
pub mod life_cycle;

// The service that loads and caches the keys of tenants.
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

// Key-encryption keys and stores.
mod envelope;
mod key_encryption_key;
mod sealer;
mod store;

pub use envelope::{EnvelopeSealer, SealedWith};
pub use key_encryption_key::{KeyEncryptionKey, data_key};
pub use sealer::KeySealer;
pub use store::SigningKeyStore;

#[cfg(test)]
mod test_keys;
