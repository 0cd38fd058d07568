//! The stores that the registry needs.

use std::sync::Arc;

use async_trait::async_trait;
use protocol::Timestamp;
use tenancy::{StoreError, TenantId};

use crate::{Client, ClientId, SingleUseIdentifier};

/// Finds clients.
#[async_trait]
pub trait ClientStore: Send + Sync {
    /// The client of this identifier in this tenant, in any status.
    async fn find_client(
        &self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<Option<Arc<Client>>, StoreError>;
}

/// Remembers identifiers until they expire. The store decides: two caches would each accept an identifier once.
#[async_trait]
pub trait ReplayGuard: Send + Sync {
    /// Records the use of an identifier in this tenant. Returns whether it was the first: of uses at the same time, at all replicas, one is.
    async fn record_use(
        &self,
        tenant: &TenantId,
        identifier: &SingleUseIdentifier,
    ) -> Result<bool, StoreError>;

    /// Deletes identifiers of all tenants that have expired, a limited number of them. Returns how many.
    async fn delete_expired_identifiers(&self, now: Timestamp) -> Result<u64, StoreError>;
}
