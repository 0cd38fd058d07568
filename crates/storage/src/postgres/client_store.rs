//! What is registered under this identifier? One statement.

use std::sync::Arc;

use async_trait::async_trait;
use registry::{Client, ClientId, ClientStore};
use tenancy::{StoreError, TenantId};

use crate::postgres::PostgresDatabase;
use crate::postgres::read::in_tenant;
use crate::rows::ClientRow;

/// A client with its secrets; the condition follows.
macro_rules! select {
    () => {
        "SELECT c.*,
                COALESCE((SELECT json_agg(
                            json_build_object('secret_id', s.secret_id, 'hash', s.hash, 'hint', s.hint,
                                              'managed_by', s.managed_by, 'created_at', s.created_at,
                                              'expires_at', s.expires_at, 'revoked_at', s.revoked_at,
                                              'revoked_by', s.revoked_by,
                                              'declared_digest', COALESCE(encode(s.declared_digest, 'hex'), ''),
                                              'declared_expires_at', s.declared_expires_at)
                            ORDER BY s.created_at, s.secret_id)
                   FROM client_secrets s
                  WHERE s.tenant_id = c.tenant_id AND s.client_id = c.client_id)::text, '[]') AS secrets
           FROM clients c "
    };
}

/// One client.
pub(crate) const SELECT_ONE: &str =
    in_tenant!(select!(), "WHERE c.tenant_id = entered.tenant_id AND c.client_id = $2");

/// All clients of a tenant.
pub(crate) const SELECT_ALL: &str =
    in_tenant!(select!(), "WHERE c.tenant_id = entered.tenant_id ORDER BY c.client_id");

/// Those that have one of the ids `$2`, and one that lists each of the names `$3`. Each is looked up by its key: the planner, which
/// knows only what tenants have on average, would else read all clients of a large one.
pub(crate) const SELECT_RELATED: &str = in_tenant!(
    "SELECT around.*
       FROM (SELECT unnest($2) AS client_id
              UNION
             SELECT listing.client_id
               FROM unnest($3) AS given (name)
              CROSS JOIN LATERAL (SELECT n.client_id FROM client_names n
                                   WHERE n.tenant_id = entered.tenant_id AND n.name = given.name
                                     AND n.client_id <> given.name
                                     AND (SELECT l.deleted_at IS NULL FROM clients l
                                           WHERE l.tenant_id = n.tenant_id AND l.client_id = n.client_id)
                                   ORDER BY n.client_id LIMIT 1) AS listing) AS touched
      CROSS JOIN LATERAL (",
    select!(),
    "WHERE c.tenant_id = entered.tenant_id AND c.client_id = touched.client_id
                          OFFSET 0) AS around
      ORDER BY around.client_id"
);

/// How many of them are live, up to `$2`.
pub(crate) const COUNT: &str = in_tenant!(
    "SELECT COUNT(*) AS clients
       FROM (SELECT 1 FROM clients c
              WHERE c.tenant_id = entered.tenant_id AND c.retired_at IS NULL AND c.deleted_at IS NULL
              LIMIT $2) AS live"
);

/// A page of them, with `$2` in the id or the name. Upper and lower case are one for ASCII only, whatever the database's locale.
pub(crate) const SELECT_PAGE: &str = in_tenant!(
    select!(),
    "WHERE c.tenant_id = entered.tenant_id AND c.deleted_at IS NULL AND c.client_id > $3
       AND ($2 = '' OR position($2 IN lower(c.client_id)) > 0 OR position($2 IN lower(c.name COLLATE \"C\")) > 0)
     ORDER BY c.client_id LIMIT $4"
);

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
