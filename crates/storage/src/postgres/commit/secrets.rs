//! Secrets of clients: new rows, and how existing ones end.

use administration::rows::SecretRows;

use super::{CommitError, CommitWriter};

const INSERT: &str = "
    INSERT INTO client_secrets (tenant_id, client_id, secret_id, hash, hint, managed_by, created_at, expires_at,
                                declared_digest, declared_expires_at)
    SELECT tenant_id, client_id, secret_id, hash, hint, managed_by, created_at, expires_at,
           decode(declared_digest, 'hex'), declared_expires_at
      FROM json_to_recordset($1::json) AS given (
               tenant_id text, client_id text, secret_id text, hash text, hint text, managed_by text,
               created_at bigint, expires_at bigint, declared_digest text, declared_expires_at bigint)";

const UPDATE: &str = "
    UPDATE client_secrets s
       SET expires_at = given.expires_at, revoked_at = given.revoked_at, revoked_by = given.revoked_by,
           declared_expires_at = given.declared_expires_at
      FROM json_populate_recordset(NULL::client_secrets, $1::json) AS given
     WHERE s.tenant_id = given.tenant_id AND s.client_id = given.client_id AND s.secret_id = given.secret_id";

impl CommitWriter<'_> {
    pub(super) async fn secrets(&mut self, secrets: &SecretRows<'_>) -> Result<(), CommitError> {
        self.all(INSERT, &secrets.added).await?;
        self.all(UPDATE, &secrets.changed).await
    }
}
