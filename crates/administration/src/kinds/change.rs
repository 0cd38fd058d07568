//! One change, requested through any interface. A change never contains a secret or a hash, so it can be
//! shown, logged and recorded unchanged.

use keys::life_cycle::KeyTimes;
use keys::{KeyAlgorithm, KeyId};
use registry::SecretId;
use secrets::SecretHash;
use values::{Timestamp, named};

use crate::kinds::Kind;
use crate::kinds::fields::FieldChange;
use crate::kinds::state::RowLifecycle;

/// A change of a row with named fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowChange<T> {
    pub kind: ChangeKind,
    /// The row before the change. `None` if the row is created.
    pub before: Option<Box<T>>,
    pub after: Box<T>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is created.
    Added,
    /// Some of its fields change.
    Changed,
    /// The row was retired and is active again. Its fields may have changed, too.
    Restored,
    /// The row becomes inactive and is kept.
    Retired,
    /// An administrator suspends the row. Administrators may also suspend rows that files manage.
    Suspended,
    /// An administrator resumes a suspended row.
    Resumed,
    /// A tenant becomes inactive. It is deleted at this time, unless an administrator cancels the deletion.
    DeletionScheduled { due_at: Timestamp },
    /// The deletion of the tenant is cancelled.
    DeletionCancelled,
    /// The row now allows less. Tokens that were issued for it before are revoked.
    Restricted,
    /// The row is revoked permanently, and is kept.
    Revoked,
    /// The row is deleted, with its secrets and keys. Its name stays reserved.
    Deleted,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretChange {
    pub id: SecretId,
    pub kind: SecretChangeKind,
    /// The place in a secret store, if the secret has one: the version that was read, or the path that a
    /// rotation writes to.
    pub in_store: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretChangeKind {
    /// The secret is created. Its hash is not part of the change, but is stored next to it.
    Added {
        /// How it is stored.
        form: SecretForm,
        expires_at: Option<Timestamp>,
    },
    /// Its expiry changes.
    Rescheduled { before: Option<Timestamp>, after: Option<Timestamp> },
    /// The secret was revoked because the files no longer declared it, and they declare it again.
    Restored { expires_at: Option<Timestamp> },
    /// The secret is revoked, with the tokens that were issued for it.
    Revoked,
    /// The files no longer declare the secret, which has expired already. Nothing was issued for it since, so
    /// no token is revoked.
    Removed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordChange {
    /// A person chose the password, or only its hash is known.
    Set(SecretForm),
    /// The account no longer has a password.
    Removed,
}

/// How a secret is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretForm {
    /// A digest of a secret that Latchkey generated.
    Generated,
    /// A password hash of a secret that a person chose.
    Chosen,
    /// A hash that the operator imported.
    Imported,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyChange {
    pub id: KeyId,
    pub kind: KeyChangeKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyChangeKind {
    /// The key is announced. Its sealed row is not part of the change, but is stored next to it.
    Announced {
        algorithm: KeyAlgorithm,
        /// The thumbprint of the public half (RFC 7638).
        thumbprint: String,
        /// When the key begins to sign.
        active_from: Timestamp,
        imported: bool,
    },
    /// The planned times of the key change.
    Rescheduled { before: KeyTimes, after: KeyTimes },
    /// An operator removed the key before its planned time.
    Revoked { after: KeyTimes },
    /// The private half is destroyed, because no token needs the key any longer.
    Destroyed,
}

/// The public half of the first key of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstKey {
    /// Always number 1.
    pub id: KeyId,
    pub algorithm: KeyAlgorithm,
    /// The thumbprint of its public half (RFC 7638).
    pub thumbprint: String,
}

impl ChangeKind {
    /// Whether the change writes the names of the row, which have rows of their own.
    pub(crate) const fn writes_names(self) -> bool {
        matches!(self, Self::Added) || self.replaces_names()
    }

    /// Whether the change replaces names that the row had before.
    pub(crate) const fn replaces_names(self) -> bool {
        matches!(self, Self::Changed | Self::Restored)
    }
}

impl<T: Clone> RowChange<T> {
    /// A change from `before`, if the row exists, to `after`.
    #[must_use]
    pub fn new(kind: ChangeKind, before: Option<&T>, after: T) -> Self {
        Self { kind, before: before.cloned().map(Box::new), after: Box::new(after) }
    }
}

impl<T: Kind> RowChange<T> {
    /// Returns the change that turns the row into `after`, or `None` if the row has these fields and is
    /// active.
    pub(crate) fn between(before: Option<(&T, &RowLifecycle)>, after: T) -> Option<Self> {
        let kind = match before {
            None => ChangeKind::Added,
            Some((_, lifecycle)) if lifecycle.retired_at.is_some() => ChangeKind::Restored,
            Some((before, _)) if FieldChange::between(Some(before), &after).is_empty() => return None,
            Some(_) => ChangeKind::Changed,
        };
        Some(Self::new(kind, before.map(|(before, _)| before), after))
    }

    /// The fields that differ. All fields if the row is created.
    #[must_use]
    pub fn fields(&self) -> Vec<FieldChange> {
        FieldChange::between(self.before.as_deref(), &self.after)
    }

    pub(crate) fn field_names(&self) -> Vec<String> {
        self.fields().into_iter().map(|change| change.field).collect()
    }
}

impl ChangeKind {
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
    pub(crate) const fn sign(&self) -> &'static str {
        match self {
            Self::Announced { .. } => "+",
            Self::Rescheduled { .. } => "~",
            Self::Revoked { .. } | Self::Destroyed => "-",
        }
    }
}

impl SecretForm {
    pub(crate) const fn from_hash(hash: &SecretHash) -> Self {
        match hash {
            SecretHash::Token(_) => Self::Generated,
            SecretHash::Password(_) => Self::Chosen,
        }
    }
}

named! { SecretForm { Generated => "generated", Chosen => "chosen", Imported => "imported hash" } }
