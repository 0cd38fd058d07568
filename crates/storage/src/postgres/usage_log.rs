//! Where secrets were used from, and which verifiers fetched keys. Both are read in the tenant. They are written as the role that works
//! across tenants, because one batch holds rows of many tenants; so the role under which requests read needs no right to write.

use administration::rows::{
    latest_usage, merged_fetches, places_kept_since, seconds, secret_usage_rows, verifier_fetch_rows,
};
use administration::{KEPT_ADDRESSES, KEPT_VERIFIERS, SecretUsage, UsageLog, VerifierFetch};
use async_trait::async_trait;
use registry::ClientId;
use tenancy::{StoreError, TenantId};

use crate::postgres::PostgresDatabase;
use crate::postgres::commit::LOCK;
use crate::postgres::error::store_error;
use crate::postgres::read::in_tenant;
use crate::rows::{FetchRow, UsageRow};

const SELECT_USES: &str = in_tenant!(
    "SELECT u.* FROM secret_uses u
      WHERE u.tenant_id = entered.tenant_id AND u.client_id = $2
      ORDER BY u.secret_id, u.last_used_at DESC, u.address"
);

/// A secret that is gone is passed over, and nothing becomes older than it is.
const RECORD_USES: &str = "
    INSERT INTO secret_uses AS known (tenant_id, client_id, secret_id, address, last_used_at)
    SELECT tenant_id, client_id, secret_id, address, last_used_at
      FROM json_to_recordset($1::json) AS given (
               tenant_id text, client_id text, secret_id text, address text, last_used_at bigint)
           JOIN client_secrets s USING (tenant_id, client_id, secret_id)
    ON CONFLICT (tenant_id, client_id, secret_id, address) DO UPDATE
       SET last_used_at = GREATEST(known.last_used_at, excluded.last_used_at)";

const FORGET_USES: &str = "
    DELETE FROM secret_uses u
     USING (SELECT tenant_id, client_id, secret_id, address,
                   row_number() OVER (PARTITION BY tenant_id, client_id, secret_id
                                      ORDER BY last_used_at DESC, address) AS place
              FROM secret_uses
             WHERE (tenant_id, client_id, secret_id) IN (
                       SELECT tenant_id, client_id, secret_id
                         FROM json_to_recordset($1::json) AS given (
                                  tenant_id text, client_id text, secret_id text))) AS placed
     WHERE placed.place > $2
       AND u.tenant_id = placed.tenant_id AND u.client_id = placed.client_id
       AND u.secret_id = placed.secret_id AND u.address = placed.address";

const SELECT_FETCHES: &str = in_tenant!(
    "SELECT s.* FROM key_sightings s
      WHERE s.tenant_id = entered.tenant_id
      ORDER BY s.last_fetch_at DESC, s.verifier"
);

