//! What administration asks of the store in memory.

use std::sync::atomic::Ordering;

use administration::{
    AdministrationStore, Application, ApplicationId, AuditQuery, AuditRecord, ClientQuery, ClientState,
    CommitOutcome, CommitRequest, Fingerprint, Generation, IdempotentAnswer, Invalidation, RelatedClients,
    SealedPlace, SecretUsage, TenantCursor, TenantKeys, TenantQuery, TenantState, TenantSummary,
    VerifierFetch,
};
use async_trait::async_trait;
use protocol::Timestamp;
use registry::ClientId;
use tenancy::{Issuer, StoreError, TenantId};

use super::MemoryStore;
use super::rows::Rows;

#[async_trait]
impl AdministrationStore for MemoryStore {
    async fn latest_generation(&self) -> Result<Option<Generation>, StoreError> {
        self.administer(|rows| rows.generations.last().cloned()).await
    }

    async fn is_known_generation(&self, content: &Fingerprint) -> Result<bool, StoreError> {
        self.administer(|rows| rows.generations.iter().any(|known| known.content == *content)).await
    }

    async fn list_tenant_summaries(&self, declared: &[TenantId]) -> Result<Vec<TenantSummary>, StoreError> {
        self.administer(|rows| rows.list_tenant_summaries(declared)).await
    }

    async fn load_state(&self, tenant: &TenantId) -> Result<Option<TenantState>, StoreError> {
        self.administer(|rows| rows.state(tenant)).await
    }

    async fn load_with_related_clients(
        &self,
        tenant: &TenantId,
        related: RelatedClients<'_>,
    ) -> Result<Option<TenantState>, StoreError> {
        let state = self.administer(|rows| rows.state_with_related_clients(tenant, related)).await?;
        let clients = state.as_ref().map_or(0, |state| state.clients.len());
        self.calls.clients_loaded.fetch_add(clients as u64, Ordering::SeqCst);
        Ok(state)
    }

    async fn count_clients(&self, tenant: &TenantId, at_most: u64) -> Result<u64, StoreError> {
        self.administer(|rows| {
            let clients = rows.state(tenant).map(|state| state.clients).unwrap_or_default();
            at_most.min(clients.iter().filter(|row| row.lifecycle.is_live()).count() as u64)
        })
        .await
    }

    async fn list_tenants(
        &self,
        query: &TenantQuery,
    ) -> Result<Vec<(TenantCursor, TenantState)>, StoreError> {
        self.administer(|rows| rows.list_tenants(query)).await
    }

    async fn list_clients(
        &self,
        tenant: &TenantId,
        query: &ClientQuery,
    ) -> Result<Vec<ClientState>, StoreError> {
        self.administer(|rows| rows.list_clients(tenant, query)).await
    }

