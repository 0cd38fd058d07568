//! Resource servers.

use super::{CommitError, CommitWriter};

const INSERT: &str = "
    INSERT INTO resource_servers (tenant_id, audience, managed_by, created_at, updated_at, scopes,
                                  introspection_clients)
    SELECT value ->> 'tenant_id', value ->> 'audience', ?3, ?2, ?2, value ->> 'scopes',
           value -> 'introspection_clients'
      FROM json_each(?1)";

const TRANSITION: &str = "
    UPDATE resource_servers
       SET updated_at = ?2,
           retired_at = CASE value ->> 'kind' WHEN 'retired' THEN ?2 WHEN 'restored' THEN NULL ELSE retired_at END,
           deleted_at = IIF(value ->> 'kind' = 'deleted', ?2, deleted_at)
      FROM json_each(?1)
     WHERE tenant_id = value ->> 'tenant_id' AND audience = value ->> 'audience' AND deleted_at IS NULL
       AND (managed_by = ?3 OR value ->> 'kind' = 'deleted' AND retired_at IS NOT NULL)";

const UPDATE: &str = "
    UPDATE resource_servers
       SET updated_at = ?2, scopes = value ->> 'scopes', introspection_clients = value -> 'introspection_clients'
      FROM json_each(?1)
     WHERE tenant_id = value ->> 'tenant_id' AND audience = value ->> 'audience'
       AND managed_by = ?3 AND retired_at IS NULL AND deleted_at IS NULL";

impl CommitWriter<'_> {
    pub(super) async fn resource_servers(&mut self) -> Result<(), CommitError> {
        let servers = &self.rows.resource_servers;
        self.all(INSERT, &servers.added).await?;
        self.all(TRANSITION, &servers.transitions).await?;
        self.all(UPDATE, &servers.changed).await
    }
}
