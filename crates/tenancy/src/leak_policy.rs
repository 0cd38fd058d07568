//! The effect of a report that a client secret or an API key was found where it should not be.

use serde::{Deserialize, Serialize};
use values::{Lifetime, named};

/// The effect of a report on the credential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeakAction {
    /// It is in the audit, and nothing else happens.
    Notify,
    /// The credential ends after the grace period.
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
    /// The effect of a report.
    pub action: LeakAction,
    /// How long the credential stays valid, if it ends after a grace period.
    pub grace: Lifetime,
}

impl Default for LeakPolicy {
    fn default() -> Self {
        Self { action: LeakAction::default(), grace: Lifetime::from_seconds(86_400) }
    }
}
