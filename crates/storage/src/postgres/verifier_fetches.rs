//! Which verifiers fetch a tenant's keys. As with the uses of secrets: read in the tenant, written across tenants, because a batch holds
//! the sightings of many.

use administration::rows::{merged_fetches, places_kept_since, seconds, verifier_fetch_rows};
use administration::{KEPT_VERIFIERS, VerifierFetch};
use sqlx::FromRow;
use tenancy::{StoreError, TenantId};

use crate::postgres::PostgresDatabase;
use crate::postgres::column::{tenant_id, timestamp};
use crate::postgres::commit::LOCK;
use crate::postgres::error::store_error;
use crate::postgres::read::in_tenant;
use crate::postgres::signing_key_row::key_id;

const SELECT: &str = in_tenant!(
    "SELECT s.* FROM key_sightings s
      WHERE s.tenant_id = entered.tenant_id
      ORDER BY s.last_fetch_at DESC, s.verifier"
);

/// A tenant that is gone is passed over, and nothing becomes older than it is. Newcomers are taken as long as those leave room who keep
/// their places; if none has come, nobody counts.
const RECORD: &str = "
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
const FORGET: &str = "
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

#[derive(FromRow)]
struct FetchRow {
    tenant_id: String,
    verifier: String,
    last_fetch_at: i64,
    newest_key: i64,
}

pub(crate) async fn of_tenant(
    database: &PostgresDatabase,
    tenant: &TenantId,
) -> Result<Vec<VerifierFetch>, StoreError> {
    let rows: Vec<FetchRow> = database.query_in_tenant(sqlx::query_as(SELECT).bind(tenant.as_str())).await?;
    rows.into_iter().map(VerifierFetch::try_from).collect()
}

/// Between two commits: none deletes a tenant while a sighting of its keys is written.
pub(crate) async fn record(database: &PostgresDatabase, fetches: &[VerifierFetch]) -> Result<(), StoreError> {
    if fetches.is_empty() {
        return Ok(());
    }
    let merged = merged_fetches(fetches);
    let rows = serde_json::to_string(&verifier_fetch_rows(&merged)).map_err(StoreError::fault)?;
    let since = seconds(places_kept_since(fetches));
    let kept = i64::try_from(KEPT_VERIFIERS).unwrap_or(i64::MAX);
    let written = async {
        let mut transaction = database.begin().await?;
        transaction.execute(sqlx::query(LOCK)).await?;
        transaction.execute(sqlx::query(RECORD).bind(&rows).bind(since).bind(kept)).await?;
        transaction.execute(sqlx::query(FORGET).bind(&rows).bind(kept)).await?;
        transaction.commit().await
    };
    written.await.map_err(store_error)
}

impl TryFrom<FetchRow> for VerifierFetch {
    type Error = StoreError;

    fn try_from(row: FetchRow) -> Result<Self, Self::Error> {
        Ok(Self {
            tenant: tenant_id(&row.tenant_id)?,
            verifier: row.verifier,
            last_fetch_at: timestamp(row.last_fetch_at),
            newest_key: key_id(row.newest_key)?,
        })
    }
}
