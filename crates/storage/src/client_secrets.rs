//! The statements of client secrets. Secrets are read together with their client. Expired and revoked secrets
//! are deleted after a retention time.

use administration::store::{ENDED_SECRETS_STAY, EndedSecrets, KEPT_ENDED_SECRETS};
use async_trait::async_trait;
use tenancy::Stored;
use values::Timestamp;

use crate::database::Database;
use crate::statement::Statement;
use crate::transaction::TransactionPurpose;
use crate::{api_keys, change_log, idempotent_answers, sealed_items};

/// Does not change the hash: a secret's hash is never replaced.
pub(crate) const UPDATE: &str = "
    UPDATE client_secrets AS s
       SET expires_at = given.expires_at, revoked_at = given.revoked_at, revoked_by = given.revoked_by,
           declared_expires_at = given.declared_expires_at
      FROM {given}
     WHERE s.tenant_id = given.tenant_id AND s.client_id = given.client_id AND s.secret_id = given.secret_id";

/// Keeps two kinds of ended secrets. A secret that a file declares must stay, or the file would create the
/// secret again. The highest number of a client must stay, or its number would be used again.
const PRUNE: &str = "
    DELETE FROM client_secrets
     WHERE (tenant_id, client_id, secret_id) IN (
               SELECT tenant_id, client_id, secret_id
                 FROM (SELECT tenant_id, client_id, secret_id,
                              {least}(COALESCE(revoked_at, expires_at), COALESCE(expires_at, revoked_at)) AS ended_at,
                              row_number() OVER (PARTITION BY tenant_id, client_id
                                                 ORDER BY length(secret_id) DESC, secret_id DESC) AS nth
                         FROM client_secrets
                        WHERE (revoked_at <= $1 OR expires_at <= $1)
                          AND (managed_by = 'api' OR revoked_by = 'config')) AS ended
                WHERE ended_at <= $2 AND nth > $3
                LIMIT $4)";

#[async_trait]
impl EndedSecrets for Database {
    /// If a commit changes a secret at the same time, the commit fails as stale. In addition this deletes
    /// expired API keys, expired idempotent answers, digest keys of deleted tenants, and old rows of the
    /// change log.
    async fn prune_ended_secrets(&self, now: Timestamp, limit: u32) -> Stored<u64> {
        let prune = Statement::from_text(PRUNE)
            .bind(now)
            .bind(now.saturating_sub(ENDED_SECRETS_STAY))
            .bind(KEPT_ENDED_SECRETS)
            .bind(limit);
        let mut transaction = self.begin(TransactionPurpose::Commit).await?;
        let pruned = transaction.execute(&prune).await?;
        transaction.execute(&api_keys::prune(now.saturating_sub(ENDED_SECRETS_STAY), limit)).await?;
        transaction.execute(&idempotent_answers::forget(now)).await?;
        transaction.execute(&sealed_items::forget_tenant_keys()).await?;
        transaction.execute(&change_log::forget(now)).await?;
        transaction.commit().await?;
        Ok(pruned)
    }
}
