//! One change, requested through any interface. A change never carries a secret or a hash, so it can be
//! shown, logged and recorded as it is.

use keys::KeyId;
use keys::life_cycle::KeyTimes;
use protocol::{SigningAlgorithm, Timestamp, named};
use registry::SecretId;
use secrets::SecretHash;

use crate::RowLifecycle;
use crate::fields::{Described, FieldChange};

/// What happens to a row with fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowChange<T> {
    /// What happens.
    pub kind: ChangeKind,
    /// As it was; absent for a row that is added.
    pub before: Option<Box<T>>,
    /// As it will be.
    pub after: Box<T>,
}

/// What happens to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is created.
    Added,
    /// Some of its fields change.
    Changed,
    /// It was retired and serves again, perhaps with other fields.
    Restored,
    /// It stops serving and is kept.
    Retired,
    /// An administrator suspends it, whatever interface manages it.
    Suspended,
    /// An administrator lets it serve again.
    Resumed,
    /// A tenant stops serving and is deleted at this time, unless the deletion is cancelled.
    DeletionScheduled {
        /// When.
        due_at: Timestamp,
    },
    /// The deletion of a tenant is cancelled.
    DeletionCancelled,
    /// Some of its fields change, so that it allows less: what was issued for it before ends.
    Restricted,
    /// It ends at once and for ever, and is kept.
    Revoked,
    /// It is gone, with its secrets and keys; the row keeps its name from being used again.
    Deleted,
}

/// What happens to a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretChange {
    /// Which secret of its client.
    pub id: SecretId,
    /// What happens.
    pub kind: SecretChangeKind,
    /// Where a secret store has it: the version that it was read from, or the place that it is written to.
    pub in_store: Option<String>,
}

/// What happens to a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretChangeKind {
    /// It is created; its hash is beside the change.
    Added {
        /// How it is stored.
        form: SecretForm,
        /// When it expires.
        expires_at: Option<Timestamp>,
    },
    /// Its end moves.
    Rescheduled {
        /// Before.
        before: Option<Timestamp>,
        /// After.
        after: Option<Timestamp>,
    },
    /// It was revoked because it was not declared, and is declared again.
    Restored {
        /// When it expires.
        expires_at: Option<Timestamp>,
    },
    /// It is revoked, with the tokens that were issued for it.
    Revoked,
    /// It had expired when the files ceased to declare it: nothing was issued for it since, and no token ends.
    Removed,
}

/// What happens to the password of an account. Sessions of the account end with each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordChange {
    /// It gets a password: one that a person chose, or of which only a hash is known.
    Set(SecretForm),
    /// It has none any more.
    Removed,
}

/// How a secret is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretForm {
    /// A digest of a secret that we generated.
    Generated,
    /// A password hash of a secret that a person chose.
    Chosen,
    /// The operator gave only a hash.
    Imported,
}

/// What happens to a signing key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyChange {
    /// Which key of its tenant.
    pub id: KeyId,
    /// What happens.
    pub kind: KeyChangeKind,
}

/// What happens to a signing key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyChangeKind {
    /// It is created; its sealed row is beside the change.
    Announced {
        /// What it signs with.
        algorithm: SigningAlgorithm,
        /// Of its public half (RFC 7638).
        thumbprint: String,
        /// From when on it signs.
        active_from: Timestamp,
        /// Whether it was imported.
        imported: bool,
    },
    /// Its planned times change.
    Rescheduled {
        /// Before.
        before: KeyTimes,
        /// After.
        after: KeyTimes,
    },
    /// An operator removed it before its time.
    Revoked {
        /// Its times from now on.
        after: KeyTimes,
    },
    /// Its private half is destroyed, because no token needs it any more.
    Destroyed,
}

/// The public half of a key that a tenant begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstKey {
    /// Its number is 1.
    pub id: KeyId,
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    /// The thumbprint of its public half (RFC 7638).
    pub thumbprint: String,
}

impl<T: Clone> RowChange<T> {
    /// A change of a row from `before`, if it exists, to `after`.
    #[must_use]
    pub fn of(kind: ChangeKind, before: Option<&T>, after: T) -> Self {
        Self { kind, before: before.cloned().map(Box::new), after: Box::new(after) }
    }
}

impl<T: Described + Clone> RowChange<T> {
    /// What makes the row, if it exists, the row `after`; nothing where it has these fields and serves.
    pub(crate) fn between(before: Option<(&T, &RowLifecycle)>, after: T) -> Option<Self> {
        let kind = match before {
            None => ChangeKind::Added,
            Some((_, lifecycle)) if lifecycle.retired_at.is_some() => ChangeKind::Restored,
            Some((before, _)) if FieldChange::between(Some(before), &after).is_empty() => return None,
            Some(_) => ChangeKind::Changed,
        };
        Some(Self::of(kind, before.map(|(before, _)| before), after))
    }
}

impl<T: Described> RowChange<T> {
    /// The fields that differ, or all of them for a row that is added.
    #[must_use]
    pub fn fields(&self) -> Vec<FieldChange> {
        FieldChange::between(self.before.as_deref(), &self.after)
    }

    /// The names of these fields.
    pub(crate) fn field_names(&self) -> Vec<String> {
        self.fields().into_iter().map(|change| change.field).collect()
    }
}

impl ChangeKind {
    /// The word in audit records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Restored => "restored",
            Self::Retired => "retired",
            Self::Suspended => "suspended",
            Self::Resumed => "resumed",
            Self::DeletionScheduled { .. } => "deletion_scheduled",
            Self::DeletionCancelled => "deletion_cancelled",
            Self::Restricted => "restricted",
            Self::Revoked => "revoked",
            Self::Deleted => "deleted",
        }
    }
}

impl KeyChangeKind {
    /// The times of the key from now on, where they change.
    #[must_use]
    pub const fn times(&self) -> Option<&KeyTimes> {
        match self {
            Self::Rescheduled { after, .. } | Self::Revoked { after } => Some(after),
            Self::Announced { .. } | Self::Destroyed => None,
        }
    }

    /// The sign of the change in a plan.
    pub(crate) const fn sign(&self) -> &'static str {
        match self {
            Self::Announced { .. } => "+",
            Self::Rescheduled { .. } => "~",
            Self::Revoked { .. } | Self::Destroyed => "-",
        }
    }
}

impl SecretForm {
    /// Of a secret with a value.
    pub(crate) const fn of(hash: &SecretHash) -> Self {
        match hash {
            SecretHash::Token(_) => Self::Generated,
            SecretHash::Password(_) => Self::Chosen,
        }
    }
}

named! { SecretForm { Generated => "generated", Chosen => "chosen", Imported => "imported hash" } }
