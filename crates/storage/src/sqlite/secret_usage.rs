//! From where secrets were used. What several requests saw comes in one batch, and each secret keeps its latest addresses.

use administration::rows::{latest_usage, secret_usage_rows};
use administration::{KEPT_ADDRESSES, SecretUsage};
use registry::{ClientId, SecretId};
use tenancy::{StoreError, TenantId};

use crate::sqlite::SqliteDatabase;
use crate::sqlite::column::timestamp;
use crate::sqlite::error::store_error;

pub(crate) const SELECT: &str = "
    SELECT secret_id, address, last_used_at
      FROM secret_uses
     WHERE tenant_id = ?1 AND client_id = ?2
     ORDER BY secret_id, last_used_at DESC, address";

/// Joined, so that a secret that is gone is passed over; `TRUE` tells the join from a conflict clause.
const RECORD: &str = "
    INSERT INTO secret_uses (tenant_id, client_id, secret_id, address, last_used_at)
    SELECT s.tenant_id, s.client_id, s.secret_id, value ->> 'address', value ->> 'last_used_at'
      FROM json_each(?1) CROSS JOIN client_secrets s
        ON s.tenant_id = value ->> 'tenant_id' AND s.client_id = value ->> 'client_id'
       AND s.secret_id = value ->> 'secret_id'
     WHERE TRUE
        ON CONFLICT DO UPDATE SET last_used_at = MAX(last_used_at, excluded.last_used_at)";

const PRUNE: &str = "
    DELETE FROM secret_uses
     WHERE (tenant_id, client_id, secret_id, address) IN (
               SELECT tenant_id, client_id, secret_id, address
                 FROM (SELECT u.tenant_id, u.client_id, u.secret_id, u.address,
                              ROW_NUMBER() OVER (PARTITION BY u.tenant_id, u.client_id, u.secret_id
                                                     ORDER BY u.last_used_at DESC, u.address) AS nth
                         FROM (SELECT DISTINCT value ->> 'tenant_id' AS tenant_id, value ->> 'client_id' AS client_id,
                                      value ->> 'secret_id' AS secret_id FROM json_each(?1)) given
                        CROSS JOIN secret_uses u USING (tenant_id, client_id, secret_id))
                WHERE nth > ?2)";

impl SqliteDatabase {
    pub(crate) async fn usage_of(
        &self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<Vec<SecretUsage>, StoreError> {
        let rows: Vec<(String, String, i64)> = sqlx::query_as(SELECT)
            .bind(tenant.as_str())
            .bind(client.as_str())
            .fetch_all(self.read())
            .await
            .map_err(store_error)?;
        let of_row = |(secret, address, at): (String, String, i64)| SecretUsage {
            tenant: tenant.clone(),
            client: client.clone(),
            secret: SecretId::new(&secret),
            address,
            at: timestamp(at),
        };
        Ok(rows.into_iter().map(of_row).collect())
    }

    pub(crate) async fn record_usage(&self, usage: &[SecretUsage]) -> Result<(), StoreError> {
        if usage.is_empty() {
            return Ok(());
        }
        let usage = latest_usage(usage, KEPT_ADDRESSES);
        let rows = serde_json::to_string(&secret_usage_rows(&usage)).map_err(StoreError::fault)?;
        let mut transaction = self.begin().await.map_err(store_error)?;
        sqlx::query(RECORD)
            .bind(&rows)
            .execute(self.counted(&mut *transaction))
            .await
            .map_err(store_error)?;
        sqlx::query(PRUNE)
            .bind(&rows)
            .bind(i64::try_from(KEPT_ADDRESSES).unwrap_or(i64::MAX))
            .execute(self.counted(&mut *transaction))
            .await
            .map_err(store_error)?;
        transaction.commit().await.map_err(store_error)
    }
}
