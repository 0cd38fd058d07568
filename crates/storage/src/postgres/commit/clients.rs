//! Clients with the names that they list.

use administration::rows::ClientRows;

use super::{CommitError, CommitWriter};

const INSERT: &str = "
    INSERT INTO clients (tenant_id, client_id, name, managed_by, created_at, updated_at, authentication_method,
                         grant_types, audiences, resources, scopes, access_token_lifetime, issuer, introspection)
    SELECT tenant_id, client_id, name, $3, $2, $2, authentication_method, grant_types, audiences, resources, scopes,
           access_token_lifetime, issuer, introspection
      FROM json_to_recordset($1::json) AS given (
               tenant_id text, client_id text, name text, authentication_method text, grant_types text[],
               audiences text[], resources text[], scopes text, access_token_lifetime bigint, issuer text,
               introspection text)";

const TRANSITION: &str = "
    UPDATE clients c
       SET updated_at = $2,
           suspended_at = CASE given.kind
               WHEN 'suspended' THEN $2 WHEN 'resumed' THEN NULL ELSE c.suspended_at END,
           retired_at = CASE given.kind
               WHEN 'retired' THEN $2 WHEN 'restored' THEN NULL ELSE c.retired_at END,
           deleted_at = CASE given.kind WHEN 'deleted' THEN $2 END
      FROM json_to_recordset($1::json) AS given (tenant_id text, client_id text, kind text)
     WHERE c.tenant_id = given.tenant_id AND c.client_id = given.client_id AND c.deleted_at IS NULL
       AND (c.managed_by = $3 OR given.kind NOT IN ('restored', 'retired', 'deleted')
            OR (given.kind = 'deleted' AND c.retired_at IS NOT NULL))";

const UPDATE: &str = "
    UPDATE clients c
       SET name = given.name, updated_at = $2, authentication_method = given.authentication_method,
           grant_types = given.grant_types, audiences = given.audiences, resources = given.resources,
           scopes = given.scopes, access_token_lifetime = given.access_token_lifetime, issuer = given.issuer,
           introspection = given.introspection
      FROM json_to_recordset($1::json) AS given (
               tenant_id text, client_id text, name text, authentication_method text, grant_types text[],
               audiences text[], resources text[], scopes text, access_token_lifetime bigint, issuer text,
               introspection text)
     WHERE c.tenant_id = given.tenant_id AND c.client_id = given.client_id
       AND c.managed_by = $3 AND c.retired_at IS NULL AND c.deleted_at IS NULL";

const DELETE_NAMES: &str = "
    DELETE FROM client_names n
     USING json_to_recordset($1::json) AS given (tenant_id text, client_id text)
     WHERE n.tenant_id = given.tenant_id AND n.client_id = given.client_id";

const INSERT_NAMES: &str = "
    INSERT INTO client_names (tenant_id, name, client_id)
    SELECT tenant_id, name, client_id
      FROM json_to_recordset($1::json) AS given (tenant_id text, name text, client_id text)";

impl CommitWriter<'_> {
    pub(super) async fn clients(&mut self, clients: &ClientRows<'_>) -> Result<(), CommitError> {
        self.all(INSERT, &clients.rows.added).await?;
        self.all(TRANSITION, &clients.rows.transitions).await?;
        self.all(UPDATE, &clients.rows.changed).await?;
        self.each(DELETE_NAMES, &clients.renamed).await?;
        self.all(INSERT_NAMES, &clients.names).await
    }
}
