//! A stored signing key: sealed, with the times of its lifecycle. States are derived from the times, so all replicas
//! agree without messages.

use protocol::{Lifetime, SigningAlgorithm, Timestamp};
use serde::{Deserialize, Serialize};
use tenancy::SigningPolicy;

use crate::{KeyId, Kid, ShownTimes};

/// One key of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// Its identifier.
    pub id: KeyId,
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    /// The PKCS#8 document, sealed for this tenant, identifier and algorithm.
    #[serde(with = "base64_text")]
    pub sealed_private_key: Vec<u8>,
    /// SHA-256 thumbprint of the public key (RFC 7638), by which an import recognises its key.
    pub thumbprint: String,
    /// The public key as the members of its JWK of which the thumbprint is the hash (RFC 7638 §3.3); none of keys that are older than this
    /// field. [`SigningKeyStore::find_key`](crate::SigningKeyStore::find_key) reads it: most requests have no use for it, so caches do not
    /// share it.
    #[serde(skip)]
    pub public_jwk: Option<String>,
    /// From when on it is published.
    pub announced_at: Timestamp,
    /// From when on it signs.
    pub active_from: Timestamp,
    /// From when on it no longer signs but is still published.
    pub retiring_from: Option<Timestamp>,
    /// From when on it is gone.
    pub removed_at: Option<Timestamp>,
    /// What is shown of these times. Requests decide by the times above alone, so caches do not share it.
    #[serde(skip)]
    pub shown: ShownTimes,
}

/// A tenant's keys: all that there are rows for, or, for requests, those whose private half is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecords {
    /// The number of the next key; a counter, because a number is never given twice.
    pub next: KeyId,
    /// In the order of their numbers.
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
    /// The state of the key now.
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

    /// Whether a token that this key signed is accepted. An announced key has not signed yet, so it is refused until its activation; the
    /// skew allows for a clock that is ahead of ours.
    #[must_use]
    pub fn verifies_at(&self, now: Timestamp, skew: Lifetime) -> bool {
        self.active_from <= now + skew && self.state(now) != KeyStage::Removed
    }
}

/// The row that signs now, if one does: of the policy's algorithm, else of another one, so that a change of the algorithm can wait for
/// its key to be known. Where none is active, one that becomes so within the skew will do: the clock of the replica that made it may be
/// ahead of ours.
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

/// The active row of this algorithm, or of any, that became active last. So a new key takes over at its time even if
/// the old one was not ended.
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
