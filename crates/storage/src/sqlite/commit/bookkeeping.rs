//! What is kept beside the rows: revisions, the generation, first keys, marks at tenants, answers to idempotency keys, the audit and
//! the log of changes.

use administration::KEPT_SOURCES;
use administration::rows::seconds;
use keys::KeyId;
use tenancy::TenantId;

use super::{CommitError, CommitWriter};
use crate::sqlite::signing_key_store;

const REVISION: &str = "
    UPDATE tenants SET revision = revision + 1
      FROM json_each(?1)
     WHERE tenant_id = value ->> 'tenant_id' AND revision = value ->> 'revision'";

const LATEST: &str = "SELECT MAX(number) FROM generations";

const INSERT_GENERATION: &str =
    "INSERT INTO generations (content, applied_at, sealed_sources, left_out) VALUES (?1, ?2, ?3, ?4)";

/// Of the whole generation after so many later ones, and of any before it.
const FORGET_SOURCES: &str = "
    UPDATE generations SET sealed_sources = NULL
     WHERE sealed_sources IS NOT NULL
       AND number <= (SELECT number FROM generations
                       WHERE left_out = '[]'
                       ORDER BY number DESC LIMIT 1 OFFSET ?1)";

/// Only where there never was a key.
const TAKE_FIRST_KEY: &str = "
    UPDATE tenants SET next_key = ?2 + 1, first_key_thumbprint = ?3 WHERE tenant_id = ?1 AND next_key = ?2";

const SET_FINGERPRINT: &str = "
    UPDATE tenants SET fingerprint = unhex(value ->> 'fingerprint')
      FROM json_each(?1)
     WHERE tenant_id = value ->> 'tenant_id'";

const SET_PREVIOUS_TOKENS: &str = "
    UPDATE tenants SET earlier_tokens_until = value ->> 'earlier_tokens_until'
      FROM json_each(?1)
     WHERE tenant_id = value ->> 'tenant_id'";

const FORGET_ANSWERS: &str = "DELETE FROM idempotent_answers WHERE expires_at <= ?1";

const INSERT_ANSWER: &str = "
    INSERT INTO idempotent_answers (tenant_id, key, request, sealed, expires_at)
    SELECT value ->> 'tenant_id', unhex(value ->> 'key'), unhex(value ->> 'request'),
           unhex(value ->> 'sealed'), value ->> 'expires_at'
      FROM json_each(?1)";

/// `key` is the index in the batch, so that records keep the order of their changes.
const AUDIT: &str = "
    INSERT INTO audit_records (tenant_id, position, at, actor, source, action, subject, detail)
    SELECT value ->> 'tenant_id', key + 1 + (SELECT COALESCE(MAX(position), 0) FROM audit_records),
           value ->> 'at', value ->> 'actor', value ->> 'source', value ->> 'action', value ->> 'subject',
           value -> 'detail'
      FROM json_each(?1)";

const LOG: &str = "
    INSERT INTO change_log (kind, tenant_id, client_id, changed_at)
    SELECT value ->> 'kind', value ->> 'tenant_id', value ->> 'client_id', ?2 FROM json_each(?1) ORDER BY key";

const FORGET: &str = "DELETE FROM change_log WHERE changed_at < ?1";

/// No cache keeps anything this long.
const REMEMBERED_SECONDS: i64 = 86_400;

impl CommitWriter<'_> {
    pub(super) async fn revisions(&mut self) -> Result<(), CommitError> {
        self.all(REVISION, &self.rows.revisions).await
    }

    pub(super) async fn generation(&mut self) -> Result<Option<u64>, CommitError> {
        let Some(new) = &self.request.generation else { return Ok(None) };
        let latest: Option<i64> =
            sqlx::query_scalar(LATEST).fetch_one(self.database.counted(&mut *self.transaction)).await?;
        if latest.map(i64::unsigned_abs) != new.expected_latest {
            return Err(CommitError::StaleRevision);
        }
        let left_out: Vec<&str> = new.left_out.iter().map(TenantId::as_str).collect();
        let left_out = serde_json::to_string(&left_out).map_err(|error| sqlx::Error::Encode(error.into()))?;
        let inserted = sqlx::query(INSERT_GENERATION)
            .bind(new.content.as_bytes().as_slice())
            .bind(seconds(self.request.now))
            .bind(new.sealed_sources.as_deref())
            .bind(left_out)
            .execute(self.database.counted(&mut *self.transaction))
            .await?;
        let number = inserted.last_insert_rowid();
        sqlx::query(FORGET_SOURCES)
            .bind(i64::try_from(KEPT_SOURCES).unwrap_or(i64::MAX))
            .execute(self.database.counted(&mut *self.transaction))
            .await?;
        Ok(Some(number.unsigned_abs()))
    }

    pub(super) async fn first_keys(&mut self) -> Result<(), CommitError> {
        for (tenant, key) in &self.request.first_keys {
            let taken = sqlx::query(TAKE_FIRST_KEY)
                .bind(tenant.as_str())
                .bind(KeyId::numbered(1).number())
                .bind(&key.thumbprint)
                .execute(self.database.counted(&mut *self.transaction))
                .await?;
            if taken.rows_affected() == 0 {
                return Err(CommitError::StaleRevision);
            }
            signing_key_store::insert(self.database, &mut self.transaction, tenant, key).await?;
        }
        Ok(())
    }

    pub(super) async fn tenant_metadata(&mut self) -> Result<(), CommitError> {
        self.all(SET_FINGERPRINT, &self.rows.fingerprints).await?;
        self.all(SET_PREVIOUS_TOKENS, &self.rows.previous_tokens).await
    }

    pub(super) async fn idempotent_answers(&mut self) -> Result<(), CommitError> {
        if self.rows.idempotent_answers.is_empty() {
            return Ok(());
        }
        self.forget(FORGET_ANSWERS, seconds(self.request.now)).await?;
        self.all(INSERT_ANSWER, &self.rows.idempotent_answers).await
    }

    pub(super) async fn audit(&mut self) -> Result<(), CommitError> {
        self.all(AUDIT, &self.rows.audit).await
    }

    pub(super) async fn change_log(&mut self) -> Result<(), CommitError> {
        self.all(LOG, &self.rows.change_log).await?;
        self.forget(FORGET, seconds(self.request.now) - REMEMBERED_SECONDS).await
    }

    async fn forget(&mut self, sql: &'static str, before: i64) -> Result<(), CommitError> {
        sqlx::query(sql).bind(before).execute(self.database.counted(&mut *self.transaction)).await?;
        Ok(())
    }
}
