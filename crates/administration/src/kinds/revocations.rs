//! The tokens that a commit revokes. They are derived from the changes alone, so no interface can forget to
//! revoke them.

use registry::RevokedSubject;
use tenancy::TenantId;

use crate::kinds::change::{ChangeKind, RowChange, SecretChangeKind};

/// The effect of a commit on the tokens of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationChange {
    pub tenant: TenantId,
    pub subject: RevokedSubject,
    /// The account that owns the session, if the subject is a session.
    pub account: Option<String>,
    pub effect: RevocationEffect,
}

/// The effect on the tokens of a subject, such as a client or a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationEffect {
    /// All tokens that were issued before are invalid.
    Issued,
    /// In addition, tokens that a replica issues before it learns about the change are invalid.
    Ended,
    /// The subject is active again, so later tokens are valid.
    Resumed,
}

impl<T> RowChange<T> {
    /// The effect of a change of a row. A row that the files no longer declare is retired, and becomes active
    /// again when it is declared again.
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
