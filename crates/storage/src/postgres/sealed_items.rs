//! All that is sealed by the platform's key and may be sealed anew, kind by kind: private keys, values of the installation, sources of
//! generations, answers to idempotency keys. It is read across tenants, for a change of the sealing key.

use administration::rows::{SealedAfter, seconds};
use administration::{SealedItems, SealedPlace};
use async_trait::async_trait;
use protocol::Timestamp;
use tenancy::StoreError;

use crate::column::{bytes32, fingerprint, key_id, parse, tenant_id};
use crate::postgres::PostgresDatabase;
use crate::postgres::error::store_error;

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

/// One at a time: there are few of them, and they may be large.
const SOURCES: &str = "
    SELECT number, content, sealed_sources FROM generations
     WHERE number > $1 AND sealed_sources IS NOT NULL
     ORDER BY number LIMIT 1";

const ANSWERS: &str = "
    SELECT tenant_id, key, sealed FROM idempotent_answers
     WHERE (tenant_id, key) > ($1, $2) AND expires_at > $4
     ORDER BY tenant_id, key LIMIT $3";

const REPLACE_KEY: &str = "
    UPDATE signing_keys SET sealed_private_key = $5
     WHERE tenant_id = $1 AND number = $2 AND algorithm = $3 AND sealed_private_key = $4";

const REPLACE_VALUE: &str = "UPDATE sealed_values SET sealed = $3 WHERE name = $1 AND sealed = $2";

const REPLACE_SOURCES: &str = "
    UPDATE generations SET sealed_sources = $3 WHERE number = $1 AND sealed_sources = $2";

const REPLACE_ANSWER: &str = "
    UPDATE idempotent_answers SET sealed = $4 WHERE tenant_id = $1 AND key = $2 AND sealed = $3";

/// By the server's clock: nobody but the log's own clean-up asks when.
const LOG: &str = "
    INSERT INTO change_log (kind, tenant_id, changed_at) VALUES ('keys', $1, EXTRACT(EPOCH FROM now())::bigint)";

type Sealed = (SealedPlace, Vec<u8>);

