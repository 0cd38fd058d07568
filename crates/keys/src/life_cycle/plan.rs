//! The changes to a tenant's keys for one commit.

use protocol::SigningAlgorithm;
use values::Timestamp;

use crate::{KeyAlgorithm, KeyId, KeyRecord, KeySpec, RsaSize, ShownTimes};

/// The changes of one commit. They are valid only for the rows that they were planned from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPlan {
    pub announce: Option<Announcement>,
    /// The new times of each changed row.
    pub times: Vec<KeyTimes>,
    /// Removed keys whose private key can be deleted.
    pub destroy: Vec<KeyId>,
    /// When to plan again: never in the past, and now only if there is more to do.
    pub due_at: Option<Timestamp>,
}

/// A key to generate or to import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The next number of the rows.
    pub id: KeyId,
    pub algorithm: KeyAlgorithm,
    /// The size, if an RSA key is generated.
    pub rsa_size: RsaSize,
    pub announced_at: Timestamp,
    /// When the key becomes active. It has no successor yet, so it has no end.
    pub active_from: Timestamp,
    /// The times to show to people.
    pub shown: ShownTimes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyTimes {
    pub id: KeyId,
    pub active_from: Timestamp,
    /// When the key stops signing. It stays published.
    pub retiring_from: Option<Timestamp>,
    pub removed_at: Option<Timestamp>,
    /// The times to show to people.
    pub shown: ShownTimes,
}

/// A plan that removes keys before their tokens have expired, and the tokens that become invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationPlan {
    pub plan: KeyPlan,
    pub breaks: Vec<BrokenTokens>,
}

/// Tokens that become invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenTokens {
    /// The key that signed them.
    pub key: KeyId,
    /// When the last of them would have expired.
    pub until: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyCommandError {
    #[error("key {0} does not exist")]
    Unknown(KeyId),
    #[error("key {0} has been removed")]
    Removed(KeyId),
    /// The key has already signed, so it cannot be delayed.
    #[error("key {0} is not waiting to sign")]
    NotAnnounced(KeyId),
    /// Replicas may already act on the activation time.
    #[error("key {0} starts signing too soon to postpone it")]
    TooLate(KeyId),
    /// The tenant signs with another algorithm.
    #[error("the tenant signs with {wanted}, but the key is for {found}")]
    OtherAlgorithm {
        found: SigningAlgorithm,
        /// The algorithm of the policy.
        wanted: KeyAlgorithm,
    },
    /// The imported key would take over before an announced key, which would never sign.
    #[error(
        "key {0} is waiting to sign, and this import would replace it: wait until the waiting key has \
            started signing, or revoke the waiting key first"
    )]
    Overtakes(KeyId),
    /// The tenant has or had the same key.
    #[error("the tenant already has this key, as key {0}")]
    AlreadyThere(KeyId),
}

impl KeyTimes {
    #[must_use]
    pub fn from_key(key: &KeyRecord) -> Self {
        let KeyRecord { id, active_from, retiring_from, removed_at, shown, .. } = *key;
        Self { id, active_from, retiring_from, removed_at, shown }
    }

    /// Copies the times into the row.
    pub fn write_to(self, row: &mut KeyRecord) {
        (row.active_from, row.retiring_from) = (self.active_from, self.retiring_from);
        (row.removed_at, row.shown) = (self.removed_at, self.shown);
    }

    /// The times to show to people.
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
    #[must_use]
    pub fn spec(&self) -> KeySpec {
        KeySpec { algorithm: self.algorithm, rsa_size: self.rsa_size }
    }
}

impl KeyPlan {
    /// Adds a plan for the keys of the other use. If both announce a key, that plan waits for the next
    /// commit, because a commit has one new key.
    pub(super) fn and(self, other: Self, now: Timestamp) -> Self {
        if self.announce.is_some() && other.announce.is_some() {
            return Self { due_at: Some(now), ..self };
        }
        Self {
            announce: self.announce.or(other.announce),
            times: [self.times, other.times].concat(),
            destroy: [self.destroy, other.destroy].concat(),
            due_at: self.due_at.into_iter().chain(other.due_at).min(),
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.announce.is_none() && self.times.is_empty() && self.destroy.is_empty()
    }
}
