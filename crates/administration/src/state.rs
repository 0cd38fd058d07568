//! What the store holds of one tenant, as far as administration needs it: each row with its lifecycle and the interface that manages it.

use accounts::{Account, AccountId};
use protocol::{Lifetime, Timestamp};
use registry::{Client, ClientId, ClientSecret};
use tenancy::{ResourceServer, Tenant, TenantId};

use crate::{ChangeKind, EditError, Fingerprint};

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
    /// When it was deleted; the row only keeps the name from being used again.
    pub deleted_at: Option<Timestamp>,
    /// Until when its deletion can be taken back; of tenants only. It does not serve meanwhile.
    pub deletion_due_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// The part of a tenant that decides whether anything is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantSummary {
    /// Which tenant.
    pub tenant: TenantId,
    /// Its lifecycle.
    pub lifecycle: RowLifecycle,
    /// Of the declaration that was last applied to it.
    pub fingerprint: Option<Fingerprint>,
}

/// One tenant with all that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantState {
    /// As requests see it, so with its live resource servers only.
    pub tenant: Tenant,
    /// Its lifecycle.
    pub lifecycle: RowLifecycle,
    /// Every commit that changes the tenant or anything in it increments it. What was planned on one revision is written on that
    /// one or not at all.
    pub revision: u64,
    /// When the last token that was issued under a longer lifetime than today's expires.
    pub previous_tokens_until: Option<Timestamp>,
    /// All its resource servers, retired and deleted ones too.
    pub resource_servers: Vec<ResourceServerState>,
    /// How many clients it has that are neither retired nor deleted, whether they are loaded or not.
    pub client_count: u64,
    /// All its clients, retired and deleted ones too.
    pub clients: Vec<ClientState>,
    /// Those of its accounts that an edit or a declaration is about. A tenant may have a great many, so no state has them all.
    pub accounts: Vec<AccountState>,
    /// The thumbprint of the key that was imported as its first.
    pub first_key_thumbprint: Option<String>,
    /// Whether it ever had a key.
    pub has_had_keys: bool,
}

/// A resource server's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceServerState {
    /// Its fields.
    pub resource_server: ResourceServer,
    /// Its lifecycle.
    pub lifecycle: RowLifecycle,
}

/// A client's row and those of its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientState {
    /// Its fields; the list of secrets in it is empty.
    pub client: Client,
    /// Its lifecycle.
    pub lifecycle: RowLifecycle,
    /// Its secrets, revoked ones too.
    pub secrets: Vec<SecretState>,
}

/// An account's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountState {
    /// Its fields; of a deleted account only the id is left.
    pub account: Account,
    /// Its lifecycle.
    pub lifecycle: RowLifecycle,
    /// Recognizes a declared password. It signs nobody in.
    pub declared_digest: Option<[u8; 32]>,
}

/// What a person has allowed a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentState {
    /// The client.
    pub client: ClientId,
    /// What it was allowed.
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
    /// The interface that revoked it. A secret that another interface revoked stays revoked although it is declared.
    pub revoked_by: Option<ManagedBy>,
    /// Recognizes a declared value. It authenticates no client.
    pub declared_digest: Option<[u8; 32]>,
    /// The declared end, which another interface may have moved in the secret itself.
    pub declared_expires_at: Option<Timestamp>,
}

impl ManagedBy {
    /// The name in rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Api => "api",
        }
    }
}

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

    /// The lifecycle after a change of this kind through an interface; nothing where that interface may not make it. It is decided
    /// here and nowhere else. Each interface suspends and resumes every row, and schedules and cancels deletions. Fields change
    /// through the row's own interface. A row of the other interface is deleted only if that one has retired it.
    #[must_use]
    pub fn after(self, kind: ChangeKind, managed_by: ManagedBy, now: Timestamp) -> Option<Self> {
        let (own, retired) = (self.managed_by == managed_by, self.retired_at.is_some());
        let allowed = match kind {
            ChangeKind::Added => false,
            ChangeKind::Changed => own && !retired,
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
            ChangeKind::Added | ChangeKind::Changed => changed,
            ChangeKind::Restored => Self { retired_at: None, ..changed },
            ChangeKind::Retired => Self { retired_at: Some(now), ..changed },
            ChangeKind::Suspended => Self { suspended_at: Some(now), ..changed },
            ChangeKind::Resumed => Self { suspended_at: None, ..changed },
            ChangeKind::DeletionScheduled { due_at } => Self { deletion_due_at: Some(due_at), ..changed },
            ChangeKind::DeletionCancelled => Self { deletion_due_at: None, ..changed },
            ChangeKind::Deleted => Self { deleted_at: Some(now), deletion_due_at: None, ..changed },
        })
    }

    /// The status that interfaces show: the strongest reason why the row does not serve, if there is one.
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

    /// Whether a change of this kind, a step of the row's life, was made before.
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

impl TenantState {
    /// A new tenant without anything that belongs to it.
    #[must_use]
    pub fn added(tenant: Tenant, lifecycle: RowLifecycle) -> Self {
        Self {
            tenant,
            lifecycle,
            revision: 1,
            previous_tokens_until: None,
            resource_servers: Vec::new(),
            client_count: 0,
            clients: Vec::new(),
            accounts: Vec::new(),
            first_key_thumbprint: None,
            has_had_keys: false,
        }
    }

    /// One of its loaded clients, deleted ones too.
    pub(crate) fn client(&self, id: &ClientId) -> Result<&ClientState, EditError> {
        let found = self.clients.iter().find(|row| row.client.id == *id);
        found.ok_or(EditError::NotFound("client"))
    }

    /// One of its loaded accounts, unless it is deleted.
    pub(crate) fn account(&self, id: &AccountId) -> Result<&AccountState, EditError> {
        let found = self.accounts.iter().find(|row| row.account.id == *id);
        found.filter(|row| row.lifecycle.deleted_at.is_none()).ok_or(EditError::NotFound("account"))
    }

    /// The longest life of a token that can be issued today.
    #[must_use]
    pub fn longest_lifetime(&self) -> Lifetime {
        let live = self.clients.iter().filter(|state| state.lifecycle.is_live());
        longest_lifetime(&self.tenant, live.map(|state| &state.client))
    }

    /// When the last token that was issued until now expires. For as long as replicas go on with rows from their own memory, they issue
    /// under a former one.
    #[must_use]
    pub fn tokens_until(&self, now: Timestamp, l1_lifetime: Lifetime) -> Timestamp {
        let newest = now + self.longest_lifetime() + l1_lifetime;
        self.previous_tokens_until.map_or(newest, |previous| previous.max(newest))
    }
}

pub(crate) fn longest_lifetime<'a>(tenant: &Tenant, clients: impl Iterator<Item = &'a Client>) -> Lifetime {
    clients.map(|client| client.token_lifetime(tenant)).fold(tenant.access_token.lifetime, Ord::max)
}
