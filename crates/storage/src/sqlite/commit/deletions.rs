//! What goes with a deleted tenant or client. Their rows stay and keep the names from being used again.

use super::{CommitError, CommitWriter};

/// Where secrets were used goes with them.
const SECRETS_OF_CLIENTS: &str = "
    DELETE FROM client_secrets
     WHERE (tenant_id, client_id) IN (SELECT value ->> 'tenant_id', value ->> 'client_id' FROM json_each(?1))";

const OF_TENANTS: [&str; 8] = [
    "DELETE FROM client_secrets WHERE tenant_id IN (SELECT value ->> 'tenant_id' FROM json_each(?1))",
    "DELETE FROM signing_keys WHERE tenant_id IN (SELECT value ->> 'tenant_id' FROM json_each(?1))",
    "DELETE FROM key_schedules WHERE tenant_id IN (SELECT value ->> 'tenant_id' FROM json_each(?1))",
    "DELETE FROM key_sightings WHERE tenant_id IN (SELECT value ->> 'tenant_id' FROM json_each(?1))",
    "DELETE FROM applications WHERE tenant_id IN (SELECT value ->> 'tenant_id' FROM json_each(?1))",
    "DELETE FROM idempotent_answers WHERE tenant_id IN (SELECT value ->> 'tenant_id' FROM json_each(?1))",
    "UPDATE clients SET deleted_at = ?2
      WHERE tenant_id IN (SELECT value ->> 'tenant_id' FROM json_each(?1)) AND deleted_at IS NULL",
    "UPDATE resource_servers SET deleted_at = ?2
      WHERE tenant_id IN (SELECT value ->> 'tenant_id' FROM json_each(?1)) AND deleted_at IS NULL",
];

impl CommitWriter<'_> {
    pub(super) async fn deletions(&mut self) -> Result<(), CommitError> {
        self.each(SECRETS_OF_CLIENTS, &self.rows.clients.deleted).await?;
        for statement in OF_TENANTS {
            self.each(statement, &self.rows.tenants.deleted).await?;
        }
        Ok(())
    }
}
