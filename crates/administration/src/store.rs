//! What administration asks of a store: the state of things, and to commit a change whole or not at all. Each method is one
//! transaction; no transaction crosses this border.

use async_trait::async_trait;
use keys::life_cycle::KeyTimes;
use keys::{KeyId, KeyRecord, KeyRecords};
use protocol::{Lifetime, SigningAlgorithm, Timestamp};
use registry::{ClientId, ClientSecret, SecretId};
use tenancy::{Issuer, StoreError, Tenant, TenantId};

use crate::{
    Application, ApplicationId, AuditQuery, AuditRecord, Change, ClientQuery, ClientState, Fingerprint,
    Invalidation, ManagedBy, RelatedClients, RowLifecycle, TenantCursor, TenantQuery, TenantState,
    TenantSummary,
};

/// Holds the rows of the platform.
#[async_trait]
pub trait AdministrationStore: Send + Sync {
    /// What was applied last.
    async fn latest_generation(&self) -> Result<Option<Generation>, StoreError>;

    /// Whether this content was ever applied.
    async fn is_known_generation(&self, content: &Fingerprint) -> Result<bool, StoreError>;

    /// Every tenant that configuration manages, and those of these ids, whoever manages them.
    async fn list_tenant_summaries(&self, declared: &[TenantId]) -> Result<Vec<TenantSummary>, StoreError>;

    /// Everything about one tenant.
    async fn load_state(&self, tenant: &TenantId) -> Result<Option<TenantState>, StoreError>;

    /// One tenant with only those of its clients that are asked for.
    async fn load_with_related_clients(
        &self,
        tenant: &TenantId,
        related: RelatedClients<'_>,
    ) -> Result<Option<TenantState>, StoreError>;

    /// How many clients of a tenant are neither retired nor deleted; nobody counts further than `at_most`.
    async fn count_clients(&self, tenant: &TenantId, at_most: u64) -> Result<u64, StoreError>;

    /// A page of tenants, deleted ones left out, each with the cursor that goes on after it.
    async fn list_tenants(&self, query: &TenantQuery)
    -> Result<Vec<(TenantCursor, TenantState)>, StoreError>;

    /// A page of a tenant's clients, deleted ones left out.
    async fn list_clients(
        &self,
        tenant: &TenantId,
        query: &ClientQuery,
    ) -> Result<Vec<ClientState>, StoreError>;

