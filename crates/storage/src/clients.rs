//! The statements of clients and of their audiences and resources. A client is read with its secrets.

use std::collections::BTreeSet;
use std::sync::Arc;

use administration::kinds;
use async_trait::async_trait;
use registry::{
    CandidateRules, Client, ClientId, ClientStore, FederatedClientStore, FederatedClients, ForeignSubject,
};
use serde_json::{Value, json};
use tenancy::{Stored, TenantId};

use crate::database::Database;
use crate::statement::{Dialect, Statement};

/// Selects a client that lists the audience or resource and has a different id.
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

pub(crate) const SELECT_ONE: &str =
    "SELECT {columns(c)} FROM clients c WHERE c.tenant_id = {tenant} AND c.client_id = $2";

pub(crate) const SELECT_ALL: &str =
    "SELECT {columns(c)} FROM clients c WHERE c.tenant_id = {tenant} ORDER BY c.client_id";

/// Selects the clients with an id in `$2`, and for each audience or resource in `$3` one client that lists
/// it.
pub(crate) const SQLITE_RELATED: &str = concat!(
    "SELECT {columns(c)} FROM clients c
     WHERE c.tenant_id = {tenant}
       AND c.client_id IN (SELECT value FROM {elements($2)}
                            UNION
                           SELECT (",
    listing!("value"),
    ") FROM {elements($3)})
     ORDER BY c.client_id"
);

/// PostgreSQL looks each client up by its key. Its planner knows only the average size of a tenant and would
/// otherwise read all clients of a large tenant.
const POSTGRES_RELATED: &str = concat!(
    "SELECT around.*
       FROM (SELECT value AS client_id FROM {elements($2)}
              UNION
             SELECT listing.client_id FROM {elements($3)} CROSS JOIN LATERAL (",
    listing!("value"),
    ") AS listing) AS touched
      CROSS JOIN LATERAL (",
    "SELECT {columns(c)} FROM clients c
        WHERE c.tenant_id = {tenant} AND c.client_id = touched.client_id OFFSET 0) AS around
      ORDER BY around.client_id"
);

/// One page of clients with `$2` in the id or name. The comparison ignores the case of ASCII letters only, so
/// that it does not depend on the database's locale.
pub(crate) const SELECT_PAGE: &str = "
    SELECT {columns(c)} FROM clients c
     WHERE c.tenant_id = {tenant} AND c.deleted_at IS NULL AND c.client_id > $3
       AND ($2 = '' OR {position}(lower(c.client_id), $2) > 0 OR {position}(lower(c.name {bytewise}), $2) > 0)
     ORDER BY c.client_id LIMIT $4";

/// Selects the federation rules with an issuer in `$2` and a place in `$3`. Each is found by its key.
pub(crate) const SQLITE_SUBJECTS: &str = "
    SELECT s.client_id, s.rules
      FROM {elements($2)} AS issuer CROSS JOIN {elements($3)} AS place CROSS JOIN federated_subjects s
     WHERE s.tenant_id = {tenant} AND s.issuer = issuer.value AND s.place = place.value
     LIMIT $4";

/// The lookup by key is written out, because PostgreSQL's planner would otherwise read all rows of a large
/// tenant.
const POSTGRES_SUBJECTS: &str = "
    SELECT found.client_id, found.rules
      FROM {elements($2)} AS issuer CROSS JOIN {elements($3)} AS place CROSS JOIN LATERAL (
           SELECT s.client_id, s.rules FROM federated_subjects s
            WHERE s.tenant_id = {tenant} AND s.issuer = issuer.value AND s.place = place.value
            LIMIT $4) AS found
     LIMIT $4";

/// Selects the clients that accept assertions of other issuers. In SQLite the column's index contains the
/// text. In PostgreSQL the index covers only whether a text exists, because an index entry has a maximum
/// size.
pub(crate) const SELECT_FEDERATED: &str = "
    SELECT c.client_id, c.federated FROM clients c
     WHERE c.tenant_id = {tenant} AND c.federated IS NOT NULL AND c.federated > '' AND c.deleted_at IS NULL
     LIMIT $2";

pub(crate) const INSERT_NAMES: &str = "
    INSERT INTO client_names (tenant_id, name, client_id)
    SELECT tenant_id, name, client_id FROM {given(tenant_id text, name text, client_id text)}";

/// `ids` and `listed` are JSON arrays.
pub(crate) fn related(tenant: &TenantId, ids: String, listed: String, dialect: Dialect) -> Statement {
    let text = if dialect == Dialect::Sqlite { SQLITE_RELATED } else { POSTGRES_RELATED };
    Statement::from_text(text).bind(tenant).bind(ids).bind(listed)
}

#[async_trait]
impl ClientStore for Database {
    async fn find_client(&self, tenant: &TenantId, client: &ClientId) -> Stored<Option<Arc<Client>>> {
        let statement = Statement::from_text(SELECT_ONE).bind(tenant).bind(client.as_str());
        let rows: Vec<kinds::client::State> = self.look_up(statement).await?;
        let live = rows.into_iter().find(|row| row.lifecycle.deleted_at.is_none());
        Ok(live.map(|kinds::client::State { client, secrets, .. }| {
            let secrets = secrets.into_iter().map(|row| row.secret).collect();
            Arc::new(Client { secrets, ..client })
        }))
    }
}

#[async_trait]
impl FederatedClientStore for Database {
    async fn find_federated_clients(
        &self,
        tenant: &TenantId,
        subject: &ForeignSubject,
    ) -> Stored<Option<Arc<FederatedClients>>> {
        let text = if self.dialect() == Dialect::Sqlite { SQLITE_SUBJECTS } else { POSTGRES_SUBJECTS };
        let issuers = json!(subject.issuers().collect::<Vec<_>>()).to_string();
        let places = json!(subject.places()).to_string();
        let (mut rows, mut read) = (Vec::new(), 0);
        for most in [FederatedClients::FIRST_ROWS, FederatedClients::MOST_ROWS] {
            let statement = Statement::from_text(text).bind(tenant).bind(issuers.clone());
            // Reads one row more than the limit, to detect that the limit is exceeded.
            rows = self.look_up::<CandidateRules>(statement.bind(places.clone()).bind(most + 1)).await?;
            read += rows.len();
            if !FederatedClients::needs_more(subject, &rows) {
                break;
            }
        }
        Ok(FederatedClients::new(tenant.clone(), subject, &rows, read).map(Arc::new))
    }
}

/// The client's audiences and resources, without duplicates.
pub(crate) fn name_rows(client: &Client) -> impl Iterator<Item = Value> {
    let names: BTreeSet<&str> =
        client.audiences.iter().chain(&client.resources).map(String::as_str).collect();
    names.into_iter().map(
        |name| json!({ "tenant_id": client.tenant.as_str(), "name": name, "client_id": client.id.as_str() }),
    )
}
