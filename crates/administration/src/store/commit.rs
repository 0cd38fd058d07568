//! One transaction, with all data that a store needs to write it.

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
use crate::mail::QueuedMail;

/// One transaction: the rows as they are afterwards, the names of deleted rows, and further effects.
#[derive(Clone, Debug)]
pub struct Commit {
    /// The configuration that is applied, if any.
    pub generation: Option<NewGeneration>,
    pub expected: Vec<(TenantId, u64)>,
    pub rows: Rows,
    pub deleted: DeletedRows,
    /// The effects on tokens, in the order of the changes.
    pub revoked: Vec<RevocationChange>,
    pub audit: Vec<AuditRecord>,
    /// The cache entries to invalidate, each once.
    pub changed: Vec<kinds::Invalidation>,
    pub answer: Option<IdempotentAnswer>,
    /// The maximum number of live API keys that the client of new API keys may have before the commit. If it
    /// has more, the decision is stale.
    pub live_api_keys: Option<u64>,
    pub now: Timestamp,
}

#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// Tenants, without their clients and other rows.
    pub tenants: BTreeMap<TenantId, kinds::TenantRow>,
    /// The tenants whose issuers and previous `typ` values are written.
    pub issuers: Vec<TenantId>,
    pub search_terms: Vec<TenantId>,
    /// Pictures that tenants show from now on.
    pub logos: Vec<(TenantId, Logo)>,
    pub resource_servers: BTreeMap<(TenantId, String), kinds::ResourceServerState>,
    pub clients: BTreeMap<(TenantId, ClientId), kinds::client::State>,
    /// The clients whose audiences and resources are written.
    pub client_names: Vec<(TenantId, ClientId)>,
    /// Secrets that already exist.
    pub secrets: BTreeMap<(TenantId, ClientId, SecretId), SecretState>,
    pub new_secrets: BTreeMap<(TenantId, ClientId, SecretId), SecretState>,
    pub api_keys: BTreeMap<(TenantId, ApiKeyId), kinds::api_key::State>,
    pub accounts: BTreeMap<(TenantId, AccountId), kinds::account::State>,
    /// The accounts whose identifiers are written.
    pub identifiers: Vec<(TenantId, AccountId)>,
    pub passwords: Vec<NewPassword>,
    /// Messages to queue.
    pub mail: Vec<QueuedMail>,
    pub applications: Vec<Application>,
    pub new_applications: Vec<Application>,
    pub first_keys: Vec<(TenantId, KeyRecord)>,
    /// Other new keys. Each number must be the next one of its tenant.
    pub keys: Vec<(TenantId, KeyRecord)>,
    /// The new times of keys that already exist.
    pub key_times: Vec<(TenantId, KeyTimes)>,
    /// When to check a tenant's keys again. `None`: nothing is planned.
    pub due: BTreeMap<TenantId, Option<Timestamp>>,
    /// The fingerprints of the declarations that tenants now agree with.
    pub fingerprints: Vec<(TenantId, Option<Fingerprint>)>,
    pub tenant_metadata: Vec<TenantMetadata>,
}

#[derive(Clone, Debug, Default)]
pub struct DeletedRows {
    /// The deleted tenants. Only their names stay reserved.
    pub tenants: Vec<TenantId>,
    pub issuers: Vec<TenantId>,
    /// The tenants whose search terms are deleted or replaced.
    pub search_terms: Vec<TenantId>,
    /// Pictures that tenants no longer show.
    pub logos: Vec<(TenantId, Logo)>,
    /// The clients whose secrets and API keys are deleted.
    pub clients: Vec<(TenantId, ClientId)>,
    /// The clients whose audiences and resources are deleted or replaced.
    pub client_names: Vec<(TenantId, ClientId)>,
    /// The accounts whose consents and mail are deleted.
    pub accounts: Vec<(TenantId, AccountId)>,
    /// The accounts whose identifiers are deleted or replaced.
    pub identifiers: Vec<(TenantId, AccountId)>,
    /// Single consents, with the tokens that were issued under them.
    pub consents: Vec<((TenantId, AccountId), ClientId)>,
    /// The accounts whose sign-ins are invalidated.
    pub authentications: Vec<(TenantId, AccountId)>,
    /// The accounts whose sessions end: all sessions, or a single one, which is deleted. Their clients are
    /// notified.
    pub sessions: Vec<((TenantId, AccountId), Option<SessionId>)>,
    pub applications: Vec<(TenantId, ApplicationId)>,
    /// The keys whose private halves are deleted.
    pub private_keys: Vec<(TenantId, KeyId)>,
}

impl Commit {
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
            live_api_keys: None,
            now,
        }
    }

    /// The tenant of the commit, if the commit concerns only one. Every tenant whose rows change is in
    /// `expected` or new. Configurations concern all tenants.
    #[must_use]
    pub fn sole_tenant(&self) -> Option<&TenantId> {
        let mut tenants = self.tenants();
        let first = tenants.next().filter(|_| self.generation.is_none())?;
        tenants.all(|tenant| tenant == first).then_some(first)
    }

    pub fn tenants(&self) -> impl Iterator<Item = &TenantId> {
        let expected = self.expected.iter().map(|(tenant, _)| tenant);
        let of_keys = self.rows.api_keys.keys().map(|(tenant, _)| tenant);
        let audited = self.audit.iter().map(|record| &record.tenant);
        let answered = self.answer.iter().map(|answer| &answer.tenant);
        expected.chain(self.rows.tenants.keys()).chain(of_keys).chain(audited).chain(answered)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPassword {
    pub tenant: TenantId,
    pub account: AccountId,
    /// The stored form. `None` if the account no longer has a password.
    pub password: Option<AccountPassword>,
    /// Whether the person of the account set the password.
    pub is_own: bool,
    /// Recognizes a declared password when files are compared.
    pub declared_digest: Option<[u8; 32]>,
}

impl NewPassword {
    /// Removes the password of an account.
    pub(crate) fn none((tenant, account): &(TenantId, AccountId)) -> Self {
        let (tenant, account) = (tenant.clone(), account.clone());
        Self { tenant, account, password: None, is_own: false, declared_digest: None }
    }
}

/// The metadata of a tenant in addition to its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantMetadata {
    pub tenant: TenantId,
    /// The fingerprint of the declaration that the tenant now agrees with. `None` if the tenant is no longer
    /// declared.
    pub fingerprint: Option<Fingerprint>,
    /// When the last token expires that was issued with a longer lifetime than today's. `None` keeps the
    /// stored value.
    pub previous_tokens_until: Option<Timestamp>,
    /// How long copies of the key set were cached under the previous policy, and until when such copies may
    /// be in use. `None` keeps the stored value.
    pub previous_jwks: Option<(Lifetime, Timestamp)>,
}

/// The effect of a commit on signing keys in addition to its changes. The changes contain the new times of
/// keys, and the keys to destroy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyCommit {
    /// New keys in the order of their changes. Each number must be the next one of its tenant.
    pub added: Vec<(TenantId, KeyRecord)>,
    /// When to check a tenant's keys again. `None`: nothing is planned.
    pub due: Vec<(TenantId, Option<Timestamp>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitOutcome {
    /// Everything is written.
    Committed {
        /// The number of the configuration, if there was one.
        generation: Option<u64>,
        /// If something was resumed: tokens of the resumed subject up to this second stay invalid.
        resumed_until: Option<Timestamp>,
    },
    /// Nothing is written, because a row that the plan depends on has changed since. The caller must plan
    /// again.
    StaleRevision,
}
