//! The configuration behind a commit, and the keys that its tenants begin with.

use administration::KEPT_SOURCES;
use administration::rows::seconds;
use keys::KeyId;
use tenancy::TenantId;

use super::{CommitError, CommitWriter};
use crate::postgres::signing_key_store;

const LATEST: &str = "SELECT MAX(number) FROM generations";

const INSERT: &str = "
    INSERT INTO generations (number, content, applied_at, sealed_sources, left_out)
    VALUES ($1, $2, $3, $4, $5)";

/// Of the whole generation after so many later ones, and of any before it.
const FORGET_SOURCES: &str = "
    UPDATE generations SET sealed_sources = NULL
     WHERE sealed_sources IS NOT NULL
       AND number <= (SELECT number FROM generations
                       WHERE left_out = '{}'
                       ORDER BY number DESC LIMIT 1 OFFSET $1)";

/// Only where there never was a key.
const TAKE_FIRST_KEY: &str = "
    UPDATE tenants SET next_key = $2 + 1, first_key_thumbprint = $3 WHERE tenant_id = $1 AND next_key = $2";

impl CommitWriter<'_> {
    pub(super) async fn generation(&mut self) -> Result<Option<u64>, CommitError> {
        let Some(new) = &self.request.generation else { return Ok(None) };
        let rows: Vec<(Option<i64>,)> = self.transaction.all(sqlx::query_as(LATEST)).await?;
        let latest = rows.first().and_then(|(number,)| *number);
        if latest.map(i64::unsigned_abs) != new.expected_latest {
            return Err(CommitError::StaleRevision);
        }
        let number = latest.unwrap_or(0) + 1;
        let left_out: Vec<&str> = new.left_out.iter().map(TenantId::as_str).collect();
        let query = sqlx::query(INSERT)
            .bind(number)
            .bind(new.content.as_bytes().as_slice())
            .bind(seconds(self.request.now))
            .bind(&new.sealed_sources)
            .bind(left_out);
        self.transaction.execute(query).await?;
        let kept = i64::try_from(KEPT_SOURCES).unwrap_or(i64::MAX);
        self.transaction.execute(sqlx::query(FORGET_SOURCES).bind(kept)).await?;
        Ok(Some(number.unsigned_abs()))
    }

    pub(super) async fn first_keys(&mut self) -> Result<(), CommitError> {
        for (tenant, key) in &self.request.first_keys {
            let query = sqlx::query(TAKE_FIRST_KEY)
                .bind(tenant.as_str())
                .bind(i64::from(KeyId::numbered(1).number()))
                .bind(&key.thumbprint);
            if self.transaction.execute(query).await? == 0 {
                return Err(CommitError::StaleRevision);
            }
            signing_key_store::insert(&mut self.transaction, tenant, key).await?;
        }
        Ok(())
    }
}