    /// From where a client's secrets were used.
    async fn secret_usage(
        &self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<Vec<SecretUsage>, StoreError>;

    /// Notes from where secrets were used, several at once. A secret or client that is gone is passed over.
    async fn record_secret_usage(&self, usage: &[SecretUsage]) -> Result<(), StoreError>;

    /// A page of the audit, with the place of each record.
    async fn list_audit(&self, query: &AuditQuery) -> Result<Vec<(i64, AuditRecord)>, StoreError>;

    /// The latest whole generations, the newest first.
    async fn list_generations(&self, limit: u32) -> Result<Vec<Generation>, StoreError>;

    /// What a generation was read from, sealed, if it is still kept.
    async fn find_generation_sources(&self, number: u64) -> Result<Option<Vec<u8>>, StoreError>;

    /// What was answered to this idempotency key, unless that has expired.
    async fn find_idempotent_answer(
        &self,
        tenant: &TenantId,
        key: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<IdempotentAnswer>, StoreError>;

    /// Tenants whose deletion is due, at most so many.
    async fn find_due_deletions(&self, now: Timestamp, limit: u32) -> Result<Vec<TenantId>, StoreError>;

    /// A tenant with its keys, and what their lives depend on.
    async fn load_keys(&self, tenant: &TenantId) -> Result<Option<TenantKeys>, StoreError>;

    /// Tenants whose keys are due to be looked at, the longest due first, at most so many. Never a look at all tenants.
    async fn find_due_keys(&self, now: Timestamp, limit: u32) -> Result<Vec<TenantId>, StoreError>;

    /// Whether this holder has the lease of this name until then: it was free, has run out, or was this holder's already.
    async fn try_lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Deletes client secrets that ended at least [`ENDED_SECRETS_STAY`] ago, at most so many, and says how many. The newest
    /// [`KEPT_ENDED_SECRETS`] ended secrets of each client stay, and so do those that a file declares.
    async fn prune_ended_secrets(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError>;

    /// Notes which keys verifiers have fetched, several at once. A tenant that is gone is passed over.
    async fn record_verifier_fetches(&self, fetches: &[VerifierFetch]) -> Result<(), StoreError>;

    /// Which verifiers fetch a tenant's keys.
    async fn verifier_fetches(&self, tenant: &TenantId) -> Result<Vec<VerifierFetch>, StoreError>;

    /// Some of all that is sealed, in the order of places, after a place; what has expired is left out. A page may be short, and an
    /// empty one is the end.
    async fn list_sealed(
        &self,
        after: Option<&SealedPlace>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<(SealedPlace, Vec<u8>)>, StoreError>;

    /// Puts other sealed bytes in a place if these are still there, and says whether they were.
    async fn replace_sealed(&self, place: &SealedPlace, old: &[u8], new: &[u8]) -> Result<bool, StoreError>;

    /// An application by its identifier.
    async fn find_application(
        &self,
        tenant: &TenantId,
        application: &ApplicationId,
    ) -> Result<Option<Application>, StoreError>;

    /// The application of this name.
    async fn find_application_named(
        &self,
        tenant: &TenantId,
        name: &str,
    ) -> Result<Option<ApplicationId>, StoreError>;

    /// How many applications a tenant has, and some of them in the order in which they were made.
    async fn list_applications(
        &self,
        tenant: &TenantId,
        offset: u32,
        limit: u32,
    ) -> Result<(u64, Vec<Application>), StoreError>;

    /// Which tenants have these issuers or aliases, retired and deleted ones too.
    async fn find_issuer_owners(&self, issuers: &[Issuer]) -> Result<Vec<(Issuer, TenantId)>, StoreError>;

    /// Writes everything in the request, or nothing where something else was written since it was planned.
    async fn commit(&self, request: &CommitRequest) -> Result<CommitOutcome, StoreError>;

    /// A sealed value by its name.
    async fn find_sealed(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Stores a sealed value unless there is one of this name already, and says whether it did.
    async fn put_sealed_if_absent(
        &self,
        name: &str,
        sealed: &[u8],
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Whether anything here, key or value, can be read with the old sealing key only.
    async fn holds_sealed_rows(&self) -> Result<bool, StoreError>;

    /// Where the log of changes stands now.
    async fn position(&self) -> Result<i64, StoreError>;

    /// What changed after a position, each with its own, in their order.
    async fn changes_since(&self, position: i64) -> Result<Vec<(i64, Invalidation)>, StoreError>;
}

/// A configuration that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Counted from 1.
    pub number: u64,
    /// What was applied.
    pub content: Fingerprint,
    /// When.
    pub applied_at: Timestamp,
    /// Tenants to which it was not applied because of a conflict, in the order of their ids. Where there are none, it is whole.
    pub left_out: Vec<TenantId>,
}

/// A configuration that is to be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGeneration {
    /// What is applied.
    pub content: Fingerprint,
    /// The latest number when the plan was made: of two replicas with the same change, only one applies it.
    pub expected_latest: Option<u64>,
    /// What it was read from, sealed, for a rollback. Those of the latest [`KEPT_SOURCES`] whole generations are kept.
    pub sealed_sources: Option<Vec<u8>>,
    /// As [`Generation::left_out`].
    pub left_out: Vec<TenantId>,
}

/// So many generations can be rolled back to.
pub const KEPT_SOURCES: u64 = 20;

/// A tenant's keys, and what their lives depend on, as they were at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantKeys {
    /// The tenant, as requests see it.
    pub tenant: Tenant,
    /// How it stands.
    pub lifecycle: RowLifecycle,
    /// On which a plan rests.
    pub revision: u64,
    /// The longest lifetime of its tokens, as the tenant and its live clients say today.
    pub longest_token: Lifetime,
    /// When the last token that was issued under a longer lifetime than today's expires.
    pub previous_tokens_until: Option<Timestamp>,
    /// For how long copies of the key set were kept under an earlier policy, and until when such copies may be about.
    pub previous_jwks: Option<(Lifetime, Timestamp)>,
    /// When its keys are to be looked at.
    pub due_at: Option<Timestamp>,
    /// Its keys.
    pub records: KeyRecords,
}

/// What a commit does to signing keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyCommit {
    /// Keys that come to be; each number must be its tenant's next one.
    pub added: Vec<(TenantId, KeyRecord)>,
    /// Keys with other times.
    pub times: Vec<(TenantId, KeyTimes)>,
    /// Keys whose private half is wiped from the row.
    pub destroyed: Vec<(TenantId, KeyId)>,
    /// When to look at a tenant's keys again; none: nothing is planned.
    pub due: Vec<(TenantId, Option<Timestamp>)>,
}

/// A verifier that has fetched a tenant's keys. Numbers grow, so who has fetched key 7 has fetched all that were published with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierFetch {
    /// Whose keys.
    pub tenant: TenantId,
    /// Who, as user agent and address group.
    pub verifier: String,
    /// When last.
    pub last_fetch_at: Timestamp,
    /// The newest key that it was given.
    pub newest_key: KeyId,
}

/// So many verifiers are kept of each tenant. Newcomers take the places of those alone that have not come for a day.
pub const KEPT_VERIFIERS: usize = 256;

/// Where something sealed is kept. Whatever is sealed at rest has its place here: what has none is lost with a former sealing key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SealedPlace {
    /// A private key; destroyed ones are left out.
    SigningKey {
        /// Whose.
        tenant: TenantId,
        /// Which.
        id: KeyId,
        /// What it signs with, which is part of what it is sealed for.
        algorithm: SigningAlgorithm,
    },
    /// A value of the installation, by its name.
    Named(String),
    /// What a generation was read from.
    Sources {
        /// Which.
        generation: u64,
        /// What was applied, which is what it is sealed for.
        content: Fingerprint,
    },
    /// What was answered to an idempotency key.
    IdempotentAnswer {
        /// As [`IdempotentAnswer::tenant`].
        tenant: TenantId,
        /// As [`IdempotentAnswer::key`].
        key: [u8; 32],
    },
}

