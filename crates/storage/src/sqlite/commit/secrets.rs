//! Secrets of clients: new rows, and how existing ones end.

use super::{CommitError, CommitWriter};

const INSERT: &str = "
    INSERT INTO client_secrets (tenant_id, client_id, secret_id, hash, hint, managed_by, created_at, expires_at,
                                declared_digest, declared_expires_at)
    SELECT value ->> 'tenant_id', value ->> 'client_id', value ->> 'secret_id', value ->> 'hash',
           value ->> 'hint', value ->> 'managed_by', value ->> 'created_at', value ->> 'expires_at',
           unhex(value ->> 'declared_digest'), value ->> 'declared_expires_at'
      FROM json_each(?1)";

const UPDATE: &str = "
    UPDATE client_secrets
       SET expires_at = value ->> 'expires_at', revoked_at = value ->> 'revoked_at',
           revoked_by = value ->> 'revoked_by', declared_expires_at = value ->> 'declared_expires_at'
      FROM json_each(?1)
     WHERE tenant_id = value ->> 'tenant_id' AND client_id = value ->> 'client_id'
       AND secret_id = value ->> 'secret_id'";

impl CommitWriter<'_> {
    pub(super) async fn secrets(&mut self) -> Result<(), CommitError> {
        let secrets = &self.rows.secrets;
        self.all(INSERT, &secrets.added).await?;
        self.all(UPDATE, &secrets.changed).await
    }
}