    async fn secret_usage(
        &self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<Vec<SecretUsage>, StoreError> {
        self.administer(|rows| rows.usage_of(tenant, client)).await
    }

    async fn record_secret_usage(&self, usage: &[SecretUsage]) -> Result<(), StoreError> {
        self.administer(|rows| rows.record_usage(usage)).await
    }

    async fn prune_ended_secrets(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.administer(|rows| rows.prune_ended_secrets(now, limit)).await
    }

    async fn list_audit(&self, query: &AuditQuery) -> Result<Vec<(i64, AuditRecord)>, StoreError> {
        self.administer(|rows| rows.list_audit(query)).await
    }

    async fn list_generations(&self, limit: u32) -> Result<Vec<Generation>, StoreError> {
        self.administer(|rows| rows.whole_generations().take(as_count(limit)).cloned().collect()).await
    }

    async fn find_generation_sources(&self, number: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.administer(|rows| rows.sealed_sources.get(&number).cloned()).await
    }

    async fn find_idempotent_answer(
        &self,
        tenant: &TenantId,
        key: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<IdempotentAnswer>, StoreError> {
        let is_requested =
            |row: &&IdempotentAnswer| row.tenant == *tenant && row.key == *key && now < row.expires_at;
        self.administer(|rows| rows.idempotent_answers.iter().find(is_requested).cloned()).await
    }

    async fn find_due_deletions(&self, now: Timestamp, limit: u32) -> Result<Vec<TenantId>, StoreError> {
        self.administer(|rows| rows.due_deletions(now).take(as_count(limit)).collect()).await
    }

    async fn load_keys(&self, tenant: &TenantId) -> Result<Option<TenantKeys>, StoreError> {
        self.administer(|rows| rows.key_state(tenant)).await
    }

    async fn find_due_keys(&self, now: Timestamp, limit: u32) -> Result<Vec<TenantId>, StoreError> {
        self.administer(|rows| rows.due_keys(now).take(as_count(limit)).collect()).await
    }

    async fn try_lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.administer(|rows| rows.try_lease(name, holder, now, until)).await
    }

    async fn record_verifier_fetches(&self, fetches: &[VerifierFetch]) -> Result<(), StoreError> {
        self.administer(|rows| rows.record_fetches(fetches)).await
    }

    async fn verifier_fetches(&self, tenant: &TenantId) -> Result<Vec<VerifierFetch>, StoreError> {
        self.administer(|rows| rows.fetches_of(tenant)).await
    }

    async fn list_sealed(
        &self,
        after: Option<&SealedPlace>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<(SealedPlace, Vec<u8>)>, StoreError> {
        self.administer(|rows| rows.sealed_after(after, now).into_iter().take(as_count(limit)).collect())
            .await
    }

    async fn replace_sealed(&self, place: &SealedPlace, old: &[u8], new: &[u8]) -> Result<bool, StoreError> {
        self.administer(|rows| rows.replace_sealed(place, old, new)).await
    }

    async fn find_application(
        &self,
        tenant: &TenantId,
        application: &ApplicationId,
    ) -> Result<Option<Application>, StoreError> {
        let is_requested = |row: &&Application| row.tenant == *tenant && row.id == *application;
        self.administer(|rows| rows.applications.iter().find(is_requested).cloned()).await
    }

    async fn find_application_named(
        &self,
        tenant: &TenantId,
        name: &str,
    ) -> Result<Option<ApplicationId>, StoreError> {
        let is_requested = |row: &&Application| row.tenant == *tenant && row.name == name;
        self.administer(|rows| rows.applications.iter().find(is_requested).map(|row| row.id)).await
    }

    async fn list_applications(
        &self,
        tenant: &TenantId,
        offset: u32,
        limit: u32,
    ) -> Result<(u64, Vec<Application>), StoreError> {
        self.administer(|rows| {
            let all: Vec<_> = rows.applications.iter().filter(|row| row.tenant == *tenant).collect();
            let page = all.iter().skip(as_count(offset)).take(as_count(limit));
            (all.len() as u64, page.copied().cloned().collect())
        })
        .await
    }

    async fn find_issuer_owners(&self, issuers: &[Issuer]) -> Result<Vec<(Issuer, TenantId)>, StoreError> {
        self.administer(|rows| rows.issuer_owners(issuers)).await
    }

    async fn commit(&self, request: &CommitRequest) -> Result<CommitOutcome, StoreError> {
        self.administer(|rows| rows.commit(request)).await?
    }

    async fn find_sealed(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.administer(|rows| rows.sealed.get(name).cloned()).await
    }

    async fn put_sealed_if_absent(
        &self,
        name: &str,
        sealed: &[u8],
        _: Timestamp,
    ) -> Result<bool, StoreError> {
        self.administer(|rows| {
            let absent = !rows.sealed.contains_key(name);
            if absent {
                rows.sealed.insert(name.to_owned(), sealed.to_vec());
            }
            absent
        })
        .await
    }

    async fn holds_sealed_rows(&self) -> Result<bool, StoreError> {
        self.administer(|rows| {
            let mut keys = rows.keys.values().flat_map(|records| &records.keys);
            let keys = keys.any(|key| !key.sealed_private_key.is_empty());
            let bookkeeping = !rows.sealed_sources.is_empty() || !rows.idempotent_answers.is_empty();
            keys || bookkeeping || !rows.sealed.is_empty()
        })
        .await
    }

    async fn position(&self) -> Result<i64, StoreError> {
        self.administer(|rows| as_position(rows.changes.len())).await
    }

    async fn changes_since(&self, position: i64) -> Result<Vec<(i64, Invalidation)>, StoreError> {
        self.administer(|rows| {
            let all = rows.changes.iter().enumerate();
            all.map(|(index, change)| (as_position(index + 1), change.clone()))
                .filter(|(at, _)| *at > position)
                .collect()
        })
        .await
    }
}

impl MemoryStore {
    async fn administer<T: Send>(&self, work: impl FnOnce(&mut Rows) -> T + Send) -> Result<T, StoreError> {
        self.answer(&self.calls.administration, work).await
    }
}

pub(super) fn as_position(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn as_count(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
