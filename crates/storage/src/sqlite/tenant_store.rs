//! Which tenant is this? One statement.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::TryFutureExt as _;
use tenancy::{StoreError, Tenant, TenantId, TenantStore};

use crate::sqlite::SqliteDatabase;
use crate::sqlite::database::promptly;
use crate::sqlite::error::store_error;
use crate::sqlite::tenant_row::{SELECT, TenantRow};

#[async_trait]
impl TenantStore for SqliteDatabase {
    async fn find_tenant(&self, tenant: &TenantId) -> Result<Option<Arc<Tenant>>, StoreError> {
        let lookup = sqlx::query_as(SELECT).bind(tenant.as_str()).fetch_optional(self.read());
        let row: Option<TenantRow> = promptly(lookup.map_err(store_error)).await?;
        row.filter(|row| !row.is_deleted()).map(|row| row.tenant().map(Arc::new)).transpose()
    }
}
