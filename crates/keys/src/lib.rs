//! A tenant's keys: generated, sealed, published, used to sign and to verify (RFC 7515, RFC 7517, RFC 7519). In
//! reading order:

mod key_id;
mod key_kind;
mod key_record;
mod shown_times;

mod jwk;
mod jwk_set;
mod key_pair;
mod private_key;
mod signing_key;

mod import;

mod aead;
mod sealing;
mod sealing_key;

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

#[cfg(test)]
mod proof_jwt_tests;
#[cfg(test)]
mod verification_vectors;
#[cfg(test)]
mod verify_tests;

mod key_ring;

pub mod life_cycle;

mod hint_key;
mod jwks_fetches;
mod key_error;
mod key_failures;
mod key_ring_cache;
mod loaded_keys;
mod pool;
mod recent_rings;

mod envelope;
mod key_encryption_key;
mod sealer;
mod store;

#[cfg(test)]
mod test_keys;

pub use aead::Aead;
pub use check::{CheckTexts, DescribedCheck};
pub use client_jwt::ClientJwt;
pub use digests::{left_half_hash, sha256};
pub use envelope::{EnvelopeSealer, SealedWith};
pub use import::{ImportError, ImportedKey, import, import_key};
pub use inspection::{Inspection, Members, Outcome, inspect, outcomes_until};
pub use jwk::{PublicJwk, PublicParameters, jwk_thumbprint};
pub use jwk_set::JwkSet;
pub use jwks_fetches::{JwksFetch, JwksFetches, Verifier};
pub use key_encryption_key::{KeyEncryptionKey, data_key};
pub use key_error::KeyError;
pub use key_failures::UnopenedKeys;
pub use key_id::{KeyId, Kid};
pub use key_record::{KeyRecord, KeyRecords, KeyStage};
pub use key_ring::KeyRing;
pub use key_ring_cache::{KeyRingCache, open_key};
pub use latchkey_verifier::{Check, InvalidKeySet, TokenError, UnusableKey};
pub use loaded_keys::openable;
pub use pool::KeyPool;
pub use private_key::{GenerationError, KeySpec, PrivateKeyDocument, RsaSize};
pub use public_keys::{LeftOutKey, PublicKeys};
pub use sealer::KeySealer;
pub use sealing::{SealError, SealingContext};
pub use sealing_key::{InvalidSealingKey, SealingKey};
pub use shown_times::ShownTimes;
pub use signing_key::{KeyRejected, SignError, SigningKey};
pub use store::SigningKeyStore;
pub use token_error::Refused;
pub use token_kind::TokenKind;
pub use verification_keys::VerificationKeys;
pub use verify::{Expectations, LEEWAY, verify};
