//! What a deleted tenant or client leaves behind: rows that reserve their names. Secrets, keys and what was answered are destroyed.

use administration::rows::{ClientKey, TenantKey};

use super::{CommitError, CommitWriter};

/// Everything of these tenants in a table.
macro_rules! emptied {
    ($table:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE tenant_id IN (SELECT tenant_id FROM json_to_recordset($1::json) AS given (tenant_id text))"
        )
    };
}

/// From where a secret was used goes with it.
const OF_TENANT: [&str; 6] = [
    emptied!("client_secrets"),
    emptied!("signing_keys"),
    emptied!("key_schedules"),
    emptied!("key_sightings"),
    emptied!("applications"),
    emptied!("idempotent_answers"),
];

const MARK_CLIENTS: &str = "
    UPDATE clients SET deleted_at = $2
     WHERE tenant_id IN (SELECT tenant_id FROM json_to_recordset($1::json) AS given (tenant_id text))
       AND deleted_at IS NULL";

const MARK_RESOURCE_SERVERS: &str = "
    UPDATE resource_servers SET deleted_at = $2
     WHERE tenant_id IN (SELECT tenant_id FROM json_to_recordset($1::json) AS given (tenant_id text))
       AND deleted_at IS NULL";

const SECRETS_OF_CLIENT: &str = "
    DELETE FROM client_secrets s
     USING json_to_recordset($1::json) AS given (tenant_id text, client_id text)
     WHERE s.tenant_id = given.tenant_id AND s.client_id = given.client_id";

impl CommitWriter<'_> {
    pub(super) async fn deletions(
        &mut self,
        tenants: &[TenantKey<'_>],
        clients: &[ClientKey<'_>],
    ) -> Result<(), CommitError> {
        for sql in OF_TENANT {
            self.each(sql, tenants).await?;
        }
        self.each(MARK_CLIENTS, tenants).await?;
        self.each(MARK_RESOURCE_SERVERS, tenants).await?;
        self.each(SECRETS_OF_CLIENT, clients).await.map(drop)
    }
}
