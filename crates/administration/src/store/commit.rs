//! A change with all data that a store needs to commit it.

use accounts::{AccountId, AccountPassword};
use keys::KeyRecord;
use registry::{ClientId, ClientSecret};
use tenancy::TenantId;
use values::{Lifetime, Timestamp};

use super::{IdempotentAnswer, NewGeneration};
use crate::{AuditRecord, Change, Fingerprint, ManagedBy, TenantState};

/// Changes that belong together, with all that they need.
#[derive(Clone, Debug)]
pub struct CommitRequest {
    /// The interface of the request. Added rows belong to it, and rows of other interfaces are not touched.
    pub managed_by: ManagedBy,
    /// The configuration of the changes; absent for the other interfaces.
    pub generation: Option<NewGeneration>,
    /// The tenants that existed at the time of the plan, each with the revision that the plan expects. Every
    /// tenant that changes and is not added is among them.
    pub expected_revisions: Vec<(TenantId, u64)>,
    /// The tenants whose rows change, as the decision saw them at these revisions. They contain at least the
    /// clients that change.
    pub before: Vec<TenantState>,
    /// The changes.
    pub changes: Vec<Change>,
    /// The hashes of the secrets that are added.
    pub secrets: Vec<NewSecret>,
    /// The stored forms of the passwords that change.
    pub passwords: Vec<NewPassword>,
    /// The sealed keys that tenants begin with.
    pub first_keys: Vec<(TenantId, KeyRecord)>,
    /// The changes of signing keys.
    pub keys: KeyCommit,
    /// The metadata to write at the tenants.
    pub tenant_metadata: Vec<TenantMetadata>,
    /// The audit records: the actor and the change.
    pub audit: Vec<AuditRecord>,
    /// The answer to a repetition of this request.
    pub idempotent: Option<IdempotentAnswer>,
    /// When.
    pub now: Timestamp,
}

impl CommitRequest {
    /// A request without any change.
    #[must_use]
    pub fn empty(managed_by: ManagedBy, now: Timestamp) -> Self {
        Self {
            managed_by,
            generation: None,
            expected_revisions: Vec::new(),
            before: Vec::new(),
            changes: Vec::new(),
            secrets: Vec::new(),
            passwords: Vec::new(),
            first_keys: Vec::new(),
            keys: KeyCommit::default(),
            tenant_metadata: Vec::new(),
            audit: Vec::new(),
            idempotent: None,
            now,
        }
    }

    /// The tenant of the request, if it concerns only one. Configurations concern all tenants.
    #[must_use]
    pub fn sole_tenant(&self) -> Option<&TenantId> {
        let expected = self.expected_revisions.iter().map(|(tenant, _)| tenant);
        let changed = self.changes.iter().map(Change::tenant);
        let audited = self.audit.iter().map(|record| &record.tenant);
        let answered = self.idempotent.iter().map(|answer| &answer.tenant);
        let mut tenants = expected.chain(changed).chain(audited).chain(answered);
        let first = tenants.next().filter(|_| self.generation.is_none())?;
        tenants.all(|tenant| tenant == first).then_some(first)
    }
}

/// The row of a new secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSecret {
    /// The client's tenant.
    pub tenant: TenantId,
    /// The secret's client.
    pub client: ClientId,
    /// The row.
    pub secret: ClientSecret,
    /// By which reconciling recognises a declared value.
    pub declared_digest: Option<[u8; 32]>,
    /// The name that people chose for it.
    pub name: Option<String>,
    /// The [fingerprint](secrets::GeneratedSecret::fingerprint) of a generated value.
    pub fingerprint: Option<String>,
}

/// The password of an account from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPassword {
    /// The account's tenant.
    pub tenant: TenantId,
    /// The account.
    pub account: AccountId,
    /// The stored form. None if the account has no password any more.
    pub password: Option<AccountPassword>,
    /// Whether the person of the account set it.
    pub is_own: bool,
    /// By which reconciling recognises a declared value.
    pub declared_digest: Option<[u8; 32]>,
}

/// The metadata of a tenant beside its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantMetadata {
    /// The tenant.
    pub tenant: TenantId,
    /// The fingerprint of the declaration that the tenant now agrees with. None if it is no longer declared.
    pub fingerprint: Option<Fingerprint>,
    /// When the last token expires that was issued under a longer lifetime than today's. None leaves the
    /// stored value.
    pub previous_tokens_until: Option<Timestamp>,
    /// How long copies of the key set were cached under the previous policy, and until when such copies may
    /// be used. None leaves the stored value.
    pub previous_jwks: Option<(Lifetime, Timestamp)>,
}

/// The effect of a commit on signing keys beside its changes. The changes have the new times of keys and the
/// keys that are destroyed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyCommit {
    /// New keys; each number must be its tenant's next one.
    pub added: Vec<(TenantId, KeyRecord)>,
    /// When to look at a tenant's keys again; none: nothing is planned.
    pub due: Vec<(TenantId, Option<Timestamp>)>,
}

/// The result of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitOutcome {
    /// Everything is written.
    Committed {
        /// The number of the configuration, if there was one.
        generation: Option<u64>,
        /// The last second whose tokens stay invalid of what was resumed, if something was.
        resumed_until: Option<Timestamp>,
    },
    /// Nothing is written: a row that the plan depends on has changed since. The caller must plan again.
    StaleRevision,
}
