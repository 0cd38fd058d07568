//! What is registered under this identifier? One statement.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::TryFutureExt as _;
use registry::{Client, ClientId, ClientStore};
use tenancy::{StoreError, TenantId};

use crate::rows::ClientRow;
use crate::sqlite::SqliteDatabase;
use crate::sqlite::database::promptly;
use crate::sqlite::error::store_error;

/// A client with its secrets; the condition follows.
macro_rules! select {
    () => {
        "SELECT c.*,
               (SELECT json_group_array(
                           json_object('secret_id', s.secret_id, 'hash', s.hash, 'hint', s.hint,
                                       'managed_by', s.managed_by, 'created_at', s.created_at,
                                       'expires_at', s.expires_at, 'revoked_at', s.revoked_at,
                                       'revoked_by', s.revoked_by, 'declared_digest', hex(s.declared_digest),
                                       'declared_expires_at', s.declared_expires_at)
                           ORDER BY s.created_at, s.secret_id)
                  FROM client_secrets s WHERE s.tenant_id = c.tenant_id AND s.client_id = c.client_id) AS secrets
          FROM clients c "
    };
}

/// One client.
pub(crate) const SELECT_ONE: &str = concat!(select!(), "WHERE c.tenant_id = ?1 AND c.client_id = ?2");

/// All clients of a tenant.
pub(crate) const SELECT_ALL: &str = concat!(select!(), "WHERE c.tenant_id = ?1 ORDER BY c.client_id");

/// Those of a tenant's clients that have one of the ids `?2`, and one that lists each of the names `?3`.
pub(crate) const SELECT_RELATED: &str = concat!(
    select!(),
    "WHERE c.tenant_id = ?1
       AND c.client_id IN (SELECT value FROM json_each(?2)
                            UNION
                           SELECT (SELECT n.client_id
                                     FROM client_names n
                                    WHERE n.tenant_id = ?1 AND n.name = value AND n.client_id <> value
                                      AND (SELECT l.deleted_at IS NULL FROM clients l
                                            WHERE l.tenant_id = n.tenant_id AND l.client_id = n.client_id)
                                    ORDER BY n.client_id LIMIT 1)
                             FROM json_each(?3))
     ORDER BY c.client_id"
);

/// How many of a tenant's clients are live, up to `?2`.
pub(crate) const COUNT: &str = "
    SELECT COUNT(*)
      FROM (SELECT 1 FROM clients WHERE tenant_id = ?1 AND retired_at IS NULL AND deleted_at IS NULL LIMIT ?2)";

/// A page of a tenant's clients after a given one. SQLite's own `lower` knows ASCII only, and so does this search.
pub(crate) const SELECT_PAGE: &str = concat!(
    select!(),
    "WHERE c.tenant_id = ?1 AND c.client_id > ?2 AND c.deleted_at IS NULL
       AND (?3 = '' OR instr(lower(c.client_id), ?3) OR instr(lower(c.name), ?3))
     ORDER BY c.client_id LIMIT ?4"
);

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
