//! A change with all that it needs, as a store commits it.

use accounts::{AccountId, AccountPassword};
use keys::KeyRecord;
use protocol::{Lifetime, Timestamp};
use registry::{ClientId, ClientSecret};
use tenancy::TenantId;

use super::{IdempotentAnswer, NewGeneration};
use crate::{AuditRecord, Change, Fingerprint, ManagedBy, TenantState};

/// Changes that belong together, with all that they need.
#[derive(Clone, Debug)]
pub struct CommitRequest {
    /// The interface of the request. It marks the rows that are added, and rows of other interfaces are not touched.
    pub managed_by: ManagedBy,
    /// The configuration of the changes; absent for the other interfaces.
    pub generation: Option<NewGeneration>,
    /// Tenants that were there when it was planned, each at the revision on which the plan rests. Every tenant that is touched and not
    /// added is among them.
    pub expected_revisions: Vec<(TenantId, u64)>,
    /// The tenants whose rows change, as the decision saw them at these revisions, with at least the clients that change.
    pub before: Vec<TenantState>,
    /// What changes.
    pub changes: Vec<Change>,
    /// The hashes of the secrets that are added.
    pub secrets: Vec<NewSecret>,
    /// The stored forms of the passwords that change.
    pub passwords: Vec<NewPassword>,
    /// The sealed keys that tenants begin with.
    pub first_keys: Vec<(TenantId, KeyRecord)>,
    /// What happens to signing keys.
    pub keys: KeyCommit,
    /// What is noted at the tenants.
    pub tenant_metadata: Vec<TenantMetadata>,
    /// Who did what.
    pub audit: Vec<AuditRecord>,
    /// What is answered to a repetition of this request.
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

    /// The tenant that the request concerns, if it concerns one only. Configurations concern all tenants.
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
    /// What people call it.
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
    /// Its stored form; none where the account has no password any more.
    pub password: Option<AccountPassword>,
    /// By which reconciling recognises a declared value.
    pub declared_digest: Option<[u8; 32]>,
}

/// What is noted at a tenant beside its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantMetadata {
    /// At which.
    pub tenant: TenantId,
    /// Of the declaration that the tenant now agrees with; absent where it is no longer declared.
    pub fingerprint: Option<Fingerprint>,
    /// When the last token that was issued under a longer lifetime than today's expires; absent leaves what is noted.
    pub previous_tokens_until: Option<Timestamp>,
    /// For how long copies of the key set were kept under the policy until now, and until when such copies may be about; absent leaves
    /// what is noted.
    pub previous_jwks: Option<(Lifetime, Timestamp)>,
}

/// What a commit does to signing keys beside its changes, which have the new times of keys and the keys that are destroyed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyCommit {
    /// New keys; each number must be its tenant's next one.
    pub added: Vec<(TenantId, KeyRecord)>,
    /// When to look at a tenant's keys again; none: nothing is planned.
    pub due: Vec<(TenantId, Option<Timestamp>)>,
}

/// What became of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitOutcome {
    /// Everything is written.
    Committed {
        /// The number of the configuration, where there was one.
        generation: Option<u64>,
    },
    /// Nothing is written: something that the plan rests on has changed since. Plan again.
    StaleRevision,
}
