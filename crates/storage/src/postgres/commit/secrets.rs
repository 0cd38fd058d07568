//! Secrets of clients. A row is added, its end moves, it is revoked or counts again; its hash never changes. Any door gives and takes
//! secrets; the files touch only those that they declared.

use administration::rows::SecretRows;

use super::{CommitError, CommitWriter};

const INSERT: &str = "
    INSERT INTO client_secrets (tenant_id, client_id, secret_id, hash, hint, managed_by, created_at, expires_at,
                                declared_digest, declared_expires_at)
    SELECT tenant_id, client_id, secret_id, hash, hint, $3, created_at, expires_at,
           decode(declared_digest, 'hex'), CASE $3 WHEN 'config' THEN expires_at END
      FROM json_to_recordset($1::json) AS given (
               tenant_id text, client_id text, secret_id text, hash text, hint text, created_at bigint,
               expires_at bigint, declared_digest text)";

const RESCHEDULE: &str = "
    UPDATE client_secrets s
       SET expires_at = given.expires_at,
           declared_expires_at = CASE $3 WHEN 'config' THEN given.expires_at ELSE s.declared_expires_at END
      FROM json_to_recordset($1::json) AS given (
               tenant_id text, client_id text, secret_id text, expires_at bigint)
     WHERE s.tenant_id = given.tenant_id AND s.client_id = given.client_id
       AND s.secret_id = given.secret_id AND (s.managed_by = $3 OR $3 = 'api')";

/// What another door has revoked meanwhile stays revoked, and the plan is made anew.
const RESTORE: &str = "
    UPDATE client_secrets s
       SET revoked_at = NULL, revoked_by = NULL, expires_at = given.expires_at,
           declared_expires_at = CASE $3 WHEN 'config' THEN given.expires_at ELSE s.declared_expires_at END
      FROM json_to_recordset($1::json) AS given (
               tenant_id text, client_id text, secret_id text, expires_at bigint)
     WHERE s.tenant_id = given.tenant_id AND s.client_id = given.client_id
       AND s.secret_id = given.secret_id AND s.managed_by = $3 AND s.revoked_by = $3";

const REVOKE: &str = "
    UPDATE client_secrets s SET revoked_at = $2, revoked_by = $3
      FROM json_to_recordset($1::json) AS given (tenant_id text, client_id text, secret_id text)
     WHERE s.tenant_id = given.tenant_id AND s.client_id = given.client_id
       AND s.secret_id = given.secret_id AND (s.managed_by = $3 OR $3 = 'api') AND s.revoked_at IS NULL";

impl CommitWriter<'_> {
    pub(super) async fn secrets(&mut self, secrets: &SecretRows<'_>) -> Result<(), CommitError> {
        self.all(INSERT, &secrets.added).await?;
        self.all(RESCHEDULE, &secrets.rescheduled).await?;
        self.all(RESTORE, &secrets.restored).await?;
        self.all(REVOKE, &secrets.revoked).await
    }
}
