//! What the registry asks of a store.

use std::sync::Arc;

use async_trait::async_trait;
use tenancy::{StoreError, TenantId};

use crate::{Client, ClientId};

/// Finds clients.
#[async_trait]
pub trait ClientStore: Send + Sync {
    /// What is registered under this identifier in this tenant, in whatever status.
    async fn find_client(
        &self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<Option<Arc<Client>>, StoreError>;
}
