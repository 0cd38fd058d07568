//! The result of comparing a declaration with the store: the planned changes, or all conflicts.

use std::fmt;

use accounts::AccountId;
use protocol::Scope;
use registry::{ClientId, SecretId};
use secrets::PasswordSalt;
use serde::Serialize;
use tenancy::{Issuer, TenantId};
use values::Timestamp;

use crate::declaration::UnreadValue;
use crate::declaration::plan_view::tokens;
use crate::edit::FieldError;
use crate::kinds::change::ChangeKind;
use crate::kinds::{Change, Kind, TenantState};
use crate::store::TenantMetadata;

/// All planned changes, in the order in which they are shown. A plan contains no secret. Programs get it as
/// JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    pub changes: Vec<Change>,
    /// The clients whose grantable scope changes, for whatever reason.
    pub effects: Vec<Effect>,
    /// The conflicts of single tenants with the store, in the order of their ids. These tenants stay
    /// unchanged.
    pub conflicts: Vec<Conflict>,
    /// The compared tenants, as they were before.
    #[serde(skip)]
    pub(crate) before: Vec<TenantState>,
    #[serde(skip)]
    pub(crate) tenant_metadata: Vec<TenantMetadata>,
    /// The declared secrets that must be hashed when the plan is applied.
    #[serde(skip)]
    pub(crate) secrets: Vec<PlannedSecret>,
    /// The declared passwords that must be hashed, or removed, when the plan is applied.
    #[serde(skip)]
    pub(crate) passwords: Vec<PlannedPassword>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Effect {
    pub tenant: TenantId,
    pub client: ClientId,
    /// The scope that the client can newly get.
    #[serde(serialize_with = "tokens")]
    pub gains: Scope,
    /// The scope that the client can no longer get.
    #[serde(serialize_with = "tokens")]
    pub loses: Scope,
}

/// A secret to create, by its place in the declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlannedSecret {
    pub(crate) tenant: TenantId,
    pub(crate) client: ClientId,
    pub(crate) id: SecretId,
    pub(crate) place: (usize, usize),
    /// Whether this is the previous value of that secret.
    pub(crate) is_previous: bool,
    pub(crate) digest: Option<[u8; 32]>,
    /// The salt that all chosen secrets of this client share.
    pub(crate) salt: Option<PasswordSalt>,
    pub(crate) expires_at: Option<Timestamp>,
}

/// A password to change, by the place of its account in the declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlannedPassword {
    pub(crate) tenant: TenantId,
    pub(crate) account: usize,
    pub(crate) digest: Option<[u8; 32]>,
}

/// How many rows would be retired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retirements {
    /// Tenants. Their clients are not counted.
    pub tenants: usize,
    pub clients: usize,
}

/// All contradictions in a declaration, so that the operator can fix them together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Conflicts(pub Vec<Conflict>);

/// A contradiction in a declaration, or between one of its tenants and the store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{subject}{kind}")]
pub struct Conflict {
    /// The row that the contradiction is about.
    pub subject: Subject,
    pub kind: ConflictKind,
}

/// The kind of contradiction. Its text follows the text of the subject.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConflictKind {
    /// The administration API created the row, so files must not change it.
    #[error(" was created through the administration API, so you cannot declare it")]
    CreatedByApi,
    /// The id of a deleted row stays reserved: tokens of the earlier client must not be valid for a new one.
    #[error(" was deleted and its id stays reserved, so you cannot declare it again")]
    Deleted,
    /// The declaration uses a tenant, client or scope that is reserved for the platform.
    #[error(" is reserved for Latchkey itself")]
    Reserved,
    /// The rules refuse a new name.
    #[error(": {}", .0.detail)]
    NewName(FieldError),
    /// Two tenants would have the same issuer.
    #[error(": issuer {issuer} belongs to tenant {owner}")]
    IssuerTaken { issuer: Issuer, owner: TenantId },
    /// A client id that is also an `aud`: a token with this `aud` would look like a token for the client.
    #[error(": {0} is both a client id and an audience, resource or issuer")]
    ClientIdTaken(String),
    /// Two names are different spellings of one URI, and at least one of them is new.
    #[error(": {0} is a client id and another spelling of {1}, an audience, resource or issuer")]
    ClientIdSpelled(String, String),
    /// The tenant's first key was a different one.
    #[error(": first_key differs from the key that was imported")]
    FirstKeyDiffers,
    /// The tenant has already generated a key.
    #[error(": first_key has no effect now: the tenant already has a key")]
    FirstKeyTooLate,
    /// This other tenant has or had the same private key. A verifier of one tenant could then accept tokens
    /// of the other.
    #[error(": first_key is, or was, a key of tenant {0}")]
    FirstKeyTaken(TenantId),
    /// A new or growing list or document exceeds its limit.
    #[error("{}: {}", .0.pointer, .0.detail)]
    BeyondLimit(FieldError),
    /// The tenant would have more clients than the operator allows.
    #[error(" {0}")]
    TooManyClients(String),
    /// An account of the administration API has the identifier.
    #[error(": account {owner} has the same {what}")]
    IdentifierTaken {
        /// The kind of the value. The value itself is personal data, which no plan contains.
        what: &'static str,
        owner: AccountId,
    },
    /// No presented secret could ever match the hash of this client.
    #[error(", client {0}: a hash is neither argon2id with m=19456,t=2,p=1 nor Latchkey's own")]
    ForeignHash(ClientId),
    /// The secret of this client could not be read from a secret store.
    #[error(", client {}: {}", .0.client, .0.why)]
    SecretUnread(UnreadValue),
    /// The hashes have different salts. One computation must be enough to check a secret against all chosen
    /// secrets of a client.
    #[error(", client {0}: two argon2id hashes with different salts cannot be valid at the same time")]
    SaltsDiffer(ClientId),
}

