//! One transaction with all data that a store needs to write it.

use std::collections::BTreeMap;

use accounts::{AccountId, AccountPassword};
use keys::life_cycle::KeyTimes;
use keys::{KeyId, KeyRecord};
use registry::{ApiKeyId, ClientId, SecretId};
use sessions::SessionId;
use tenancy::{Logo, TenantId};
use values::{Lifetime, Timestamp};

use super::{IdempotentAnswer, NewGeneration};
use crate::audit::AuditRecord;
use crate::declaration::fingerprint::Fingerprint;
use crate::documents::application::{Application, ApplicationId};
use crate::kinds;
use crate::kinds::revocations::RevocationChange;
use crate::kinds::state::SecretState;

/// One transaction: rows as they are afterwards, the names of deleted rows, and what follows from both.
#[derive(Clone, Debug)]
pub struct Commit {
    /// The configuration that is applied, if one is.
    pub generation: Option<NewGeneration>,
    /// The tenants that existed when the commit was decided, each with the revision that it expects.
    pub expected: Vec<(TenantId, u64)>,
    /// What is written.
    pub rows: Rows,
    pub deleted: DeletedRows,
    /// The effects on tokens, in the order of the changes.
    pub revoked: Vec<RevocationChange>,
    /// The audit records: the actor and the change.
    pub audit: Vec<AuditRecord>,
    /// The cache entries that become invalid, each once.
    pub changed: Vec<kinds::Invalidation>,
    /// The answer to a repetition of this request.
    pub answer: Option<IdempotentAnswer>,
    pub now: Timestamp,
}

/// The rows that a commit writes, table by table.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// Tenants, without their clients and other rows.
    pub tenants: BTreeMap<TenantId, kinds::TenantRow>,
    /// The tenants whose issuers and previous `typ` values are written.
    pub issuers: Vec<TenantId>,
    /// The tenants whose search terms are written.
    pub search_terms: Vec<TenantId>,
    /// Pictures that tenants begin to show.
    pub logos: Vec<(TenantId, Logo)>,
    /// Resource servers, by tenant and audience.
    pub resource_servers: BTreeMap<(TenantId, String), kinds::ResourceServerState>,
    /// Clients without their secrets.
    pub clients: BTreeMap<(TenantId, ClientId), kinds::client::State>,
    /// The clients whose audiences and resources are written.
    pub client_names: Vec<(TenantId, ClientId)>,
    /// Secrets that exist already.
    pub secrets: BTreeMap<(TenantId, ClientId, SecretId), SecretState>,
    /// Secrets that the commit adds.
    pub new_secrets: BTreeMap<(TenantId, ClientId, SecretId), SecretState>,
    pub api_keys: BTreeMap<(TenantId, ApiKeyId), kinds::api_key::State>,
    pub accounts: BTreeMap<(TenantId, AccountId), kinds::account::State>,
    /// The accounts whose identifiers are written.
    pub identifiers: Vec<(TenantId, AccountId)>,
    /// The passwords that change.
    pub passwords: Vec<NewPassword>,
    /// Applications that exist already.
    pub applications: Vec<Application>,
    /// Applications that the commit adds.
    pub new_applications: Vec<Application>,
    /// The sealed keys that tenants begin with.
    pub first_keys: Vec<(TenantId, KeyRecord)>,
    /// Other new keys; each number must be its tenant's next one.
    pub keys: Vec<(TenantId, KeyRecord)>,
    /// The new times of keys that exist already.
    pub key_times: Vec<(TenantId, KeyTimes)>,
    /// When to look at a tenant's keys again; none: nothing is planned.
    pub due: BTreeMap<TenantId, Option<Timestamp>>,
    /// The fingerprints of the declarations that tenants now agree with.
    pub fingerprints: Vec<(TenantId, Option<Fingerprint>)>,
    /// Other metadata of tenants.
    pub tenant_metadata: Vec<TenantMetadata>,
}

/// The names of the rows that a commit deletes.
#[derive(Clone, Debug, Default)]
pub struct DeletedRows {
    /// The deleted tenants. Only their names stay reserved.
    pub tenants: Vec<TenantId>,
    /// The tenants whose issuers and previous `typ` values are replaced.
    pub issuers: Vec<TenantId>,
    /// The tenants whose search terms are deleted or replaced.
    pub search_terms: Vec<TenantId>,
    /// Pictures that tenants no longer show.
    pub logos: Vec<(TenantId, Logo)>,
    /// The clients whose secrets and API keys are deleted.
    pub clients: Vec<(TenantId, ClientId)>,
    /// The clients whose audiences and resources are deleted or replaced.
    pub client_names: Vec<(TenantId, ClientId)>,
    /// The accounts whose consents are deleted.
    pub accounts: Vec<(TenantId, AccountId)>,
    /// The accounts whose identifiers are deleted or replaced.
    pub identifiers: Vec<(TenantId, AccountId)>,
    /// Single consents, with the tokens that were issued under them.
    pub consents: Vec<((TenantId, AccountId), ClientId)>,
    /// The accounts whose authentications end.
    pub authentications: Vec<(TenantId, AccountId)>,
    /// The accounts whose sessions end: all of them, or one, which is deleted. Their clients are notified.
    pub sessions: Vec<((TenantId, AccountId), Option<SessionId>)>,
    pub applications: Vec<(TenantId, ApplicationId)>,
    /// The keys whose private halves are deleted.
    pub private_keys: Vec<(TenantId, KeyId)>,
}

impl Commit {
    /// A commit that writes nothing yet.
    #[must_use]
    pub fn empty(now: Timestamp) -> Self {
        Self {
            generation: None,
            expected: Vec::new(),
            rows: Rows::default(),
            deleted: DeletedRows::default(),
            revoked: Vec::new(),
            audit: Vec::new(),
            changed: Vec::new(),
            answer: None,
            now,
        }
    }

    /// The tenant of the commit, if it concerns only one. Every tenant whose rows change is expected or new.
    /// Configurations concern all tenants.
    #[must_use]
    pub fn sole_tenant(&self) -> Option<&TenantId> {
        let mut tenants = self.tenants();
        let first = tenants.next().filter(|_| self.generation.is_none())?;
        tenants.all(|tenant| tenant == first).then_some(first)
    }

    /// All tenants that it concerns, each once or more often.
    pub fn tenants(&self) -> impl Iterator<Item = &TenantId> {
        let expected = self.expected.iter().map(|(tenant, _)| tenant);
        let of_keys = self.rows.api_keys.keys().map(|(tenant, _)| tenant);
        let audited = self.audit.iter().map(|record| &record.tenant);
        let answered = self.answer.iter().map(|answer| &answer.tenant);
        expected.chain(self.rows.tenants.keys()).chain(of_keys).chain(audited).chain(answered)
    }
}

/// The password of an account from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPassword {
    /// The account's tenant.
    pub tenant: TenantId,
    pub account: AccountId,
    /// The stored form. None if the account has no password any more.
    pub password: Option<AccountPassword>,
    /// Whether the person of the account set it.
    pub is_own: bool,
    /// By which reconciling recognises a declared value.
    pub declared_digest: Option<[u8; 32]>,
}

impl NewPassword {
    /// The account has no password any more.
    pub(crate) fn none((tenant, account): &(TenantId, AccountId)) -> Self {
        let (tenant, account) = (tenant.clone(), account.clone());
        Self { tenant, account, password: None, is_own: false, declared_digest: None }
    }
}

/// The metadata of a tenant beside its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantMetadata {
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
    /// New keys in the order of their changes; each number must be its tenant's next one.
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
