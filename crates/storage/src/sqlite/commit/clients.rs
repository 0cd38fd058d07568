//! Clients with the names that they list, and applications.

use super::{CommitError, CommitWriter};

const INSERT: &str = "
    INSERT INTO clients (tenant_id, client_id, name, managed_by, created_at, updated_at, authentication_method,
                         grant_types, audiences, resources, scopes, access_token_lifetime, issuer, introspection)
    SELECT value ->> 'tenant_id', value ->> 'client_id', value ->> 'name', ?3, ?2, ?2,
           value ->> 'authentication_method', value -> 'grant_types', value -> 'audiences',
           value -> 'resources', value ->> 'scopes', value ->> 'access_token_lifetime', value ->> 'issuer',
           value ->> 'introspection'
      FROM json_each(?1)";

const TRANSITION: &str = "
    UPDATE clients
       SET updated_at = ?2,
           retired_at = CASE value ->> 'kind' WHEN 'retired' THEN ?2 WHEN 'restored' THEN NULL ELSE retired_at END,
           suspended_at =
               CASE value ->> 'kind' WHEN 'suspended' THEN ?2 WHEN 'resumed' THEN NULL ELSE suspended_at END,
           deleted_at = IIF(value ->> 'kind' = 'deleted', ?2, deleted_at)
      FROM json_each(?1)
     WHERE tenant_id = value ->> 'tenant_id' AND client_id = value ->> 'client_id' AND deleted_at IS NULL
       AND CASE WHEN value ->> 'kind' IN ('retired', 'restored') THEN managed_by = ?3
                WHEN value ->> 'kind' = 'deleted' THEN managed_by = ?3 OR retired_at IS NOT NULL
                ELSE TRUE END";

const UPDATE: &str = "
    UPDATE clients
       SET name = value ->> 'name', updated_at = ?2, authentication_method = value ->> 'authentication_method',
           grant_types = value -> 'grant_types', audiences = value -> 'audiences',
           resources = value -> 'resources', scopes = value ->> 'scopes',
           access_token_lifetime = value ->> 'access_token_lifetime', issuer = value ->> 'issuer',
           introspection = value ->> 'introspection'
      FROM json_each(?1)
     WHERE tenant_id = value ->> 'tenant_id' AND client_id = value ->> 'client_id'
       AND managed_by = ?3 AND retired_at IS NULL AND deleted_at IS NULL";

const DELETE_NAMES: &str = "
    DELETE FROM client_names
     WHERE (tenant_id, client_id) IN (SELECT value ->> 'tenant_id', value ->> 'client_id' FROM json_each(?1))";

const INSERT_NAMES: &str = "
    INSERT INTO client_names (tenant_id, name, client_id)
    SELECT value ->> 'tenant_id', value ->> 'name', value ->> 'client_id' FROM json_each(?1)";

const DELETE_APPLICATIONS: &str = "
    DELETE FROM applications
     WHERE (tenant_id, application_id) IN (
               SELECT value ->> 'tenant_id', value ->> 'application_id' FROM json_each(?1))";

const UPDATE_APPLICATIONS: &str = "
    UPDATE applications
       SET name = value ->> 'name', client_id = value ->> 'client_id', document = value -> 'document'
      FROM json_each(?1)
     WHERE tenant_id = value ->> 'tenant_id' AND application_id = value ->> 'application_id'";

/// `key` is the index in the batch, so that applications keep the order in which they were made.
const INSERT_APPLICATIONS: &str = "
    INSERT INTO applications (tenant_id, application_id, position, name, client_id, document, created_at)
    SELECT value ->> 'tenant_id', value ->> 'application_id',
           key + 1 + (SELECT COALESCE(MAX(position), 0) FROM applications WHERE tenant_id = value ->> 'tenant_id'),
           value ->> 'name', value ->> 'client_id', value -> 'document', value ->> 'created_at'
      FROM json_each(?1)";

impl CommitWriter<'_> {
    pub(super) async fn clients(&mut self) -> Result<(), CommitError> {
        let clients = &self.rows.clients;
        self.all(INSERT, &clients.rows.added).await?;
        self.all(TRANSITION, &clients.rows.transitions).await?;
        self.all(UPDATE, &clients.rows.changed).await?;
        self.each(DELETE_NAMES, &clients.renamed).await?;
        self.all(INSERT_NAMES, &clients.names).await
    }

    pub(super) async fn applications(&mut self) -> Result<(), CommitError> {
        let applications = &self.rows.applications;
        self.all(DELETE_APPLICATIONS, &applications.deleted).await?;
        self.all(UPDATE_APPLICATIONS, &applications.changed).await?;
        self.all(INSERT_APPLICATIONS, &applications.added).await
    }
}
