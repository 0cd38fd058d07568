//! All that is sealed and can be sealed anew, kind by kind: private keys, named values, sources of generations, answers to idempotency
//! keys. What was sealed meanwhile by another process is never overwritten.

use administration::rows::{SealedAfter, seconds};
use administration::{SealedItems, SealedPlace};
use async_trait::async_trait;
use protocol::Timestamp;
use tenancy::StoreError;

use crate::column::{fingerprint, key_id, parse, tenant_id, unreadable};
use crate::sqlite::SqliteDatabase;
use crate::sqlite::error::store_error;

/// Across tenants on purpose: a sealing key is the platform's.
pub(crate) const KEYS: &str = "
    SELECT tenant_id, number, algorithm, sealed_private_key
      FROM signing_keys
     WHERE (tenant_id, number) > (?1, ?2) AND sealed_private_key <> x''
     ORDER BY tenant_id, number LIMIT ?3";

pub(crate) const NAMED: &str = "
    SELECT name, sealed FROM sealed_values WHERE name > ?1 ORDER BY name LIMIT ?2";

/// One at a time: there are few of them, and they may be large.
pub(crate) const SOURCES: &str = "
    SELECT number, content, sealed_sources FROM generations
     WHERE number > ?1 AND sealed_sources IS NOT NULL
     ORDER BY number LIMIT 1";

/// Across tenants on purpose, as above.
pub(crate) const ANSWERS: &str = "
    SELECT tenant_id, key, sealed FROM idempotent_answers
     WHERE (tenant_id, key) > (?1, ?2) AND expires_at > ?4
     ORDER BY tenant_id, key LIMIT ?3";

const REPLACE_KEY: &str = "
    UPDATE signing_keys SET sealed_private_key = ?5
     WHERE tenant_id = ?1 AND number = ?2 AND algorithm = ?3 AND sealed_private_key = ?4";

const REPLACE_NAMED: &str = "UPDATE sealed_values SET sealed = ?3 WHERE name = ?1 AND sealed = ?2";

const REPLACE_SOURCES: &str = "
    UPDATE generations SET sealed_sources = ?3 WHERE number = ?1 AND sealed_sources = ?2";

const REPLACE_ANSWER: &str = "
    UPDATE idempotent_answers SET sealed = ?4 WHERE tenant_id = ?1 AND key = ?2 AND sealed = ?3";

/// By the clock of SQLite, which decides only when the line is removed.
const LOG: &str = "INSERT INTO change_log (kind, tenant_id, changed_at) VALUES ('keys', ?1, unixepoch())";

const FIND_SEALED: &str = "SELECT sealed FROM sealed_values WHERE name = ?1";

const PUT_SEALED: &str = "
    INSERT INTO sealed_values (name, sealed, created_at) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO NOTHING";

const HOLDS_SEALED: &str = "
    SELECT EXISTS (SELECT 1 FROM sealed_values)
        OR EXISTS (SELECT 1 FROM signing_keys WHERE sealed_private_key <> x'')
        OR EXISTS (SELECT 1 FROM idempotent_answers)
        OR EXISTS (SELECT 1 FROM generations WHERE sealed_sources IS NOT NULL)";

type Sealed = (SealedPlace, Vec<u8>);

