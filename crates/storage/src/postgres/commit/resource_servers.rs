//! Resource servers.

use administration::rows::{ByKind, ResourceServerKey, ResourceServerRow, Transition};

use super::{CommitError, CommitWriter};

const INSERT: &str = "
    INSERT INTO resource_servers (tenant_id, audience, managed_by, created_at, updated_at, scopes,
                                  introspection_clients)
    SELECT tenant_id, audience, $3, $2, $2, scopes, introspection_clients
      FROM json_to_recordset($1::json) AS given (
               tenant_id text, audience text, scopes text, introspection_clients text[])";

const TRANSITION: &str = "
    UPDATE resource_servers r
       SET updated_at = $2,
           retired_at = CASE given.kind
               WHEN 'retired' THEN $2 WHEN 'restored' THEN NULL ELSE r.retired_at END,
           deleted_at = CASE given.kind WHEN 'deleted' THEN $2 END
      FROM json_to_recordset($1::json) AS given (tenant_id text, audience text, kind text)
     WHERE r.tenant_id = given.tenant_id AND r.audience = given.audience AND r.deleted_at IS NULL
       AND (r.managed_by = $3 OR (given.kind = 'deleted' AND r.retired_at IS NOT NULL))";

const UPDATE: &str = "
    UPDATE resource_servers r
       SET updated_at = $2, scopes = given.scopes, introspection_clients = given.introspection_clients
      FROM json_to_recordset($1::json) AS given (
               tenant_id text, audience text, scopes text, introspection_clients text[])
     WHERE r.tenant_id = given.tenant_id AND r.audience = given.audience
       AND r.managed_by = $3 AND r.retired_at IS NULL AND r.deleted_at IS NULL";

impl CommitWriter<'_> {
    pub(super) async fn resource_servers(
        &mut self,
        servers: &ByKind<ResourceServerRow<'_>, Transition<ResourceServerKey<'_>>>,
    ) -> Result<(), CommitError> {
        self.all(INSERT, &servers.added).await?;
        self.all(TRANSITION, &servers.transitions).await?;
        self.all(UPDATE, &servers.changed).await
    }
}
