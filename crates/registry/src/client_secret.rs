//! A secret of a client: its hash and its times, never its value.

use std::sync::Arc;

use derive_more::Display;
use values::{AsStr, Timestamp};

use secrets::SecretHash;
use serde::{Deserialize, Serialize};

/// The identifier of a secret, for listing, expiring and revoking it. It reveals nothing about the value.
#[derive(AsStr, Clone, Debug, Display, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SecretId(Arc<str>);

/// A secret as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSecret {
    pub id: SecretId,
    /// The hash of the value.
    pub hash: SecretHash,
    /// The last four characters of a generated value. The hint of a chosen value is empty, because four
    /// characters would reveal too much.
    pub hint: String,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The time from which the secret is not valid any more.
    pub expires_at: Option<Timestamp>,
    /// The time of revocation.
    pub revoked_at: Option<Timestamp>,
}

impl SecretId {
    /// Creates an identifier from text of a store or of a generator.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }
}

impl ClientSecret {
    /// Whether the secret is valid now. Every request checks this, whatever is cached. A revocation counts at
    /// once, because the clock of the replica that has written it may be ahead.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }

    #[must_use]
    pub fn ends_at(&self) -> Option<Timestamp> {
        [self.expires_at, self.revoked_at].into_iter().flatten().min()
    }
}
