//! One change, requested through any interface. A change never carries a secret or a hash, so it can be
//! shown, logged and recorded as it is.

use keys::KeyId;
use keys::life_cycle::KeyTimes;
use protocol::{SigningAlgorithm, Timestamp};
use registry::{Client, ClientId, SecretId};
use tenancy::{ResourceServer, Tenant, TenantId};

use crate::Application;
use crate::fields::{Described, FieldChange};

/// A change to one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// To a tenant's own row.
    Tenant(RowChange<Tenant>),
    /// To a resource server of the tenant.
    ResourceServer(TenantId, RowChange<ResourceServer>),
    /// To a client, which names its tenant.
    Client(RowChange<Client>),
    /// To a secret of the client.
    Secret(TenantId, ClientId, SecretChange),
    /// The tenant begins with a key of the operator's.
    FirstKey(TenantId, FirstKey),
    /// To a signing key of the tenant.
    Key(TenantId, KeyChange),
    /// To an application, which names its tenant. Added, changed or deleted; its client changes beside it.
    Application(RowChange<Application>),
}

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
    /// A tenant stops serving and is deleted at this time, unless that is taken back.
    DeletionScheduled {
        /// When.
        due_at: Timestamp,
    },
    /// A tenant is not deleted after all.
    DeletionCancelled,
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
}

/// What happens to a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretChangeKind {
    /// It is created; its hash is beside the change.
    Added {
        /// How it is stored.
        form: SecretForm,
        /// From when on it no longer counts.
        expires_at: Option<Timestamp>,
    },
    /// Its end moves.
    Rescheduled {
        /// Until now.
        before: Option<Timestamp>,
        /// From now on.
        after: Option<Timestamp>,
    },
    /// It was revoked because it was not declared, and is declared again.
    Restored {
        /// From when on it no longer counts.
        expires_at: Option<Timestamp>,
    },
    /// It no longer counts.
    Revoked,
}

/// How a secret is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretForm {
    /// A digest of a secret that we generated.
    Generated,
    /// A slow hash of a secret that a person chose.
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
        /// Whether an operator brought it.
        imported: bool,
    },
    /// Its life goes otherwise than it was planned.
    Rescheduled {
        /// Until now.
        before: KeyTimes,
        /// From now on.
        after: KeyTimes,
    },
    /// An operator took it away before its time.
    Revoked {
        /// Its times from now on.
        after: KeyTimes,
    },
    /// Its private half is destroyed: no token needs it any more.
    Destroyed,
}

/// The public side of a key that a tenant begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstKey {
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    /// By which it is recognised (RFC 7638).
    pub thumbprint: String,
}

impl Change {
    /// The tenant whose rows change.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        match self {
            Self::Tenant(row) => &row.after.id,
            Self::Client(row) => &row.after.tenant,
            Self::Application(row) => &row.after.tenant,
            Self::ResourceServer(tenant, _)
            | Self::Secret(tenant, _, _)
            | Self::FirstKey(tenant, _)
            | Self::Key(tenant, _) => tenant,
        }
    }
}

impl<T: Clone> RowChange<T> {
    /// A change of a row from `before`, if it exists, to `after`.
    #[must_use]
    pub fn of(kind: ChangeKind, before: Option<&T>, after: T) -> Self {
        Self { kind, before: before.cloned().map(Box::new), after: Box::new(after) }
    }
}

impl<T: Described> RowChange<T> {
    /// The fields that differ, or all of them for a row that is added.
    #[must_use]
    pub fn fields(&self) -> Vec<FieldChange> {
        FieldChange::between(self.before.as_deref(), &self.after)
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

    /// Whether it brings, moves or takes away.
    pub(crate) const fn sign(&self) -> &'static str {
        match self {
            Self::Announced { .. } => "+",
            Self::Rescheduled { .. } => "~",
            Self::Revoked { .. } | Self::Destroyed => "-",
        }
    }
}

impl SecretForm {
    /// The word for people and audit records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Generated => "generated",
            Self::Chosen => "chosen",
            Self::Imported => "imported hash",
        }
    }
}
