//! Which tenant is this? One statement.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::TryFutureExt as _;
use tenancy::{StoreError, Tenant, TenantId, TenantStore};

use crate::rows::TenantRow;
use crate::sqlite::SqliteDatabase;
use crate::sqlite::database::promptly;
use crate::sqlite::error::store_error;

/// Everything about a tenant but its clients and keys; the condition follows.
macro_rules! select {
    () => {
        "SELECT t.*,
               (SELECT json_group_array(i.issuer ORDER BY i.position)
                  FROM tenant_issuers i WHERE i.tenant_id = t.tenant_id) AS issuers,
               (SELECT json_group_array(json_object('typ', f.typ, 'accepted_until', f.accepted_until) ORDER BY f.typ)
                  FROM tenant_former_typs f WHERE f.tenant_id = t.tenant_id) AS former_typs,
               (SELECT json_group_array(
                           json_object('audience', r.audience, 'scopes', r.scopes, 'managed_by', r.managed_by,
                                       'introspection_clients', json(r.introspection_clients),
                                       'retired_at', r.retired_at, 'deleted_at', r.deleted_at,
                                       'created_at', r.created_at, 'updated_at', r.updated_at)
                           ORDER BY r.audience)
                  FROM resource_servers r WHERE r.tenant_id = t.tenant_id) AS resource_servers
          FROM tenants t "
    };
}

/// One tenant.
pub(crate) const SELECT: &str = concat!(select!(), "WHERE t.tenant_id = ?1");

/// A page of tenants after a given one, across tenants on purpose.
pub(crate) const SELECT_PAGE: &str = concat!(
    "SELECT '' AS word, page.* FROM (",
    select!(),
    "WHERE t.tenant_id > ?1 AND t.deleted_at IS NULL ORDER BY t.tenant_id LIMIT ?2) AS page"
);

/// The tenants of the places that the search has found, in their order.
pub(crate) const SELECT_FOUND: &str = concat!(
    "SELECT place.word, found.* FROM (SELECT key, value ->> 0 AS word, value ->> 1 AS id FROM json_each(?1)) place CROSS JOIN (",
    select!(),
    ") AS found ON found.tenant_id = place.id ORDER BY place.key"
);

#[async_trait]
impl TenantStore for SqliteDatabase {
    async fn find_tenant(&self, tenant: &TenantId) -> Result<Option<Arc<Tenant>>, StoreError> {
        let lookup = sqlx::query_as(SELECT).bind(tenant.as_str()).fetch_optional(self.read());
        let row: Option<TenantRow> = promptly(lookup.map_err(store_error)).await?;
        row.filter(|row| !row.is_deleted()).map(|row| row.tenant().map(Arc::new)).transpose()
    }
}
