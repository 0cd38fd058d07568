//! A client's secret: its hash and its times, never its value.

use std::sync::Arc;

use derive_more::Display;
use values::{AsStr, Timestamp};

use secrets::SecretHash;
use serde::{Deserialize, Serialize};

/// The identifier of a secret, for administration. Reveals nothing about the value.
#[derive(AsStr, Clone, Debug, Display, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SecretId(Arc<str>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSecret {
    pub id: SecretId,
    pub hash: SecretHash,
    /// The last four characters of a generated value. Empty for a chosen value, because four characters would
    /// reveal too much.
    pub hint: String,
    pub created_at: Timestamp,
    /// The first second in which the secret is not valid.
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

impl SecretId {
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }
}

impl ClientSecret {
    /// Whether the secret is valid now. Every request must check this, even for a cached client. A revocation
    /// applies immediately, even if `revoked_at` is in the future, because the clock of the replica that
    /// wrote it may be fast.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }

    #[must_use]
    pub fn ends_at(&self) -> Option<Timestamp> {
        [self.expires_at, self.revoked_at].into_iter().flatten().min()
    }
}