/// A secret that was used from an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretUsage {
    /// Whose client.
    pub tenant: TenantId,
    /// Whose secret.
    pub client: ClientId,
    /// Which.
    pub secret: SecretId,
    /// From where, as text; of each secret the latest [`KEPT_ADDRESSES`] are kept.
    pub address: String,
    /// When last.
    pub at: Timestamp,
}

/// The number of ended secrets of each client that [`AdministrationStore::prune_ended_secrets`] leaves, the newest ones.
pub const KEPT_ENDED_SECRETS: u32 = 20;

/// How long each ended secret stays.
pub const ENDED_SECRETS_STAY: Lifetime = Lifetime::from_seconds(30 * 86_400);

/// So many addresses are kept of each secret.
pub const KEPT_ADDRESSES: usize = 32;

/// What was answered to an idempotency key (draft-ietf-httpapi-idempotency-key-header).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotentAnswer {
    /// In whose tenant it was asked; `platform` for what concerns no tenant that was there.
    pub tenant: TenantId,
    /// Digest of the key and of who sent it to do what.
    pub key: [u8; 32],
    /// Digest of the request.
    pub request: [u8; 32],
    /// The answer, sealed: it may hold a secret.
    pub sealed: Vec<u8>,
    /// Until when it is kept.
    pub expires_at: Timestamp,
}

/// Changes that belong together, with all that they need.
#[derive(Clone, Debug)]
pub struct CommitRequest {
    /// Which door asks. It marks the rows that are added, and no other door's row is touched.
    pub managed_by: ManagedBy,
    /// The configuration behind the changes; absent for the other doors.
    pub generation: Option<NewGeneration>,
    /// Tenants that were there when it was planned, each at the revision on which the plan rests. Every tenant that is touched and not
    /// added is among them.
    pub expected_revisions: Vec<(TenantId, u64)>,
    /// What changes.
    pub changes: Vec<Change>,
    /// The hashes of the secrets that are added.
    pub secrets: Vec<NewSecret>,
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

/// A secret's row that comes to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSecret {
    /// Whose client.
    pub tenant: TenantId,
    /// Whose secret.
    pub client: ClientId,
    /// The row.
    pub secret: ClientSecret,
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
