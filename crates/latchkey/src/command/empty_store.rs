//! A store before its first start: everything is absent. Planning against it needs no database, and makes none.

use administration::{
    AdministrationStore, CommitOutcome, CommitRequest, Fingerprint, Generation, Invalidation, TenantState,
    TenantSummary,
};
use async_trait::async_trait;
use protocol::Timestamp;
use tenancy::{Issuer, StoreError, TenantId};

/// Holds nothing and takes nothing.
pub(super) struct EmptyStore;

#[async_trait]
impl AdministrationStore for EmptyStore {
    async fn latest_generation(&self) -> Result<Option<Generation>, StoreError> {
        Ok(None)
    }

    async fn is_known_generation(&self, _content: &Fingerprint) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn survey(&self, _declared: &[TenantId]) -> Result<Vec<TenantSummary>, StoreError> {
        Ok(Vec::new())
    }

    async fn load_state(&self, _tenant: &TenantId) -> Result<Option<TenantState>, StoreError> {
        Ok(None)
    }

    async fn find_issuer_owners(&self, _issuers: &[Issuer]) -> Result<Vec<(Issuer, TenantId)>, StoreError> {
        Ok(Vec::new())
    }

    async fn commit(&self, _request: &CommitRequest) -> Result<CommitOutcome, StoreError> {
        Err(read_only())
    }

    async fn find_sealed(&self, _name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    async fn put_sealed_if_absent(&self, _: &str, _: &[u8], _: Timestamp) -> Result<bool, StoreError> {
        Err(read_only())
    }

    async fn holds_sealed_rows(&self) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn position(&self) -> Result<i64, StoreError> {
        Ok(0)
    }

    async fn changes_since(&self, _position: i64) -> Result<Vec<(i64, Invalidation)>, StoreError> {
        Ok(Vec::new())
    }
}

fn read_only() -> StoreError {
    StoreError::fault("planning writes nothing")
}
