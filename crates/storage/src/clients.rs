//! Clients with the names that they list. A client is read with its secrets.

use std::sync::{Arc, LazyLock};

use administration::rows::ClientRows;
use async_trait::async_trait;
use registry::{Client, ClientId, ClientStore};
use tenancy::{StoreError, TenantId};

use crate::commit::{CommitError, CommitWriter};
use crate::database::Database;
use crate::rows::ClientRow;
use crate::statement::{Dialect, Statement};
use crate::upsert::Table;

/// A client with its secrets; the condition follows.
macro_rules! select {
    () => {
        "SELECT c.*,
                COALESCE((SELECT CAST({array}(
                            {object}('secret_id', s.secret_id, 'hash', s.hash, 'hint', s.hint,
                                     'managed_by', s.managed_by, 'created_at', s.created_at,
                                     'expires_at', s.expires_at, 'revoked_at', s.revoked_at,
                                     'revoked_by', s.revoked_by,
                                     'declared_digest', COALESCE({hex(s.declared_digest)}, ''),
                                     'declared_expires_at', s.declared_expires_at)
                            ORDER BY s.created_at, s.secret_id) AS text)
                   FROM client_secrets s
                  WHERE s.tenant_id = c.tenant_id AND s.client_id = c.client_id), '[]') AS secrets
           FROM clients c "
    };
}

/// A client that lists the name, and has another id.
macro_rules! listing {
    ($name:literal) => {
        concat!(
            "SELECT n.client_id FROM client_names n
              WHERE n.tenant_id = {tenant} AND n.name = ",
            $name,
            " AND n.client_id <> ",
            $name,
            " AND (SELECT l.deleted_at IS NULL FROM clients l
                    WHERE l.tenant_id = n.tenant_id AND l.client_id = n.client_id)
              ORDER BY n.client_id LIMIT 1"
        )
    };
}

/// One client.
pub(crate) const SELECT_ONE: &str = concat!(select!(), "WHERE c.tenant_id = {tenant} AND c.client_id = $2");

/// All clients of a tenant.
pub(crate) const SELECT_ALL: &str = concat!(select!(), "WHERE c.tenant_id = {tenant} ORDER BY c.client_id");

/// Those that have one of the ids `$2`, and one that lists each of the names `$3`.
pub(crate) const SQLITE_RELATED: &str = concat!(
    select!(),
    "WHERE c.tenant_id = {tenant}
       AND c.client_id IN (SELECT value FROM {elements($2)}
                            UNION
                           SELECT (",
    listing!("value"),
    ") FROM {elements($3)})
     ORDER BY c.client_id"
);

/// The same. Each is looked up by its key: the planner, which knows only what tenants have on average, would else read all clients of
/// a large one.
const POSTGRES_RELATED: &str = concat!(
    "SELECT around.*
       FROM (SELECT value AS client_id FROM {elements($2)}
              UNION
             SELECT listing.client_id FROM {elements($3)} CROSS JOIN LATERAL (",
    listing!("value"),
    ") AS listing) AS touched
      CROSS JOIN LATERAL (",
    select!(),
    "WHERE c.tenant_id = {tenant} AND c.client_id = touched.client_id OFFSET 0) AS around
      ORDER BY around.client_id"
);

/// A page of them, with `$2` in the id or the name. Upper and lower case are one for ASCII only, whatever the database's locale.
pub(crate) const SELECT_PAGE: &str = concat!(
    select!(),
    "WHERE c.tenant_id = {tenant} AND c.deleted_at IS NULL AND c.client_id > $3
       AND ($2 = '' OR {position}(lower(c.client_id), $2) > 0 OR {position}(lower(c.name {bytewise}), $2) > 0)
     ORDER BY c.client_id LIMIT $4"
);

static UPSERT: LazyLock<String> = LazyLock::new(|| {
    let table = Table {
        name: "clients",
        key: "tenant_id text, client_id text",
        constant: "managed_by text, created_at bigint",
        columns: "name text, updated_at bigint, suspended_at bigint, retired_at bigint, deleted_at bigint,
                  authentication_method text, grant_types text[], audiences text[], resources text[], scopes text,
                  access_token_lifetime bigint, issuer text, introspection text, description text",
        condition: "TRUE",
    };
    table.upsert()
});

const DELETE_NAMES: &str = "
    DELETE FROM client_names
     WHERE (tenant_id, client_id) IN (SELECT tenant_id, client_id FROM {given(tenant_id text, client_id text)})";

const INSERT_NAMES: &str = "
    INSERT INTO client_names (tenant_id, name, client_id)
    SELECT tenant_id, name, client_id FROM {given(tenant_id text, name text, client_id text)}";

/// The ids and names are JSON arrays.
pub(crate) fn related(tenant: &TenantId, ids: String, listed: String, dialect: Dialect) -> Statement {
    let text = if dialect == Dialect::Sqlite { SQLITE_RELATED } else { POSTGRES_RELATED };
    Statement::of(text).bind(tenant).bind(ids).bind(listed)
}

#[async_trait]
impl ClientStore for Database {
    async fn find_client(
        &self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<Option<Arc<Client>>, StoreError> {
        let statement = Statement::of(SELECT_ONE).bind(tenant).bind(client.as_str());
        let rows: Vec<ClientRow> = self.look_up(statement).await?;
        let row = rows.first().filter(|row| !row.is_deleted());
        row.map(|row| row.client().map(Arc::new)).transpose()
    }
}

impl CommitWriter<'_> {
    pub(crate) async fn clients(&mut self, clients: &ClientRows) -> Result<(), CommitError> {
        self.all(&UPSERT, &clients.rows).await?;
        self.each(DELETE_NAMES, &clients.renamed).await?;
        self.all(INSERT_NAMES, &clients.names).await
    }
}
