//! Which verifiers fetched a tenant's keys. What several requests saw comes in one batch, and each tenant keeps so many.

use administration::rows::{merged_fetches, places_kept_since, seconds, verifier_fetch_rows};
use administration::{KEPT_VERIFIERS, VerifierFetch};
use tenancy::{StoreError, TenantId};

use crate::sqlite::SqliteDatabase;
use crate::sqlite::column::timestamp;
use crate::sqlite::error::store_error;
use crate::sqlite::signing_key_row::key_id;

pub(crate) const SELECT: &str = "
    SELECT verifier, last_fetch_at, newest_key
      FROM key_sightings
     WHERE tenant_id = ?1
     ORDER BY last_fetch_at DESC, verifier";

/// Joined, so that a tenant that is gone is passed over. Newcomers are taken as long as those leave room who keep their places; if none
/// has come, nobody counts.
const RECORD: &str = "
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

pub(crate) const PRUNE: &str = "
    DELETE FROM key_sightings
     WHERE (tenant_id, verifier) IN (
               SELECT tenant_id, verifier
                 FROM (SELECT s.tenant_id, s.verifier,
                              ROW_NUMBER() OVER (PARTITION BY s.tenant_id
                                                     ORDER BY s.last_fetch_at DESC, s.verifier) AS nth
                         FROM (SELECT DISTINCT value ->> 'tenant_id' AS tenant_id FROM json_each(?1)) given
                        CROSS JOIN key_sightings s USING (tenant_id))
                WHERE nth > ?2)";

impl SqliteDatabase {
    pub(crate) async fn fetches_of(&self, tenant: &TenantId) -> Result<Vec<VerifierFetch>, StoreError> {
        let query = sqlx::query_as(SELECT).bind(tenant.as_str());
        let rows: Vec<(String, i64, i64)> = query.fetch_all(self.read()).await.map_err(store_error)?;
        let of_row = |(verifier, last_fetch_at, newest_key): (String, i64, i64)| {
            Ok(VerifierFetch {
                tenant: tenant.clone(),
                verifier,
                last_fetch_at: timestamp(last_fetch_at),
                newest_key: key_id(newest_key)?,
            })
        };
        rows.into_iter().map(of_row).collect()
    }

    pub(crate) async fn record_fetches(&self, fetches: &[VerifierFetch]) -> Result<(), StoreError> {
        if fetches.is_empty() {
            return Ok(());
        }
        let since = seconds(places_kept_since(fetches));
        let fetches = merged_fetches(fetches);
        let rows = serde_json::to_string(&verifier_fetch_rows(&fetches)).map_err(StoreError::fault)?;
        let mut transaction = self.begin().await.map_err(store_error)?;
        let kept = i64::try_from(KEPT_VERIFIERS).unwrap_or(i64::MAX);
        sqlx::query(RECORD)
            .bind(&rows)
            .bind(since)
            .bind(kept)
            .execute(self.counted(&mut *transaction))
            .await
            .map_err(store_error)?;
        sqlx::query(PRUNE)
            .bind(&rows)
            .bind(kept)
            .execute(self.counted(&mut *transaction))
            .await
            .map_err(store_error)?;
        transaction.commit().await.map_err(store_error)
    }
}
