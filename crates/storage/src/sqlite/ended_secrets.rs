//! Deletes client secrets that ended long ago.

use administration::rows::seconds;
use administration::{ENDED_SECRETS_STAY, EndedSecrets, KEPT_ENDED_SECRETS};
use async_trait::async_trait;
use protocol::Timestamp;
use tenancy::StoreError;

use crate::sqlite::SqliteDatabase;
use crate::sqlite::error::store_error;

/// A secret that a file declares stays, also when another interface ended it: the file would else create it again. The highest number
/// of a client always stays, so that no number is given twice.
const PRUNE: &str = "
    DELETE FROM client_secrets
     WHERE (tenant_id, client_id, secret_id) IN (
               SELECT tenant_id, client_id, secret_id
                 FROM (SELECT tenant_id, client_id, secret_id,
                              MIN(COALESCE(revoked_at, expires_at), COALESCE(expires_at, revoked_at)) AS ended_at,
                              ROW_NUMBER() OVER (PARTITION BY tenant_id, client_id
                                                     ORDER BY LENGTH(secret_id) DESC, secret_id DESC) AS nth
                         FROM client_secrets
                        WHERE (revoked_at <= ?1 OR expires_at <= ?1)
                          AND (managed_by = 'api' OR revoked_by = 'config'))
                WHERE ended_at <= ?2 AND nth > ?3
                LIMIT ?4)";

#[async_trait]
impl EndedSecrets for SqliteDatabase {
    async fn prune_ended_secrets(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await.map_err(store_error)?;
        let query = sqlx::query(PRUNE)
            .bind(seconds(now))
            .bind(seconds(now.saturating_sub(ENDED_SECRETS_STAY)))
            .bind(KEPT_ENDED_SECRETS)
            .bind(limit);
        let pruned = query.execute(self.counted(&mut *transaction)).await.map_err(store_error)?;
        transaction.commit().await.map_err(store_error)?;
        Ok(pruned.rows_affected())
    }
}
