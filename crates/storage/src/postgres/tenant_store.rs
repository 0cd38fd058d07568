//! Which tenant is this? One statement.

use std::sync::Arc;

use async_trait::async_trait;
use tenancy::{StoreError, Tenant, TenantId, TenantStore};

use crate::postgres::PostgresDatabase;
use crate::postgres::read::in_tenant;
use crate::rows::TenantRow;

/// Everything about a tenant `t` but its clients and keys.
macro_rules! columns {
    () => {
        "t.*,
                COALESCE((SELECT array_agg(i.issuer ORDER BY i.position)
                   FROM tenant_issuers i WHERE i.tenant_id = t.tenant_id), '{}') AS issuers,
                COALESCE((SELECT json_agg(json_build_object('typ', f.typ, 'accepted_until', f.accepted_until) ORDER BY f.typ)
                   FROM tenant_former_typs f WHERE f.tenant_id = t.tenant_id)::text, '[]') AS former_typs,
                COALESCE((SELECT json_agg(
                            json_build_object('audience', r.audience, 'scopes', r.scopes, 'managed_by', r.managed_by,
                                              'introspection_clients', r.introspection_clients,
                                              'created_at', r.created_at, 'updated_at', r.updated_at,
                                              'retired_at', r.retired_at, 'deleted_at', r.deleted_at)
                            ORDER BY r.audience)
                   FROM resource_servers r WHERE r.tenant_id = t.tenant_id)::text, '[]') AS resource_servers"
    };
}

pub(crate) use columns;

/// One tenant.
pub(crate) const SELECT: &str =
    in_tenant!("SELECT ", columns!(), " FROM tenants t WHERE t.tenant_id = entered.tenant_id");

#[async_trait]
impl TenantStore for PostgresDatabase {
    async fn find_tenant(&self, tenant: &TenantId) -> Result<Option<Arc<Tenant>>, StoreError> {
        let rows: Vec<TenantRow> = self.find(SELECT, &[tenant.as_str()]).await?;
        let row = rows.first().filter(|row| !row.is_deleted());
        row.map(|row| row.tenant().map(Arc::new)).transpose()
    }
}
