//! The store that the registry needs.

use std::sync::Arc;

use async_trait::async_trait;
use tenancy::{StoreError, TenantId};

use crate::{Client, ClientId};

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
