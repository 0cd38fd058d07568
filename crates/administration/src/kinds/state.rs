//! The stored rows of one tenant, as far as administration needs them. Each row has its lifecycle and the
//! interface that manages it.

use registry::{ClientId, ClientSecret};
use tenancy::TenantId;
use values::{Timestamp, named};

use crate::declaration::fingerprint::Fingerprint;
use crate::kinds::change::ChangeKind;

/// The interface that created a row. Only this interface may change the fields of the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManagedBy {
    Config,
    Api,
}

/// The lifecycle of a row, in addition to its own fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowLifecycle {
    /// The interface that created the row.
    pub managed_by: ManagedBy,
    /// When an administrator suspended the row. Applying files does not change this.
    pub suspended_at: Option<Timestamp>,
    /// When the files ceased to declare the row. Declaring it again resets this.
    pub retired_at: Option<Timestamp>,
    /// When the row was deleted. A deleted row stays stored, so that the name is not used again.
    pub deleted_at: Option<Timestamp>,
    /// When a tenant will be deleted. Until then the deletion can be cancelled, and the tenant is inactive.
    pub deletion_due_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What decides whether a tenant must be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantSummary {
    pub tenant: TenantId,
    pub lifecycle: RowLifecycle,
    /// The fingerprint of the declaration that was last applied to the tenant.
    pub fingerprint: Option<Fingerprint>,
}

/// The consent of a person to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentState {
    pub client: ClientId,
    /// The scopes that the person allowed.
    pub scopes: Vec<String>,
    /// The APIs to which the scopes apply, if they are known.
    pub resources: Vec<String>,
    /// When the person last allowed a scope.
    pub granted_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretState {
    pub secret: ClientSecret,
    /// The interface that created the secret.
    pub managed_by: ManagedBy,
    /// The interface that revoked the secret. If an interface other than the files revoked it, it stays
    /// revoked even if it is declared.
    pub revoked_by: Option<ManagedBy>,
    /// Recognizes a declared value when files are compared. It is not used for authentication.
    pub declared_digest: Option<[u8; 32]>,
    /// The declared expiry. Another interface may have changed the expiry of the secret itself.
    pub declared_expires_at: Option<Timestamp>,
    /// The name that a person chose for the secret.
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

    /// The lifecycle after a change of this kind through an interface. Returns `None` if the interface may
    /// not make the change. Only this function decides:
    /// - Every interface can suspend and resume every row, and schedule and cancel deletions.
    /// - Only the row's own interface can change fields.
    /// - The other interface can delete a row only after the row's own interface has retired it.
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

    /// The status that interfaces show: the strongest reason why the row is inactive, or that it is active.
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

    /// Whether a step of this kind has already been taken.
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

    #[must_use]
    pub const fn serves(&self) -> bool {
        self.is_live() && self.suspended_at.is_none() && self.deletion_due_at.is_none()
    }

    /// Whether the row exists: it is neither retired nor deleted.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        self.retired_at.is_none() && self.deleted_at.is_none()
    }

    /// Whether the operator's files declare the row.
    #[must_use]
    pub fn is_config_managed(&self) -> bool {
        self.is_live() && self.managed_by == ManagedBy::Config
    }
}
