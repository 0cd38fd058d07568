//! A stored signing key: sealed, with the times of its life cycle. States are computed from the times, so
//! replicas agree without messages.

use serde::{Deserialize, Serialize};
use values::{Lifetime, Timestamp};

use crate::{KeyAlgorithm, KeyId, Kid, ShownTimes};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    pub id: KeyId,
    pub algorithm: KeyAlgorithm,
    /// The PKCS#8 document, or the bytes of a key for opaque tokens, sealed for this tenant, key and
    /// algorithm.
    #[serde(with = "base64_text")]
    pub sealed_private_key: Vec<u8>,
    /// SHA-256 thumbprint of the public key (RFC 7638), or a digest of a key without one. An import uses it
    /// to find an existing key.
    pub thumbprint: String,
    /// The required members of the public JWK, whose hash is the thumbprint (RFC 7638 §3.3). `None` for keys
    /// that are older than this field, or have no public half. Only
    /// [`SigningKeyStore::find_key`](crate::SigningKeyStore::find_key) reads it, and caches do not contain
    /// it, because most requests do not need it.
    #[serde(skip)]
    pub public_jwk: Option<String>,
    /// From this time on, the key is published.
    pub announced_at: Timestamp,
    /// From this time on, the key signs.
    pub active_from: Timestamp,
    /// From this time on, the key does not sign any more but is still published.
    pub retiring_from: Option<Timestamp>,
    /// From this time on, the key is neither published nor accepted.
    pub removed_at: Option<Timestamp>,
    /// The times to show to people. Decisions use only the times above, so caches do not contain these.
    #[serde(skip)]
    pub shown: ShownTimes,
}

/// A tenant's keys: all rows, or for requests only those with a private key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecords {
    /// The number of the next key. Numbers are never used again.
    pub next: KeyId,
    /// The maximum age of a cached copy of the key set, stale or not, under the policy at the time of these
    /// rows.
    pub copies_kept: Lifetime,
    /// In the order of their numbers.
    pub keys: Vec<KeyRecord>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStage {
    /// Published, so that verifiers have the key before it signs.
    Announced,
    /// Published and signing.
    Active,
    /// Published until every token that it signed has expired.
    Retiring,
    /// Neither published nor accepted.
    Removed,
}

impl KeyRecords {
    #[must_use]
    pub fn find(&self, kid: Kid) -> Option<&KeyRecord> {
        self.keys.iter().find(|key| key.id.kid() == kid)
    }
}

impl KeyRecord {
    #[must_use]
    pub fn state(&self, now: Timestamp) -> KeyStage {
        let reached = |instant: Option<Timestamp>| instant.is_some_and(|instant| instant <= now);
        if reached(self.removed_at) {
            KeyStage::Removed
        } else if reached(self.retiring_from) {
            KeyStage::Retiring
        } else if self.active_from <= now {
            KeyStage::Active
        } else {
            KeyStage::Announced
        }
    }

    /// Whether a token signed with this key is accepted. An announced key is refused before its activation,
    /// because it cannot have signed yet. `skew` is a margin for a replica with a fast clock.
    #[must_use]
    pub fn verifies_at(&self, now: Timestamp, skew: Lifetime) -> bool {
        self.active_from <= now + skew && self.state(now) != KeyStage::Removed
    }
}

/// The row of the key that signs, or encrypts, now. Prefers the algorithm; after a change of the algorithm,
/// the previous key signs until verifiers know the new key. If no key is active, a key that becomes active
/// within the skew signs, because the replica that created it may have a fast clock.
pub(crate) fn row_in_use<'a, R: Iterator<Item = &'a KeyRecord>>(
    rows: impl Fn() -> R,
    algorithm: KeyAlgorithm,
    skew: Lifetime,
    now: Timestamp,
) -> Option<&'a KeyRecord> {
    let rows = || rows().filter(|row| row.algorithm.has_use_of(algorithm));
    let soon = now + skew;
    begun_last(rows(), Some(algorithm), now)
        .or_else(|| begun_last(rows(), None, now))
        .or_else(|| begun_last(rows(), Some(algorithm), soon))
        .or_else(|| begun_last(rows(), None, soon))
}

/// The row that became active last, optionally only of one algorithm. So a new key takes over at its time
/// even if the previous key has no end.
pub(crate) fn begun_last<'a>(
    rows: impl Iterator<Item = &'a KeyRecord>,
    algorithm: Option<KeyAlgorithm>,
    now: Timestamp,
) -> Option<&'a KeyRecord> {
    rows.filter(|row| algorithm.is_none_or(|algorithm| row.algorithm == algorithm))
        .filter(|row| row.state(now) == KeyStage::Active)
        .max_by_key(|row| (row.active_from, row.id))
}

/// Serializes bytes as base64.
mod base64_text {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        BASE64.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