/// A tenant that is gone is passed over, and nothing becomes older than it is. Newcomers are taken as long as those leave room who keep
/// their places; if none has come, nobody counts.
const RECORD_FETCHES: &str = "
    WITH given AS MATERIALIZED (
        SELECT tenant_id, verifier, seen.last_fetch_at, seen.newest_key, k.verifier IS NULL AS is_new
          FROM json_to_recordset($1::json) AS seen (
                   tenant_id text, verifier text, last_fetch_at bigint, newest_key bigint)
               JOIN tenants t USING (tenant_id)
               LEFT JOIN key_sightings k USING (tenant_id, verifier)
         WHERE t.deleted_at IS NULL),
    placed AS MATERIALIZED (
        SELECT k.tenant_id, COUNT(*) AS number
          FROM (SELECT DISTINCT tenant_id FROM given WHERE is_new) AS newcomers
               JOIN key_sightings k USING (tenant_id)
         WHERE k.last_fetch_at > $2 OR (k.tenant_id, k.verifier) IN (SELECT tenant_id, verifier FROM given)
         GROUP BY k.tenant_id),
    ranked AS (
        SELECT *, row_number() OVER (PARTITION BY tenant_id, is_new
                                     ORDER BY last_fetch_at DESC, verifier COLLATE \"C\") AS nth
          FROM given)
    INSERT INTO key_sightings AS known (tenant_id, verifier, last_fetch_at, newest_key)
    SELECT tenant_id, verifier, last_fetch_at, newest_key
      FROM ranked LEFT JOIN placed USING (tenant_id)
     WHERE NOT is_new OR nth + COALESCE(number, 0) <= $3
    ON CONFLICT (tenant_id, verifier) DO UPDATE
       SET last_fetch_at = GREATEST(known.last_fetch_at, excluded.last_fetch_at),
           newest_key = GREATEST(known.newest_key, excluded.newest_key)";

/// Where there are too many: nearly always all verifiers of a tenant are known, and counting them costs less than sorting them.
const FORGET_FETCHES: &str = "
    DELETE FROM key_sightings s
     USING (SELECT tenant_id, verifier,
                   row_number() OVER (PARTITION BY tenant_id ORDER BY last_fetch_at DESC, verifier) AS place
              FROM key_sightings
             WHERE tenant_id IN (
                       SELECT given.tenant_id
                         FROM (SELECT DISTINCT tenant_id
                                 FROM json_to_recordset($1::json) AS seen (tenant_id text)) AS given
                        WHERE (SELECT COUNT(*) FROM key_sightings k WHERE k.tenant_id = given.tenant_id) > $2)) AS placed
     WHERE placed.place > $2 AND s.tenant_id = placed.tenant_id AND s.verifier = placed.verifier";

#[async_trait]
impl UsageLog for PostgresDatabase {
    async fn secret_usage(
        &self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<Vec<SecretUsage>, StoreError> {
        let query = sqlx::query_as(SELECT_USES).bind(tenant.as_str()).bind(client.as_str());
        let rows: Vec<UsageRow> = self.query_in_tenant(query).await?;
        rows.into_iter().map(SecretUsage::try_from).collect()
    }

    /// Between two commits: none destroys a secret while a use of it is written.
    async fn record_secret_usage(&self, usage: &[SecretUsage]) -> Result<(), StoreError> {
        if usage.is_empty() {
            return Ok(());
        }
        let usage = latest_usage(usage, KEPT_ADDRESSES);
        let rows = serde_json::to_string(&secret_usage_rows(&usage)).map_err(StoreError::fault)?;
        let kept = i64::try_from(KEPT_ADDRESSES).unwrap_or(i64::MAX);
        let written = async {
            let mut transaction = self.begin().await?;
            transaction.execute(sqlx::query(LOCK)).await?;
            transaction.execute(sqlx::query(RECORD_USES).bind(&rows)).await?;
            transaction.execute(sqlx::query(FORGET_USES).bind(&rows).bind(kept)).await?;
            transaction.commit().await
        };
        written.await.map_err(store_error)
    }

    async fn verifier_fetches(&self, tenant: &TenantId) -> Result<Vec<VerifierFetch>, StoreError> {
        let rows: Vec<FetchRow> =
            self.query_in_tenant(sqlx::query_as(SELECT_FETCHES).bind(tenant.as_str())).await?;
        rows.into_iter().map(VerifierFetch::try_from).collect()
    }

    /// Between two commits: none deletes a tenant while a fetch of its keys is recorded.
    async fn record_verifier_fetches(&self, fetches: &[VerifierFetch]) -> Result<(), StoreError> {
        if fetches.is_empty() {
            return Ok(());
        }
        let merged = merged_fetches(fetches);
        let rows = serde_json::to_string(&verifier_fetch_rows(&merged)).map_err(StoreError::fault)?;
        let since = seconds(places_kept_since(fetches));
        let kept = i64::try_from(KEPT_VERIFIERS).unwrap_or(i64::MAX);
        let written = async {
            let mut transaction = self.begin().await?;
            transaction.execute(sqlx::query(LOCK)).await?;
            transaction.execute(sqlx::query(RECORD_FETCHES).bind(&rows).bind(since).bind(kept)).await?;
            transaction.execute(sqlx::query(FORGET_FETCHES).bind(&rows).bind(kept)).await?;
            transaction.commit().await
        };
        written.await.map_err(store_error)
    }
}
