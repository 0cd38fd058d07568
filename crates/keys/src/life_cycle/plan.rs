//! What is to be done with a tenant's keys: one commit's worth.

use protocol::{SigningAlgorithm, Timestamp};

use crate::{KeyId, KeySpec, RsaSize};

/// Changes that belong into one commit, for the rows that they were planned from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The key that is to be added, if any.
    pub announce: Option<Announcement>,
    /// Rows with other times than before; each is whole.
    pub times: Vec<KeyTimes>,
    /// Removed keys whose private half is no longer needed.
    pub destroy: Vec<KeyId>,
    /// When to look again. In the past never, and now only if something is left to be done.
    pub due_at: Option<Timestamp>,
}

/// A key that is to be made, or that an operator brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// Its identifier: the next one of the rows.
    pub id: KeyId,
    /// What it will sign with.
    pub algorithm: SigningAlgorithm,
    /// How long it is if it is an RSA key and not an operator's.
    pub rsa_size: RsaSize,
    /// From when on it is published.
    pub announced_at: Timestamp,
    /// From when on it signs. Nothing follows it yet, so it neither retires nor goes.
    pub active_from: Timestamp,
}

/// The new times of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyTimes {
    /// Which key.
    pub id: KeyId,
    /// From when on it signs.
    pub active_from: Timestamp,
    /// From when on it no longer signs but is still published.
    pub retiring_from: Option<Timestamp>,
    /// From when on it is gone.
    pub removed_at: Option<Timestamp>,
}

/// A plan that takes keys away before their tokens have expired, and what that breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationPlan {
    /// What is to be done.
    pub plan: Plan,
    /// Whose tokens are refused from then on.
    pub breaks: Vec<BrokenTokens>,
}

/// Tokens that no verifier will accept any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenTokens {
    /// The key that signed them.
    pub key: KeyId,
    /// When the last of them would have expired.
    pub until: Timestamp,
}

/// Why a command is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyCommandError {
    /// The tenant never had it.
    #[error("there is no key {0}")]
    Unknown(KeyId),
    /// It is gone already.
    #[error("key {0} has been removed")]
    Removed(KeyId),
    /// Only a key that has not signed can be held back.
    #[error("key {0} is not waiting to sign")]
    NotAnnounced(KeyId),
    /// Replicas may act on its time already.
    #[error("key {0} begins too soon to be held back")]
    TooLate(KeyId),
    /// The tenant signs with something else.
    #[error("the tenant signs with {wanted}, and the key is for {found}")]
    OtherAlgorithm {
        /// What the key is for.
        found: SigningAlgorithm,
        /// What the policy says.
        wanted: SigningAlgorithm,
    },
    /// A key that is announced already would retire as it begins.
    #[error(
        "key {0} is waiting to sign and would never do so: import this one when that one has begun, or revoke that one first"
    )]
    Overtakes(KeyId),
    /// The tenant has or had this very key.
    #[error("the key is the tenant's key {0} already")]
    AlreadyThere(KeyId),
}

impl Announcement {
    /// What kind of key is to be made.
    #[must_use]
    pub fn spec(&self) -> KeySpec {
        KeySpec { algorithm: self.algorithm, rsa_size: self.rsa_size }
    }
}

impl Plan {
    /// Whether nothing is to be done now.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.announce.is_none() && self.times.is_empty() && self.destroy.is_empty()
    }
}