#[async_trait]
impl SealedItems for PostgresDatabase {
    async fn list_sealed(
        &self,
        after: Option<&SealedPlace>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Sealed>, StoreError> {
        let SealedAfter { key, name, generation, answer } = after.into();
        let mut page = Vec::new();
        if let Some(after) = key {
            page = keys_after(self, after, limit).await?;
        }
        if let Some(after) = name.filter(|_| page.is_empty()) {
            page = values_after(self, after, limit).await?;
        }
        if let Some(after) = generation.filter(|_| page.is_empty()) {
            page = sources_after(self, after).await?;
        }
        if let Some(after) = answer.filter(|_| page.is_empty()) {
            page = answers_after(self, after, limit, now).await?;
        }
        Ok(page)
    }

    /// Caches hold a key as it is sealed, and are told. Where nothing was sealed nothing will be: such a key was destroyed.
    async fn replace_sealed(&self, place: &SealedPlace, old: &[u8], new: &[u8]) -> Result<bool, StoreError> {
        if old.is_empty() {
            return Ok(false);
        }
        let (query, owner) = match place {
            SealedPlace::SigningKey { tenant, id, algorithm } => {
                let of_key = sqlx::query(REPLACE_KEY).bind(tenant.as_str()).bind(i64::from(id.number()));
                (of_key.bind(algorithm.as_str()), Some(tenant))
            }
            SealedPlace::Named(name) => (sqlx::query(REPLACE_VALUE).bind(name), None),
            SealedPlace::Sources { generation, .. } => {
                (sqlx::query(REPLACE_SOURCES).bind(row_number(*generation)), None)
            }
            SealedPlace::IdempotentAnswer { tenant, key } => {
                (sqlx::query(REPLACE_ANSWER).bind(tenant.as_str()).bind(key.as_slice()), None)
            }
        };
        let replaced = async {
            let mut transaction = self.begin().await?;
            let replaced = transaction.execute(query.bind(old).bind(new)).await? > 0;
            if let Some(tenant) = owner.filter(|_| replaced) {
                transaction.execute(sqlx::query(LOG).bind(tenant.as_str())).await?;
            }
            transaction.commit().await?;
            Ok(replaced)
        };
        replaced.await.map_err(store_error)
    }

    async fn find_sealed(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let rows: Vec<(Vec<u8>,)> = self.query_across_tenants(sqlx::query_as(FIND).bind(name)).await?;
        Ok(rows.into_iter().next().map(|(sealed,)| sealed))
    }

    async fn put_sealed_if_absent(
        &self,
        name: &str,
        sealed: &[u8],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await.map_err(store_error)?;
        let query = sqlx::query(PUT).bind(name).bind(sealed).bind(seconds(now));
        let put = transaction.execute(query).await.map_err(store_error)?;
        transaction.commit().await.map_err(store_error)?;
        Ok(put > 0)
    }

    async fn holds_sealed_rows(&self) -> Result<bool, StoreError> {
        self.one(sqlx::query_as(HOLDS)).await
    }
}

async fn keys_after(
    database: &PostgresDatabase,
    (tenant, number): (&str, u32),
    limit: u32,
) -> Result<Vec<Sealed>, StoreError> {
    let query = sqlx::query_as(KEYS).bind(tenant).bind(i64::from(number)).bind(i64::from(limit));
    let rows: Vec<(String, i64, String, Vec<u8>)> = database.query_across_tenants(query).await?;
    let of_row = |(tenant, number, algorithm, sealed): (String, _, String, _)| {
        let algorithm = parse("algorithm", &algorithm)?;
        let place = SealedPlace::SigningKey { tenant: tenant_id(&tenant)?, id: key_id(number)?, algorithm };
        Ok((place, sealed))
    };
    rows.into_iter().map(of_row).collect()
}

async fn values_after(
    database: &PostgresDatabase,
    name: &str,
    limit: u32,
) -> Result<Vec<Sealed>, StoreError> {
    let query = sqlx::query_as(VALUES).bind(name).bind(i64::from(limit));
    let rows: Vec<(String, Vec<u8>)> = database.query_across_tenants(query).await?;
    Ok(rows.into_iter().map(|(name, sealed)| (SealedPlace::Named(name), sealed)).collect())
}

async fn sources_after(database: &PostgresDatabase, generation: u64) -> Result<Vec<Sealed>, StoreError> {
    let query = sqlx::query_as(SOURCES).bind(row_number(generation));
    let rows: Vec<(i64, Vec<u8>, Vec<u8>)> = database.query_across_tenants(query).await?;
    let of_row = |(number, content, sealed): (i64, Vec<u8>, _)| {
        let (generation, content) = (number.unsigned_abs(), fingerprint(&content)?);
        Ok((SealedPlace::Sources { generation, content }, sealed))
    };
    rows.into_iter().map(of_row).collect()
}

async fn answers_after(
    database: &PostgresDatabase,
    (tenant, key): (&str, &[u8]),
    limit: u32,
    now: Timestamp,
) -> Result<Vec<Sealed>, StoreError> {
    let query = sqlx::query_as(ANSWERS).bind(tenant).bind(key).bind(i64::from(limit)).bind(seconds(now));
    let rows: Vec<(String, Vec<u8>, Vec<u8>)> = database.query_across_tenants(query).await?;
    let of_row = |(tenant, key, sealed): (String, Vec<u8>, _)| {
        let (tenant, key) = (tenant_id(&tenant)?, bytes32("key", &key)?);
        Ok((SealedPlace::IdempotentAnswer { tenant, key }, sealed))
    };
    rows.into_iter().map(of_row).collect()
}

fn row_number(generation: u64) -> i64 {
    i64::try_from(generation).unwrap_or(i64::MAX)
}
