//! Secrets of clients: inserts new rows, ends existing ones, and deletes those that ended long ago. They are
//! read with their client.

use administration::{ENDED_SECRETS_STAY, EndedSecrets, KEPT_ENDED_SECRETS};
use async_trait::async_trait;
use tenancy::Stored;
use values::Timestamp;

use crate::database::Database;
use crate::statement::Statement;
use crate::transaction::TransactionPurpose;
use crate::{api_keys, change_log, idempotent_answers, sealed_items};

/// A hash never changes.
pub(crate) const UPDATE: &str = "
    UPDATE client_secrets AS s
       SET expires_at = given.expires_at, revoked_at = given.revoked_at, revoked_by = given.revoked_by,
           declared_expires_at = given.declared_expires_at
      FROM {given}
     WHERE s.tenant_id = given.tenant_id AND s.client_id = given.client_id AND s.secret_id = given.secret_id";

/// A secret that a file declares stays, even if another interface ended it. Otherwise the file would create
/// it again. The highest number of a client always stays, so that no number is given twice.
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
    /// A commit that changes a secret while this deletes it is stale. It also deletes API keys that have
    /// ended, expired answers, keys of the digests of deleted tenants, and old rows of the log of changes.
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
