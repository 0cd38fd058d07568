//! One secret of a client: its hash and its times, never its value.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

use protocol::Timestamp;

use secrets::SecretHash;

/// The identifier of a secret, for people who list, expire and revoke them. It tells nothing about the value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SecretId(Arc<str>);

/// A secret as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSecret {
    /// Its identifier.
    pub id: SecretId,
    /// What the value is checked against.
    pub hash: SecretHash,
    /// The value's last four characters where it was generated, else empty: of a chosen secret even four are too many.
    pub hint: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it no longer counts.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl SecretId {
    /// From its text, which a store or a generator of identifiers has made.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecretId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ClientSecret {
    /// Whether the secret counts at this moment; asked on every request, whatever a cache remembers.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none_or(|revoked_at| now < revoked_at)
            && self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}
