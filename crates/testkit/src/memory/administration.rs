//! What administration asks of the store in memory.

use administration::{
    AdministrationStore, CommitOutcome, CommitRequest, Fingerprint, Generation, Invalidation, TenantState,
    TenantSummary,
};
use async_trait::async_trait;
use protocol::Timestamp;
use tenancy::{Issuer, StoreError, TenantId};

use super::MemoryStore;
use super::rows::Rows;

#[async_trait]
impl AdministrationStore for MemoryStore {
    async fn latest_generation(&self) -> Result<Option<Generation>, StoreError> {
        self.administer(|rows| rows.generations.last().copied()).await
    }

    async fn is_known_generation(&self, content: &Fingerprint) -> Result<bool, StoreError> {
        self.administer(|rows| rows.generations.iter().any(|known| known.content == *content)).await
    }

    async fn survey(&self, declared: &[TenantId]) -> Result<Vec<TenantSummary>, StoreError> {
        self.administer(|rows| rows.survey(declared)).await
    }

    async fn load_state(&self, tenant: &TenantId) -> Result<Option<TenantState>, StoreError> {
        self.administer(|rows| rows.state(tenant)).await
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
            !rows.sealed.is_empty() || rows.keys.values().any(|keys| !keys.keys.is_empty())
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

impl Rows {
    fn survey(&self, declared: &[TenantId]) -> Vec<TenantSummary> {
        let rows = self.tenants.iter();
        rows.filter(|(id, row)| row.state.standing.is_declared() || declared.contains(id))
            .map(|(id, row)| TenantSummary {
                tenant: id.clone(),
                standing: row.state.standing,
                fingerprint: row.fingerprint,
            })
            .collect()
    }

    fn state(&self, tenant: &TenantId) -> Option<TenantState> {
        let mut state = self.tenants.get(tenant)?.state.clone();
        state.has_had_keys = self.keys.contains_key(tenant);
        Some(state)
    }

    fn issuer_owners(&self, issuers: &[Issuer]) -> Vec<(Issuer, TenantId)> {
        let tenants = self.tenants.values().map(|row| &row.state.tenant);
        tenants
            .flat_map(|tenant| {
                let names = std::iter::once(&tenant.issuer).chain(&tenant.issuer_aliases);
                names.map(move |issuer| (issuer.clone(), tenant.id.clone()))
            })
            .filter(|(issuer, _)| issuers.contains(issuer))
            .collect()
    }
}

fn as_position(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
