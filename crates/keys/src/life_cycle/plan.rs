//! The changes to a tenant's keys for one commit.

use protocol::SigningAlgorithm;
use values::Timestamp;

use crate::{KeyId, KeyRecord, KeySpec, RsaSize, ShownTimes};

/// Changes of one commit, for the rows from which they were planned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPlan {
    /// The key to add, if any.
    pub announce: Option<Announcement>,
    /// The rows with changed times, complete.
    pub times: Vec<KeyTimes>,
    /// Removed keys whose private half is no longer needed.
    pub destroy: Vec<KeyId>,
    /// When to plan again: never in the past, and now only if more is to be done.
    pub due_at: Option<Timestamp>,
}

/// A key to generate or to import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// Its identifier: the next number of the rows.
    pub id: KeyId,
    /// The algorithm of its signatures.
    pub algorithm: SigningAlgorithm,
    /// The size of a generated RSA key.
    pub rsa_size: RsaSize,
    /// When it is published.
    pub announced_at: Timestamp,
    /// When it becomes active. It has no successor yet, so it neither retires nor is removed.
    pub active_from: Timestamp,
    /// The times as they are shown to people.
    pub shown: ShownTimes,
}

/// The new times of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyTimes {
    /// The key.
    pub id: KeyId,
    /// When it becomes active.
    pub active_from: Timestamp,
    /// When it stops signing but stays published.
    pub retiring_from: Option<Timestamp>,
    /// When it is removed.
    pub removed_at: Option<Timestamp>,
    /// The times as they are shown to people, with the announcement.
    pub shown: ShownTimes,
}

/// A plan that removes keys before their tokens have expired, with the tokens that this breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationPlan {
    /// The plan.
    pub plan: KeyPlan,
    /// The tokens that become invalid.
    pub breaks: Vec<BrokenTokens>,
}

/// Tokens that no verifier accepts any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenTokens {
    /// The key that signed them.
    pub key: KeyId,
    /// When the last of them would have expired.
    pub until: Timestamp,
}

/// Why a command is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyCommandError {
    /// The tenant never had the key.
    #[error("there is no key {0}")]
    Unknown(KeyId),
    /// The key is removed already.
    #[error("key {0} has been removed")]
    Removed(KeyId),
    /// Only a key that has not signed can be delayed.
    #[error("key {0} is not waiting to sign")]
    NotAnnounced(KeyId),
    /// Replicas may act on its time already.
    #[error("key {0} begins too soon to be held back")]
    TooLate(KeyId),
    /// The tenant signs with another algorithm.
    #[error("the tenant signs with {wanted}, and the key is for {found}")]
    OtherAlgorithm {
        /// The algorithm of the key.
        found: SigningAlgorithm,
        /// The algorithm of the policy.
        wanted: SigningAlgorithm,
    },
    /// An announced key would retire when it becomes active.
    #[error(
        "key {0} is waiting to sign and would never do so: import this one when that one has begun, or revoke that one first"
    )]
    Overtakes(KeyId),
    /// The tenant has or had the same key.
    #[error("the key is the tenant's key {0} already")]
    AlreadyThere(KeyId),
}

impl KeyTimes {
    /// The times of a row.
    #[must_use]
    pub fn from_key(key: &KeyRecord) -> Self {
        let KeyRecord { id, active_from, retiring_from, removed_at, shown, .. } = *key;
        Self { id, active_from, retiring_from, removed_at, shown }
    }

    /// Gives them to the row.
    pub fn write_to(self, row: &mut KeyRecord) {
        (row.active_from, row.retiring_from) = (self.active_from, self.retiring_from);
        (row.removed_at, row.shown) = (self.removed_at, self.shown);
    }

    /// The times as people are shown them.
    #[must_use]
    pub fn as_shown(self) -> Self {
        let Self { id, active_from, retiring_from, removed_at, shown } = self;
        Self {
            id,
            active_from: shown.active_from.unwrap_or(active_from),
            retiring_from: shown.retiring_from.or(retiring_from),
            removed_at: shown.removed_at.or(removed_at),
            shown: ShownTimes::default(),
        }
    }
}

impl Announcement {
    /// The kind of key to generate.
    #[must_use]
    pub fn spec(&self) -> KeySpec {
        KeySpec { algorithm: self.algorithm, rsa_size: self.rsa_size }
    }
}

impl KeyPlan {
    /// Whether the plan is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.announce.is_none() && self.times.is_empty() && self.destroy.is_empty()
    }
}
