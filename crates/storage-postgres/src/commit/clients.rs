//! Clients.

use administration::Change;
use registry::Client;
use serde::Serialize;

use super::{CommitError, Writing, by_kind};
use crate::column::span;

const INSERT: &str = "
    INSERT INTO clients (tenant_id, client_id, name, managed_by, created_at, updated_at, authentication_method,
                         grant_types, audiences, resources, scopes, access_token_lifetime, issuer, introspection)
    SELECT tenant_id, client_id, name, $3, $2, $2, method, grant_types, audiences, resources, scopes, lifetime,
           issuer, introspection
      FROM json_to_recordset($1::json) AS given (
               tenant_id text, client_id text, name text, method text, grant_types text[], audiences text[],
               resources text[], scopes text, lifetime bigint, issuer text, introspection text)";

const UPDATE: &str = "
    UPDATE clients c
       SET name = given.name, updated_at = $2, retired_at = NULL, authentication_method = given.method,
           grant_types = given.grant_types, audiences = given.audiences, resources = given.resources,
           scopes = given.scopes, access_token_lifetime = given.lifetime, issuer = given.issuer,
           introspection = given.introspection
      FROM json_to_recordset($1::json) AS given (
               tenant_id text, client_id text, name text, method text, grant_types text[], audiences text[],
               resources text[], scopes text, lifetime bigint, issuer text, introspection text)
     WHERE c.tenant_id = given.tenant_id AND c.client_id = given.client_id
       AND c.managed_by = $3 AND c.deleted_at IS NULL";

const RETIRE: &str = "
    UPDATE clients c SET updated_at = $2, retired_at = $2
      FROM json_to_recordset($1::json) AS given (tenant_id text, client_id text)
     WHERE c.tenant_id = given.tenant_id AND c.client_id = given.client_id
       AND c.managed_by = $3 AND c.deleted_at IS NULL";

#[derive(Serialize)]
struct ClientRow<'a> {
    tenant_id: &'a str,
    client_id: &'a str,
    name: &'a str,
    method: &'a str,
    grant_types: Vec<&'a str>,
    audiences: &'a [String],
    resources: &'a [String],
    scopes: String,
    lifetime: Option<i64>,
    issuer: Option<&'a str>,
    introspection: &'a str,
}

impl Writing<'_> {
    pub(super) async fn clients(&mut self) -> Result<(), CommitError> {
        let changes = self.request.changes.iter().filter_map(|change| match change {
            Change::Client(row) => Some(row),
            Change::Tenant(_) | Change::ResourceServer(..) | Change::Secret(..) | Change::FirstKey(..) => {
                None
            }
        });
        let sorted = by_kind(changes);
        self.all(INSERT, &rows(&sorted.added)).await?;
        self.all(UPDATE, &rows(&sorted.changed)).await?;
        self.all(RETIRE, &rows(&sorted.retired)).await
    }
}

fn rows<'a>(clients: &[&'a Client]) -> Vec<ClientRow<'a>> {
    clients.iter().map(|client| row(client)).collect()
}

fn row(client: &Client) -> ClientRow<'_> {
    ClientRow {
        tenant_id: client.tenant.as_str(),
        client_id: client.id.as_str(),
        name: &client.name,
        method: client.authentication_method.as_str(),
        grant_types: client.grant_types.iter().map(|grant_type| grant_type.as_str()).collect(),
        audiences: &client.audiences,
        resources: &client.resources,
        scopes: client.scope.to_string(),
        lifetime: client.access_token_lifetime.map(span),
        issuer: client.issuer.as_ref().map(tenancy::Issuer::as_str),
        introspection: client.introspection.as_str(),
    }
}
