//! A stored signing key: sealed, with the times of its lifecycle. States are derived from the times, so all
//! replicas agree without messages.

use protocol::SigningAlgorithm;
use serde::{Deserialize, Serialize};
use tenancy::SigningPolicy;
use values::{Lifetime, Timestamp};

use crate::{KeyId, Kid, ShownTimes};

/// One key of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    pub id: KeyId,
    /// The algorithm of its signatures.
    pub algorithm: SigningAlgorithm,
    /// The PKCS#8 document, sealed for this tenant, identifier and algorithm.
    #[serde(with = "base64_text")]
    pub sealed_private_key: Vec<u8>,
    /// SHA-256 thumbprint of the public key (RFC 7638), by which an import recognises its key.
    pub thumbprint: String,
    /// The members of the public key's JWK whose hash is the thumbprint (RFC 7638 §3.3). None for keys that
    /// are older than this field. Only [`SigningKeyStore::find_key`](crate::SigningKeyStore::find_key) reads
    /// it: most requests do not need it, so caches do not share it.
    #[serde(skip)]
    pub public_jwk: Option<String>,
    /// The key is published from this instant on.
    pub announced_at: Timestamp,
    /// The key signs from this instant on.
    pub active_from: Timestamp,
    /// The key no longer signs from this instant on. It is still published.
    pub retiring_from: Option<Timestamp>,
    /// The key is removed from this instant on.
    pub removed_at: Option<Timestamp>,
    /// The times as they are shown to people. Requests decide by the times above alone, so caches do not
    /// share these.
    #[serde(skip)]
    pub shown: ShownTimes,
}

/// A tenant's keys: all rows, or for requests those whose private half exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecords {
    /// The number of the next key; a counter, because a number is never given twice.
    pub next: KeyId,
    /// How long a copy of the key set may be kept, stale or not, by the policy at the time of these rows.
    pub copies_kept: Lifetime,
    /// The keys in the order of their numbers.
    pub keys: Vec<KeyRecord>,
}

/// The state of a key in its lifecycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStage {
    /// Published, so that verifiers have it before it signs.
    Announced,
    /// Published and signing.
    Active,
    /// Published until every token that it signed has expired.
    Retiring,
    /// Neither published nor accepted.
    Removed,
}

impl KeyRecords {
    /// The key of this name.
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

    /// Whether a token that this key signed is accepted. An announced key has not signed yet, so its tokens
    /// are refused until its activation. The skew allows for another replica's clock that is ahead.
    #[must_use]
    pub fn verifies_at(&self, now: Timestamp, skew: Lifetime) -> bool {
        self.active_from <= now + skew && self.state(now) != KeyStage::Removed
    }
}

/// The row that signs now, if one does. It has the policy's algorithm if possible, otherwise another one, so
/// that after a change of the algorithm verifiers can learn the new key first. If no row is active, one that
/// becomes active within the skew signs: the clock of the replica that created it may be ahead.
pub(crate) fn signing_row<'a, R: Iterator<Item = &'a KeyRecord>>(
    rows: impl Fn() -> R,
    policy: &SigningPolicy,
    now: Timestamp,
) -> Option<&'a KeyRecord> {
    let soon = now + policy.skew;
    begun_last(rows(), Some(policy.algorithm), now)
        .or_else(|| begun_last(rows(), None, now))
        .or_else(|| begun_last(rows(), Some(policy.algorithm), soon))
        .or_else(|| begun_last(rows(), None, soon))
}

/// The active row of this algorithm, or of any, that became active last. So a new key takes over at its time
/// even if the old one was not ended.
pub(crate) fn begun_last<'a>(
    rows: impl Iterator<Item = &'a KeyRecord>,
    algorithm: Option<SigningAlgorithm>,
    now: Timestamp,
) -> Option<&'a KeyRecord> {
    rows.filter(|row| algorithm.is_none_or(|algorithm| row.algorithm == algorithm))
        .filter(|row| row.state(now) == KeyStage::Active)
        .max_by_key(|row| (row.active_from, row.id))
}

/// Bytes as base64 text.
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
