//! Secrets of clients. A row is added, its end moves, it is revoked or counts again; its hash never changes. The API's doors do so
//! to every secret, the files only to those that they declared.

use super::{CommitError, CommitWriter};

const INSERT: &str = "
    INSERT INTO client_secrets (tenant_id, client_id, secret_id, hash, hint, managed_by, created_at, expires_at,
                                declared_digest, declared_expires_at)
    SELECT value ->> 'tenant_id', value ->> 'client_id', value ->> 'secret_id', value ->> 'hash',
           value ->> 'hint', ?3, value ->> 'created_at', value ->> 'expires_at',
           unhex(value ->> 'declared_digest'), IIF(?3 = 'config', value ->> 'expires_at', NULL)
      FROM json_each(?1)";

const RESCHEDULE: &str = "
    UPDATE client_secrets
       SET expires_at = value ->> 'expires_at',
           declared_expires_at = IIF(?3 = 'config', value ->> 'expires_at', declared_expires_at)
      FROM json_each(?1)
     WHERE tenant_id = value ->> 'tenant_id' AND client_id = value ->> 'client_id'
       AND secret_id = value ->> 'secret_id' AND (managed_by = ?3 OR ?3 = 'api')";

/// What another door has revoked meanwhile stays revoked, and the plan is made anew.
const RESTORE: &str = "
    UPDATE client_secrets
       SET revoked_at = NULL, revoked_by = NULL, expires_at = value ->> 'expires_at',
           declared_expires_at = IIF(?3 = 'config', value ->> 'expires_at', declared_expires_at)
      FROM json_each(?1)
     WHERE tenant_id = value ->> 'tenant_id' AND client_id = value ->> 'client_id'
       AND secret_id = value ->> 'secret_id' AND (managed_by = ?3 OR ?3 = 'api') AND revoked_by = ?3";

const REVOKE: &str = "
    UPDATE client_secrets SET revoked_at = ?2, revoked_by = ?3
      FROM json_each(?1)
     WHERE tenant_id = value ->> 'tenant_id' AND client_id = value ->> 'client_id'
       AND secret_id = value ->> 'secret_id' AND (managed_by = ?3 OR ?3 = 'api') AND revoked_at IS NULL";

impl CommitWriter<'_> {
    pub(super) async fn secrets(&mut self) -> Result<(), CommitError> {
        let secrets = &self.rows.secrets;
        self.all(INSERT, &secrets.added).await?;
        self.all(RESCHEDULE, &secrets.rescheduled).await?;
        self.all(RESTORE, &secrets.restored).await?;
        self.all(REVOKE, &secrets.revoked).await
    }
}
