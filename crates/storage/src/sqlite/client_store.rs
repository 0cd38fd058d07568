//! What is registered under this identifier? One statement.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::TryFutureExt as _;
use registry::{Client, ClientId, ClientStore};
use tenancy::{StoreError, TenantId};

use crate::sqlite::SqliteDatabase;
use crate::sqlite::client_row::{ClientRow, SELECT_ONE};
use crate::sqlite::database::promptly;
use crate::sqlite::error::store_error;

#[async_trait]
impl ClientStore for SqliteDatabase {
    async fn find_client(
        &self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<Option<Arc<Client>>, StoreError> {
        let query = sqlx::query_as(SELECT_ONE).bind(tenant.as_str()).bind(client.as_str());
        let row: Option<ClientRow> = promptly(query.fetch_optional(self.read()).map_err(store_error)).await?;
        row.filter(|row| !row.is_deleted()).map(|row| row.client().map(Arc::new)).transpose()
    }
}
