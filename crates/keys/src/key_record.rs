//! A signing key as a store holds it: sealed, with the times of its life. States are derived from the times, so that all
//! replicas agree without telling each other.

use protocol::{SigningAlgorithm, Timestamp};

use crate::KeyId;

/// One key of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// Its identifier.
    pub id: KeyId,
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    /// The PKCS#8 document, sealed for this tenant, identifier and algorithm.
    pub sealed_private_key: Vec<u8>,
    /// SHA-256 thumbprint of the public key (RFC 7638), by which an import recognises its key.
    pub thumbprint: String,
    /// From when on it is published.
    pub announced_at: Timestamp,
    /// From when on it signs.
    pub active_from: Timestamp,
    /// From when on it no longer signs but is still published.
    pub retiring_from: Option<Timestamp>,
    /// From when on it is gone.
    pub removed_at: Option<Timestamp>,
}

/// All keys that a tenant ever had and still has rows for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecords {
    /// The number of the next key; a counter, because a number is never given twice.
    pub next: KeyId,
    /// In the order of their numbers.
    pub keys: Vec<KeyRecord>,
}

/// Where a key stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Published, so that verifiers have it before it signs.
    Announced,
    /// Published and signing.
    Active,
    /// Published until every token that it signed has expired.
    Retiring,
    /// Neither published nor accepted.
    Removed,
}

impl KeyRecord {
    /// Where the key stands now.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> KeyState {
        let reached = |instant: Option<Timestamp>| instant.is_some_and(|instant| instant <= now);
        if reached(self.removed_at) {
            KeyState::Removed
        } else if reached(self.retiring_from) {
            KeyState::Retiring
        } else if self.active_from <= now {
            KeyState::Active
        } else {
            KeyState::Announced
        }
    }
}
