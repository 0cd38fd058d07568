//! What is registered under this identifier? One statement.

use std::sync::Arc;

use async_trait::async_trait;
use registry::{Client, ClientId, ClientStore};
use tenancy::{StoreError, TenantId};

use crate::postgres::PostgresDatabase;
use crate::postgres::client_row::{ClientRow, SELECT_ONE};

#[async_trait]
impl ClientStore for PostgresDatabase {
    async fn find_client(
        &self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<Option<Arc<Client>>, StoreError> {
        let rows: Vec<ClientRow> = self.find(SELECT_ONE, &[tenant.as_str(), client.as_str()]).await?;
        let row = rows.first().filter(|row| !row.is_deleted());
        row.map(|row| row.client().map(Arc::new)).transpose()
    }
}
