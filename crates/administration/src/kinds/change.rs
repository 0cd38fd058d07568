//! One change, requested through any interface. A change never contains a secret or a hash, so it can be
//! shown, logged and recorded unchanged.

use keys::KeyId;
use keys::life_cycle::KeyTimes;
use protocol::SigningAlgorithm;
use registry::SecretId;
use secrets::SecretHash;
use values::{Timestamp, named};

use crate::kinds::Kind;
use crate::kinds::fields::FieldChange;
use crate::kinds::state::RowLifecycle;

/// A change of a row with fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowChange<T> {
    /// What happens.
    pub kind: ChangeKind,
    /// The row before. None for a row that is added.
    pub before: Option<Box<T>>,
    pub after: Box<T>,
}

/// The kind of a row's change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is created.
    Added,
    /// Some of its fields change.
    Changed,
    /// It was retired and serves again, perhaps with other fields.
    Restored,
    /// The row stops serving and is kept.
    Retired,
    /// An administrator suspends it, whatever interface manages it.
    Suspended,
    /// An administrator lets it serve again.
    Resumed,
    /// A tenant stops serving and is deleted at this time, unless the deletion is cancelled.
    DeletionScheduled { due_at: Timestamp },
    /// The deletion of a tenant is cancelled.
    DeletionCancelled,
    /// Some fields change so that the row allows less. Tokens that were issued for it until now end.
    Restricted,
    /// The row ends at once and for ever, and is kept.
    Revoked,
    /// The row is deleted, with its secrets and keys. It stays stored so that its name is not used again.
    Deleted,
}

/// What happens to a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretChange {
    /// Which secret of its client.
    pub id: SecretId,
    /// What happens.
    pub kind: SecretChangeKind,
    /// The place in a secret store, if the secret has one: the version that it was read from, or the path
    /// that it is written to.
    pub in_store: Option<String>,
}

/// What happens to a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretChangeKind {
    /// It is created; its hash is beside the change.
    Added {
        /// How it is stored.
        form: SecretForm,
        expires_at: Option<Timestamp>,
    },
    /// Its end moves.
    Rescheduled { before: Option<Timestamp>, after: Option<Timestamp> },
    /// It was revoked because it was not declared, and is declared again.
    Restored { expires_at: Option<Timestamp> },
    /// It is revoked, with the tokens that were issued for it.
    Revoked,
    /// The secret had expired when the files ceased to declare it. Nothing was issued for it since, so no
    /// token ends.
    Removed,
}

/// A change of an account's password. Each ends the sessions of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordChange {
    /// The account gets a password: one that a person chose, or one of which only a hash is known.
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
        /// The algorithm of its signatures.
        algorithm: SigningAlgorithm,
        /// The thumbprint of the public half (RFC 7638).
        thumbprint: String,
        /// The key signs from this instant on.
        active_from: Timestamp,
        imported: bool,
    },
    /// Its planned times change.
    Rescheduled { before: KeyTimes, after: KeyTimes },
    /// An operator removed it before its time.
    Revoked {
        /// Its new times.
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
    /// The algorithm of its signatures.
    pub algorithm: SigningAlgorithm,
    /// The thumbprint of its public half (RFC 7638).
    pub thumbprint: String,
}

impl ChangeKind {
    /// Whether the names of the row are written. They have rows of their own.
    pub(crate) const fn writes_names(self) -> bool {
        matches!(self, Self::Added) || self.replaces_names()
    }

    /// Whether these names replace earlier ones.
    pub(crate) const fn replaces_names(self) -> bool {
        matches!(self, Self::Changed | Self::Restored)
    }
}

impl<T: Clone> RowChange<T> {
    /// A change of a row from `before`, if it exists, to `after`.
    #[must_use]
    pub fn new(kind: ChangeKind, before: Option<&T>, after: T) -> Self {
        Self { kind, before: before.cloned().map(Box::new), after: Box::new(after) }
    }
}

impl<T: Kind> RowChange<T> {
    /// Returns the change that makes the row `after`. Returns nothing if the row has these fields and serves.
    pub(crate) fn between(before: Option<(&T, &RowLifecycle)>, after: T) -> Option<Self> {
        let kind = match before {
            None => ChangeKind::Added,
            Some((_, lifecycle)) if lifecycle.retired_at.is_some() => ChangeKind::Restored,
            Some((before, _)) if FieldChange::between(Some(before), &after).is_empty() => return None,
            Some(_) => ChangeKind::Changed,
        };
        Some(Self::new(kind, before.map(|(before, _)| before), after))
    }

    /// The fields that differ. All fields for a row that is added.
    #[must_use]
    pub fn fields(&self) -> Vec<FieldChange> {
        FieldChange::between(self.before.as_deref(), &self.after)
    }

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
    /// The form of a secret with a value.
    pub(crate) const fn from_hash(hash: &SecretHash) -> Self {
        match hash {
            SecretHash::Token(_) => Self::Generated,
            SecretHash::Password(_) => Self::Chosen,
        }
    }
}

named! { SecretForm { Generated => "generated", Chosen => "chosen", Imported => "imported hash" } }
