//! Which tenant is this? One statement.

use std::sync::Arc;

use async_trait::async_trait;
use tenancy::{StoreError, Tenant, TenantId, TenantStore};

use crate::postgres::PostgresDatabase;
use crate::postgres::tenant_row::{SELECT, TenantRow};

#[async_trait]
impl TenantStore for PostgresDatabase {
    async fn find_tenant(&self, tenant: &TenantId) -> Result<Option<Arc<Tenant>>, StoreError> {
        let rows: Vec<TenantRow> = self.find(SELECT, &[tenant.as_str()]).await?;
        let row = rows.first().filter(|row| !row.is_deleted());
        row.map(|row| row.tenant().map(Arc::new)).transpose()
    }
}
