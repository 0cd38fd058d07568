//! Where secrets were used from, and which verifiers fetched keys. Requests collect what they saw, and one batch writes it. Each secret
//! keeps its latest addresses, each tenant a limited number of verifiers.

use administration::rows::{
    latest_usage, merged_fetches, places_kept_since, seconds, secret_usage_rows, verifier_fetch_rows,
};
use administration::{KEPT_ADDRESSES, KEPT_VERIFIERS, SecretUsage, UsageLog, VerifierFetch};
use async_trait::async_trait;
use registry::ClientId;
use tenancy::{StoreError, TenantId};

use crate::rows::{FetchRow, UsageRow};
use crate::sqlite::SqliteDatabase;
use crate::sqlite::error::store_error;

pub(crate) const SELECT_USES: &str = "
    SELECT tenant_id, client_id, secret_id, address, last_used_at
      FROM secret_uses
     WHERE tenant_id = ?1 AND client_id = ?2
     ORDER BY secret_id, last_used_at DESC, address";

/// Joined, so that a secret that is gone is passed over; `TRUE` tells the join from a conflict clause.
const RECORD_USES: &str = "
    INSERT INTO secret_uses (tenant_id, client_id, secret_id, address, last_used_at)
    SELECT s.tenant_id, s.client_id, s.secret_id, value ->> 'address', value ->> 'last_used_at'
      FROM json_each(?1) CROSS JOIN client_secrets s
        ON s.tenant_id = value ->> 'tenant_id' AND s.client_id = value ->> 'client_id'
       AND s.secret_id = value ->> 'secret_id'
     WHERE TRUE
        ON CONFLICT DO UPDATE SET last_used_at = MAX(last_used_at, excluded.last_used_at)";

const PRUNE_USES: &str = "
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

pub(crate) const SELECT_FETCHES: &str = "
    SELECT tenant_id, verifier, last_fetch_at, newest_key
      FROM key_sightings
     WHERE tenant_id = ?1
     ORDER BY last_fetch_at DESC, verifier";

/// Joined, so that a tenant that is gone is passed over. Newcomers are taken as long as those leave room who keep their places; if none
/// has come, nobody counts.
const RECORD_FETCHES: &str = "
    WITH given AS MATERIALIZED (
        SELECT t.tenant_id, value ->> 'verifier' AS verifier, value ->> 'last_fetch_at' AS last_fetch_at,
               value ->> 'newest_key' AS newest_key, k.verifier IS NULL AS is_new
          FROM json_each(?1) CROSS JOIN tenants t ON t.tenant_id = value ->> 'tenant_id'
               LEFT JOIN key_sightings k ON k.tenant_id = t.tenant_id AND k.verifier = value ->> 'verifier'
         WHERE t.deleted_at IS NULL),
    placed AS MATERIALIZED (
        SELECT k.tenant_id, COUNT(*) AS number
          FROM (SELECT DISTINCT tenant_id FROM given WHERE is_new) CROSS JOIN key_sightings k USING (tenant_id)
         WHERE k.last_fetch_at > ?2 OR (k.tenant_id, k.verifier) IN (SELECT tenant_id, verifier FROM given)
         GROUP BY k.tenant_id),
    ranked AS (
        SELECT *, ROW_NUMBER() OVER (PARTITION BY tenant_id, is_new ORDER BY last_fetch_at DESC, verifier) AS nth
          FROM given)
    INSERT INTO key_sightings (tenant_id, verifier, last_fetch_at, newest_key)
    SELECT tenant_id, verifier, last_fetch_at, newest_key
      FROM ranked LEFT JOIN placed USING (tenant_id)
     WHERE NOT is_new OR nth + COALESCE(number, 0) <= ?3
        ON CONFLICT DO UPDATE SET last_fetch_at = MAX(last_fetch_at, excluded.last_fetch_at),
                                  newest_key = MAX(newest_key, excluded.newest_key)";

pub(crate) const PRUNE_FETCHES: &str = "
    DELETE FROM key_sightings
     WHERE (tenant_id, verifier) IN (
               SELECT tenant_id, verifier
                 FROM (SELECT s.tenant_id, s.verifier,
                              ROW_NUMBER() OVER (PARTITION BY s.tenant_id
                                                     ORDER BY s.last_fetch_at DESC, s.verifier) AS nth
                         FROM (SELECT DISTINCT value ->> 'tenant_id' AS tenant_id FROM json_each(?1)) given
                        CROSS JOIN key_sightings s USING (tenant_id))
                WHERE nth > ?2)";

#[async_trait]
impl UsageLog for SqliteDatabase {
    async fn secret_usage(
        &self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<Vec<SecretUsage>, StoreError> {
        let rows: Vec<UsageRow> = sqlx::query_as(SELECT_USES)
            .bind(tenant.as_str())
            .bind(client.as_str())
            .fetch_all(self.read())
            .await
            .map_err(store_error)?;
        rows.into_iter().map(SecretUsage::try_from).collect()
    }

    async fn record_secret_usage(&self, usage: &[SecretUsage]) -> Result<(), StoreError> {
        if usage.is_empty() {
            return Ok(());
        }
        let usage = latest_usage(usage, KEPT_ADDRESSES);
        let rows = serde_json::to_string(&secret_usage_rows(&usage)).map_err(StoreError::fault)?;
        let mut transaction = self.begin().await.map_err(store_error)?;
        sqlx::query(RECORD_USES)
            .bind(&rows)
            .execute(self.counted(&mut *transaction))
            .await
            .map_err(store_error)?;
        sqlx::query(PRUNE_USES)
            .bind(&rows)
            .bind(i64::try_from(KEPT_ADDRESSES).unwrap_or(i64::MAX))
            .execute(self.counted(&mut *transaction))
            .await
            .map_err(store_error)?;
        transaction.commit().await.map_err(store_error)
    }

    async fn verifier_fetches(&self, tenant: &TenantId) -> Result<Vec<VerifierFetch>, StoreError> {
        let query = sqlx::query_as(SELECT_FETCHES).bind(tenant.as_str());
        let rows: Vec<FetchRow> = query.fetch_all(self.read()).await.map_err(store_error)?;
        rows.into_iter().map(VerifierFetch::try_from).collect()
    }

    async fn record_verifier_fetches(&self, fetches: &[VerifierFetch]) -> Result<(), StoreError> {
        if fetches.is_empty() {
            return Ok(());
        }
        let since = seconds(places_kept_since(fetches));
        let fetches = merged_fetches(fetches);
        let rows = serde_json::to_string(&verifier_fetch_rows(&fetches)).map_err(StoreError::fault)?;
        let mut transaction = self.begin().await.map_err(store_error)?;
        let kept = i64::try_from(KEPT_VERIFIERS).unwrap_or(i64::MAX);
        sqlx::query(RECORD_FETCHES)
            .bind(&rows)
            .bind(since)
            .bind(kept)
            .execute(self.counted(&mut *transaction))
            .await
            .map_err(store_error)?;
        sqlx::query(PRUNE_FETCHES)
            .bind(&rows)
            .bind(kept)
            .execute(self.counted(&mut *transaction))
            .await
            .map_err(store_error)?;
        transaction.commit().await.map_err(store_error)
    }
}