/// The row, or the part of a declaration, with a conflict or a deviation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    Tenant(TenantId),
    Row(TenantId, RowName),
    Secret(TenantId, ClientId, SecretId),
    Scope(TenantId, String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowName {
    pub noun: &'static str,
    /// The key in the file under which all rows of the kind are listed.
    pub collection: &'static str,
    pub name: String,
}

impl Conflict {
    pub(crate) fn of_tenant(tenant: &TenantId, kind: ConflictKind) -> Self {
        Self { subject: Subject::Tenant(tenant.clone()), kind }
    }

    /// The tenant whose declaration it contradicts.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        self.subject.tenant()
    }

    /// The tenants whose changes may resolve the conflict.
    pub fn depends_on(&self) -> impl Iterator<Item = &TenantId> {
        let owner = match &self.kind {
            ConflictKind::IssuerTaken { owner, .. } => Some(owner),
            _ => None,
        };
        std::iter::once(self.tenant()).chain(owner)
    }
}

impl Subject {
    #[must_use]
    pub fn new<R: Kind>(tenant: &TenantId, name: &str) -> Self {
        let row = RowName { noun: R::NOUN, collection: R::COLLECTION, name: name.to_owned() };
        Self::Row(tenant.clone(), row)
    }

    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        match self {
            Self::Tenant(tenant)
            | Self::Row(tenant, _)
            | Self::Secret(tenant, ..)
            | Self::Scope(tenant, _) => tenant,
        }
    }

    /// The row within its tenant, in the form of the audit.
    pub(crate) fn in_audit(&self) -> String {
        match self {
            Self::Tenant(tenant) => tenant.to_string(),
            Self::Secret(_, client, secret) => format!("{client}/{secret}"),
            Self::Row(_, RowName { name, .. }) | Self::Scope(_, name) => name.clone(),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tenant(tenant) => write!(f, "tenant {tenant}"),
            Self::Row(tenant, RowName { noun, name, .. }) => write!(f, "{noun} {tenant}/{name}"),
            Self::Secret(tenant, client, secret) => write!(f, "secret {tenant}/{client}/{secret}"),
            Self::Scope(tenant, scope) => write!(f, "tenant {tenant}: scope {scope}"),
        }
    }
}

impl Plan {
    pub(crate) fn add_conflict(&mut self, subject: Subject, kind: ConflictKind) {
        self.conflicts.push(Conflict { subject, kind });
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The tenants that stay unchanged because of a conflict, each once, in the order of their ids.
    #[must_use]
    pub fn left_out(&self) -> Vec<TenantId> {
        let mut tenants: Vec<TenantId> =
            self.conflicts.iter().map(|conflict| conflict.tenant().clone()).collect();
        tenants.dedup();
        tenants
    }

    #[must_use]
    pub fn retirements(&self) -> Retirements {
        let count =
            |is_retired: fn(&Change) -> bool| self.changes.iter().filter(|change| is_retired(change)).count();
        Retirements {
            tenants: count(|change| matches!(change, Change::Tenant(row) if row.kind == ChangeKind::Retired)),
            clients: count(|change| matches!(change, Change::Client(row) if row.kind == ChangeKind::Retired)),
        }
    }

    /// Whether the plan retires more rows than are allowed without a confirmation.
    #[must_use]
    pub fn exceeds(&self, allowed: &Retirements) -> bool {
        let counted = self.retirements();
        counted.tenants > allowed.tenants || counted.clients > allowed.clients
    }
}
