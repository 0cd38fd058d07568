//! What happens after a report that a client secret or an API key has leaked.

use serde::{Deserialize, Serialize};
use values::{Lifetime, named};

/// The effect of a report on the credential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeakAction {
    /// Only an audit record.
    Notify,
    /// The credential expires after the grace period.
    #[default]
    End,
    /// The credential and its tokens are revoked immediately.
    Revoke,
}

named! {
    LeakAction { Notify => "notify", End => "end", Revoke => "revoke" }
}

/// The policy of a tenant for reported credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeakPolicy {
    pub action: LeakAction,
    /// How long the credential stays valid with [`LeakAction::End`].
    pub grace: Lifetime,
}

impl Default for LeakPolicy {
    fn default() -> Self {
        Self { action: LeakAction::default(), grace: Lifetime::from_seconds(86_400) }
    }
}
