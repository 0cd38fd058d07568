//! The stored rows of one tenant, as far as administration needs them: each row with its lifecycle and the
//! interface that manages it.

use registry::{ClientId, ClientSecret};
use tenancy::TenantId;
use values::{Timestamp, named};

use crate::declaration::fingerprint::Fingerprint;
use crate::kinds::change::ChangeKind;

/// The interface that created a row, and so the interface that may change its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManagedBy {
    /// The operator's files.
    Config,
    /// The administration API or the command line.
    Api,
}

/// The lifecycle of a row, beside its own fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowLifecycle {
    /// The interface that created it.
    pub managed_by: ManagedBy,
    /// When an administrator suspended it; reconciling leaves that alone.
    pub suspended_at: Option<Timestamp>,
    /// When it was no longer declared; declaring it again takes this back.
    pub retired_at: Option<Timestamp>,
    /// When it was deleted. The row stays so that the name is not used again.
    pub deleted_at: Option<Timestamp>,
    /// Until when the deletion of a tenant can be cancelled. The tenant does not serve meanwhile.
    pub deletion_due_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// The part of a tenant that decides whether anything is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantSummary {
    pub tenant: TenantId,
    pub lifecycle: RowLifecycle,
    /// The fingerprint of the declaration that was last applied to it.
    pub fingerprint: Option<Fingerprint>,
}

/// The consent of a person to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentState {
    pub client: ClientId,
    /// The scopes that the client was allowed.
    pub scopes: Vec<String>,
    /// The APIs at which it was allowed something, where they are known.
    pub resources: Vec<String>,
    /// When the person last allowed something.
    pub granted_at: Timestamp,
}

/// A secret's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretState {
    /// Its fields.
    pub secret: ClientSecret,
    /// The interface that created it.
    pub managed_by: ManagedBy,
    /// The interface that revoked it. If that was not the files, the secret stays revoked although it is
    /// declared.
    pub revoked_by: Option<ManagedBy>,
    /// Recognizes a declared value. It authenticates no client.
    pub declared_digest: Option<[u8; 32]>,
    /// The declared end. Another interface may have moved the end of the secret itself.
    pub declared_expires_at: Option<Timestamp>,
    /// The name that people chose for it.
    pub name: Option<String>,
    /// The [fingerprint](secrets::GeneratedSecret::fingerprint) of a generated value.
    pub fingerprint: Option<String>,
}

impl SecretState {
    #[must_use]
    pub fn new(secret: ClientSecret, managed_by: ManagedBy) -> Self {
        Self {
            declared_expires_at: secret.expires_at.filter(|_| managed_by == ManagedBy::Config),
            secret,
            managed_by,
            revoked_by: None,
            declared_digest: None,
            name: None,
            fingerprint: None,
        }
    }
}

named! { ManagedBy { Config => "config", Api => "api" } }

impl RowLifecycle {
    /// The lifecycle of a new row.
    #[must_use]
    pub const fn fresh(managed_by: ManagedBy, now: Timestamp) -> Self {
        Self {
            managed_by,
            suspended_at: None,
            retired_at: None,
            deleted_at: None,
            deletion_due_at: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// The lifecycle after a change of this kind through an interface. Returns nothing if that interface may
    /// not make the change. Only this function decides it. Each interface suspends and resumes every row, and
    /// schedules and cancels deletions. Only the row's own interface changes fields. The other interface may
    /// delete a row only after the row's own interface has retired it.
    #[must_use]
    pub fn after(self, kind: ChangeKind, managed_by: ManagedBy, now: Timestamp) -> Option<Self> {
        let (own, retired) = (self.managed_by == managed_by, self.retired_at.is_some());
        let allowed = match kind {
            ChangeKind::Added => false,
            ChangeKind::Changed | ChangeKind::Restricted | ChangeKind::Revoked => own && !retired,
            ChangeKind::Restored | ChangeKind::Retired => own,
            ChangeKind::Deleted => own || retired,
            ChangeKind::Suspended
            | ChangeKind::Resumed
            | ChangeKind::DeletionScheduled { .. }
            | ChangeKind::DeletionCancelled => true,
        };
        if !allowed || self.deleted_at.is_some() {
            return None;
        }
        let changed = Self { updated_at: now, ..self };
        Some(match kind {
            ChangeKind::Added | ChangeKind::Changed | ChangeKind::Restricted | ChangeKind::Revoked => changed,
            ChangeKind::Restored => Self { retired_at: None, ..changed },
            ChangeKind::Retired => Self { retired_at: Some(now), ..changed },
            ChangeKind::Suspended => Self { suspended_at: Some(now), ..changed },
            ChangeKind::Resumed => Self { suspended_at: None, ..changed },
            ChangeKind::DeletionScheduled { due_at } => Self { deletion_due_at: Some(due_at), ..changed },
            ChangeKind::DeletionCancelled => Self { deletion_due_at: None, ..changed },
            ChangeKind::Deleted => Self { deleted_at: Some(now), deletion_due_at: None, ..changed },
        })
    }

    /// The status that interfaces show: the strongest reason for which the row does not serve, if there is
    /// one.
    #[must_use]
    pub const fn status(&self) -> &'static str {
        if self.deleted_at.is_some() {
            "deleted"
        } else if self.deletion_due_at.is_some() {
            "deleting"
        } else if self.retired_at.is_some() {
            "retired"
        } else if self.suspended_at.is_some() {
            "suspended"
        } else {
            "active"
        }
    }

    /// Whether a change of this kind, a step in the row's life, was made before.
    #[must_use]
    pub const fn is_after(&self, kind: ChangeKind) -> bool {
        match kind {
            ChangeKind::Suspended => self.suspended_at.is_some(),
            ChangeKind::Resumed => self.suspended_at.is_none(),
            ChangeKind::DeletionScheduled { .. } => self.deletion_due_at.is_some(),
            ChangeKind::DeletionCancelled => self.deletion_due_at.is_none(),
            _ => false,
        }
    }

    /// Whether it serves requests.
    #[must_use]
    pub const fn serves(&self) -> bool {
        self.is_live() && self.suspended_at.is_none() && self.deletion_due_at.is_none()
    }

    /// Whether the row counts for anything: neither retired nor deleted.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        self.retired_at.is_none() && self.deleted_at.is_none()
    }

    /// Whether the operator's files declared it and still do.
    #[must_use]
    pub fn is_config_managed(&self) -> bool {
        self.is_live() && self.managed_by == ManagedBy::Config
    }
}
