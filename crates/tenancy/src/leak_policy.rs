//! What becomes of a client secret or an API key that is reported as found where it should not be.

use protocol::{Lifetime, named};
use serde::{Deserialize, Serialize};

/// What a report of a credential does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeakAction {
    /// It is in the audit, and nothing else happens.
    Notify,
    /// The credential ends after the time of grace.
    #[default]
    End,
    /// The credential ends at once, with its tokens.
    Revoke,
}

named! {
    LeakAction { Notify => "notify", End => "end", Revoke => "revoke" }
}

/// The policy of a tenant for credentials that are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeakPolicy {
    /// What a report does.
    pub action: LeakAction,
    /// How long the credential lives on where it ends after a time.
    pub grace: Lifetime,
}

impl Default for LeakPolicy {
    fn default() -> Self {
        Self { action: LeakAction::default(), grace: Lifetime::from_seconds(86_400) }
    }
}