#[async_trait]
impl SealedItems for SqliteDatabase {
    async fn list_sealed(
        &self,
        after: Option<&SealedPlace>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Sealed>, StoreError> {
        let SealedAfter { key, name, generation, answer } = after.into();
        let mut page = Vec::new();
        if let Some(after) = key {
            page = self.sealed_keys(after, limit).await?;
        }
        if let Some(after) = name.filter(|_| page.is_empty()) {
            page = self.sealed_values(after, limit).await?;
        }
        if let Some(after) = generation.filter(|_| page.is_empty()) {
            page = self.sealed_sources(after).await?;
        }
        if let Some(after) = answer.filter(|_| page.is_empty()) {
            page = self.sealed_answers(after, limit, now).await?;
        }
        Ok(page)
    }

    /// No bytes are those of a destroyed key, which stays destroyed.
    async fn replace_sealed(&self, place: &SealedPlace, old: &[u8], new: &[u8]) -> Result<bool, StoreError> {
        if old.is_empty() {
            return Ok(false);
        }
        let (query, owner) = match place {
            SealedPlace::SigningKey { tenant, id, algorithm } => {
                let of_key = sqlx::query(REPLACE_KEY).bind(tenant.as_str()).bind(id.number());
                (of_key.bind(algorithm.as_str()), Some(tenant))
            }
            SealedPlace::Named(name) => (sqlx::query(REPLACE_NAMED).bind(name), None),
            SealedPlace::Sources { generation, .. } => {
                (sqlx::query(REPLACE_SOURCES).bind(row_number(*generation)), None)
            }
            SealedPlace::IdempotentAnswer { tenant, key } => {
                (sqlx::query(REPLACE_ANSWER).bind(tenant.as_str()).bind(key.as_slice()), None)
            }
        };
        let mut transaction = self.begin().await.map_err(store_error)?;
        let query = query.bind(old).bind(new);
        let replaced = query.execute(self.counted(&mut *transaction)).await.map_err(store_error)?;
        if let Some(tenant) = owner.filter(|_| replaced.rows_affected() > 0) {
            // Caches hold the old bytes, which nobody may be able to read soon.
            let query = sqlx::query(LOG).bind(tenant.as_str());
            query.execute(self.counted(&mut *transaction)).await.map_err(store_error)?;
        }
        transaction.commit().await.map_err(store_error)?;
        Ok(replaced.rows_affected() > 0)
    }

    async fn find_sealed(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let query = sqlx::query_scalar(FIND_SEALED).bind(name);
        query.fetch_optional(self.read()).await.map_err(store_error)
    }

    async fn put_sealed_if_absent(
        &self,
        name: &str,
        sealed: &[u8],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await.map_err(store_error)?;
        let put = sqlx::query(PUT_SEALED)
            .bind(name)
            .bind(sealed)
            .bind(seconds(now))
            .execute(self.counted(&mut *transaction))
            .await
            .map_err(store_error)?;
        transaction.commit().await.map_err(store_error)?;
        Ok(put.rows_affected() > 0)
    }

    async fn holds_sealed_rows(&self) -> Result<bool, StoreError> {
        sqlx::query_scalar(HOLDS_SEALED).fetch_one(self.read()).await.map_err(store_error)
    }
}

impl SqliteDatabase {
    async fn sealed_keys(
        &self,
        (tenant, number): (&str, u32),
        limit: u32,
    ) -> Result<Vec<Sealed>, StoreError> {
        let query = sqlx::query_as(KEYS).bind(tenant).bind(number).bind(limit);
        let rows: Vec<(String, i64, String, Vec<u8>)> =
            query.fetch_all(self.read()).await.map_err(store_error)?;
        let of_row = |(tenant, number, algorithm, sealed): (String, _, String, _)| {
            let algorithm = parse("algorithm", &algorithm)?;
            let place =
                SealedPlace::SigningKey { tenant: tenant_id(&tenant)?, id: key_id(number)?, algorithm };
            Ok((place, sealed))
        };
        rows.into_iter().map(of_row).collect()
    }

    async fn sealed_values(&self, name: &str, limit: u32) -> Result<Vec<Sealed>, StoreError> {
        let query = sqlx::query_as(NAMED).bind(name).bind(limit);
        let rows: Vec<(String, Vec<u8>)> = query.fetch_all(self.read()).await.map_err(store_error)?;
        Ok(rows.into_iter().map(|(name, sealed)| (SealedPlace::Named(name), sealed)).collect())
    }

    async fn sealed_sources(&self, generation: u64) -> Result<Vec<Sealed>, StoreError> {
        let query = sqlx::query_as(SOURCES).bind(row_number(generation));
        let rows: Vec<(i64, Vec<u8>, Vec<u8>)> = query.fetch_all(self.read()).await.map_err(store_error)?;
        let of_row = |(number, content, sealed): (i64, Vec<u8>, _)| {
            let (generation, content) = (number.unsigned_abs(), fingerprint(&content)?);
            Ok((SealedPlace::Sources { generation, content }, sealed))
        };
        rows.into_iter().map(of_row).collect()
    }

    async fn sealed_answers(
        &self,
        (tenant, key): (&str, &[u8]),
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Sealed>, StoreError> {
        let query = sqlx::query_as(ANSWERS).bind(tenant).bind(key).bind(limit).bind(seconds(now));
        let rows: Vec<(String, Vec<u8>, Vec<u8>)> =
            query.fetch_all(self.read()).await.map_err(store_error)?;
        let of_row = |(tenant, key, sealed): (String, Vec<u8>, _)| {
            let key = key.try_into().map_err(|_| unreadable("key", "not 32 bytes"))?;
            Ok((SealedPlace::IdempotentAnswer { tenant: tenant_id(&tenant)?, key }, sealed))
        };
        rows.into_iter().map(of_row).collect()
    }
}

fn row_number(generation: u64) -> i64 {
    i64::try_from(generation).unwrap_or(i64::MAX)
}
