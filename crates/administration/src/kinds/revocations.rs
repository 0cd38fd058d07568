//! The tokens that a commit revokes. They follow from the changes alone, so no interface can forget them.

use registry::RevokedSubject;
use tenancy::TenantId;

use crate::kinds::change::{ChangeKind, RowChange, SecretChangeKind};

/// The effect of a commit on the tokens of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationChange {
    /// The tenant of the tokens.
    pub tenant: TenantId,
    pub subject: RevokedSubject,
    /// The account for which a session counts.
    pub account: Option<String>,
    /// The kind of change.
    pub effect: RevocationEffect,
}

/// The effect on the tokens of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationEffect {
    /// The tokens that were issued until now are invalid.
    Issued,
    /// Also invalid are the tokens that a replica issues before it learns that the subject has ended.
    Ended,
    /// The subject has not ended any more: later tokens are valid.
    Resumed,
}

impl<T> RowChange<T> {
    /// The effect of a step in a row's life. A row that the files no longer declare is retired. It serves
    /// again as before when it is declared again.
    pub(crate) const fn effect(&self) -> Option<RevocationEffect> {
        match self.kind {
            ChangeKind::Suspended
            | ChangeKind::DeletionScheduled { .. }
            | ChangeKind::Deleted
            | ChangeKind::Revoked => Some(RevocationEffect::Ended),
            ChangeKind::Resumed | ChangeKind::DeletionCancelled => Some(RevocationEffect::Resumed),
            ChangeKind::Restricted => Some(RevocationEffect::Issued),
            ChangeKind::Added | ChangeKind::Changed | ChangeKind::Retired | ChangeKind::Restored => None,
        }
    }
}

impl SecretChangeKind {
    /// The effect on the tokens that were issued for the secret.
    pub(crate) const fn effect(&self) -> Option<RevocationEffect> {
        match self {
            Self::Revoked => Some(RevocationEffect::Ended),
            Self::Restored { .. } => Some(RevocationEffect::Resumed),
            Self::Added { .. } | Self::Rescheduled { .. } | Self::Removed => None,
        }
    }
}
