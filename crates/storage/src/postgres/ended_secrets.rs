//! Deletes client secrets that ended long ago.

use administration::rows::seconds;
use administration::{ENDED_SECRETS_STAY, EndedSecrets, KEPT_ENDED_SECRETS};
use async_trait::async_trait;
use protocol::Timestamp;
use tenancy::StoreError;

use crate::postgres::PostgresDatabase;
use crate::postgres::commit::LOCK;
use crate::postgres::error::store_error;

/// A secret that a file declares stays, also when another interface ended it: the file would else create it again. The highest number
/// of a client always stays, so that no number is given twice.
const PRUNE: &str = "
    DELETE FROM client_secrets
     WHERE (tenant_id, client_id, secret_id) IN (
               SELECT tenant_id, client_id, secret_id
                 FROM (SELECT tenant_id, client_id, secret_id, LEAST(revoked_at, expires_at) AS ended_at,
                              row_number() OVER (PARTITION BY tenant_id, client_id
                                                 ORDER BY length(secret_id) DESC, secret_id DESC) AS nth
                         FROM client_secrets
                        WHERE (revoked_at <= $1 OR expires_at <= $1)
                          AND (managed_by = 'api' OR revoked_by = 'config')) AS ended
                WHERE ended_at <= $2 AND nth > $3
                LIMIT $4)";

#[async_trait]
impl EndedSecrets for PostgresDatabase {
    /// Runs between two commits: no commit changes a secret while this deletes it.
    async fn prune_ended_secrets(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let written = async {
            let mut transaction = self.begin().await?;
            transaction.execute(sqlx::query(LOCK)).await?;
            let query = sqlx::query(PRUNE)
                .bind(seconds(now))
                .bind(seconds(now.saturating_sub(ENDED_SECRETS_STAY)))
                .bind(i64::from(KEPT_ENDED_SECRETS))
                .bind(i64::from(limit));
            let pruned = transaction.execute(query).await?;
            transaction.commit().await?;
            Ok(pruned)
        };
        written.await.map_err(store_error)
    }
}
