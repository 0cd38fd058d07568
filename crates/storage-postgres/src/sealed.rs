//! All that is sealed by the platform's key and may be sealed anew: private keys, and values of the installation by their names. It is
//! walked across tenants, for whoever changes the sealing key.

use administration::SealedPlace;
use administration::rows::seconds;
use protocol::Timestamp;
use sqlx::FromRow;
use tenancy::StoreError;

use crate::PostgresDatabase;
use crate::column::{parse, tenant_id};
use crate::error::store_error;
use crate::signing_key_row::key_id;

const FIND: &str = "SELECT sealed FROM sealed_values WHERE name = $1";

const PUT: &str = "
    INSERT INTO sealed_values (name, sealed, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING";

/// Keys that were destroyed hold nothing.
const HOLDS: &str = "
    SELECT EXISTS (SELECT 1 FROM sealed_values)
        OR EXISTS (SELECT 1 FROM signing_keys WHERE sealed_private_key <> '')
        OR EXISTS (SELECT 1 FROM idempotent_answers)
        OR EXISTS (SELECT 1 FROM generations WHERE sealed_sources IS NOT NULL)";

const KEYS: &str = "
    SELECT tenant_id, number, algorithm, sealed_private_key FROM signing_keys
     WHERE (tenant_id, number) > ($1, $2) AND sealed_private_key <> ''
     ORDER BY tenant_id, number LIMIT $3";

const VALUES: &str = "
    SELECT name, sealed FROM sealed_values WHERE name > $1 ORDER BY name LIMIT $2";

const REPLACE_KEY: &str = "
    UPDATE signing_keys SET sealed_private_key = $5
     WHERE tenant_id = $1 AND number = $2 AND algorithm = $3 AND sealed_private_key = $4";

const REPLACE_VALUE: &str = "UPDATE sealed_values SET sealed = $3 WHERE name = $1 AND sealed = $2";

/// By the server's clock: nobody but the log's own clean-up asks when.
const LOG: &str = "
    INSERT INTO change_log (kind, tenant_id, changed_at) VALUES ('keys', $1, EXTRACT(EPOCH FROM now())::bigint)";

#[derive(FromRow)]
struct SealedKeyRow {
    tenant_id: String,
    number: i64,
    algorithm: String,
    sealed_private_key: Vec<u8>,
}

pub(crate) async fn find(database: &PostgresDatabase, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let rows: Vec<(Vec<u8>,)> = database.oversee(sqlx::query_as(FIND).bind(name)).await?;
    Ok(rows.into_iter().next().map(|(sealed,)| sealed))
}

pub(crate) async fn put_if_absent(
    database: &PostgresDatabase,
    name: &str,
    sealed: &[u8],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut work = database.begin().await.map_err(store_error)?;
    let query = sqlx::query(PUT).bind(name).bind(sealed).bind(seconds(now));
    let put = work.execute(query).await.map_err(store_error)?;
    work.commit().await.map_err(store_error)?;
    Ok(put > 0)
}

pub(crate) async fn holds_any(database: &PostgresDatabase) -> Result<bool, StoreError> {
    database.one(sqlx::query_as(HOLDS)).await
}

/// Keys first, then values.
pub(crate) async fn list(
    database: &PostgresDatabase,
    after: Option<&SealedPlace>,
    limit: u32,
) -> Result<Vec<(SealedPlace, Vec<u8>)>, StoreError> {
    let (mut page, after_name) = match after {
        None => (keys_after(database, ("", 0), limit).await?, ""),
        Some(SealedPlace::SigningKey { tenant, id, .. }) => {
            (keys_after(database, (tenant.as_str(), i64::from(id.number())), limit).await?, "")
        }
        Some(SealedPlace::Named(name)) => (Vec::new(), name.as_str()),
    };
    let left = i64::from(limit).saturating_sub_unsigned(page.len() as u64);
    if left > 0 {
        let query = sqlx::query_as(VALUES).bind(after_name).bind(left);
        let rows: Vec<(String, Vec<u8>)> = database.oversee(query).await?;
        page.extend(rows.into_iter().map(|(name, sealed)| (SealedPlace::Named(name), sealed)));
    }
    Ok(page)
}

/// Caches hold a key as it is sealed, and are told. Where nothing was sealed nothing will be: such a key was destroyed.
pub(crate) async fn replace(
    database: &PostgresDatabase,
    place: &SealedPlace,
    old: &[u8],
    new: &[u8],
) -> Result<bool, StoreError> {
    if old.is_empty() {
        return Ok(false);
    }
    let replaced = async {
        let mut work = database.begin().await?;
        let replaced = match place {
            SealedPlace::SigningKey { tenant, id, algorithm } => {
                let query = sqlx::query(REPLACE_KEY)
                    .bind(tenant.as_str())
                    .bind(i64::from(id.number()))
                    .bind(algorithm.as_str())
                    .bind(old)
                    .bind(new);
                let replaced = work.execute(query).await? > 0;
                if replaced {
                    work.execute(sqlx::query(LOG).bind(tenant.as_str())).await?;
                }
                replaced
            }
            SealedPlace::Named(name) => {
                let query = sqlx::query(REPLACE_VALUE).bind(name).bind(old).bind(new);
                work.execute(query).await? > 0
            }
        };
        work.commit().await?;
        Ok(replaced)
    };
    replaced.await.map_err(store_error)
}

async fn keys_after(
    database: &PostgresDatabase,
    (tenant, number): (&str, i64),
    limit: u32,
) -> Result<Vec<(SealedPlace, Vec<u8>)>, StoreError> {
    let query = sqlx::query_as(KEYS).bind(tenant).bind(number).bind(i64::from(limit));
    let rows: Vec<SealedKeyRow> = database.oversee(query).await?;
    rows.into_iter().map(SealedKeyRow::place).collect()
}

impl SealedKeyRow {
    fn place(self) -> Result<(SealedPlace, Vec<u8>), StoreError> {
        let place = SealedPlace::SigningKey {
            tenant: tenant_id(&self.tenant_id)?,
            id: key_id(self.number)?,
            algorithm: parse("algorithm", &self.algorithm)?,
        };
        Ok((place, self.sealed_private_key))
    }
}
