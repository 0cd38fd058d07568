//! What is kept beside the rows: the generation, first keys, marks at tenants, the audit and the log of changes.

use administration::{Invalidation, invalidations};
use keys::KeyId;
use serde::Serialize;

use super::{CommitError, Writing};
use crate::column::seconds;
use crate::signing_key_store;

const LATEST: &str = "SELECT MAX(number) FROM generations";

const INSERT_GENERATION: &str = "INSERT INTO generations (number, content, applied_at) VALUES ($1, $2, $3)";

/// Only where there never was a key.
const TAKE_FIRST_KEY: &str = "
    UPDATE tenants SET next_key = $2 + 1, first_key_thumbprint = $3 WHERE tenant_id = $1 AND next_key = $2";

const MARK: &str = "
    UPDATE tenants t
       SET fingerprint = decode(given.fingerprint, 'hex'),
           earlier_tokens_until = COALESCE(given.earlier_tokens_until, t.earlier_tokens_until)
      FROM json_to_recordset($1::json) AS given (tenant_id text, fingerprint text, earlier_tokens_until bigint)
     WHERE t.tenant_id = given.tenant_id AND t.managed_by = $3";

/// `nth` is the place in the batch, so that records keep the order of their changes.
const AUDIT: &str = "
    INSERT INTO audit_records (tenant_id, position, at, actor, action, subject, detail)
    SELECT tenant_id, nth + (SELECT COALESCE(MAX(position), 0) FROM audit_records), at, actor, action, subject,
           detail::text
      FROM ROWS FROM (json_to_recordset($1::json) AS (
               tenant_id text, at bigint, actor text, action text, subject text, detail json))
           WITH ORDINALITY AS given (tenant_id, at, actor, action, subject, detail, nth)";

const LOG: &str = "
    INSERT INTO change_log (kind, tenant_id, client_id, changed_at)
    SELECT kind, tenant_id, client_id, $2
      FROM ROWS FROM (json_to_recordset($1::json) AS (kind text, tenant_id text, client_id text))
           WITH ORDINALITY AS given (kind, tenant_id, client_id, nth)
     ORDER BY nth";

const FORGET: &str = "DELETE FROM change_log WHERE changed_at < $1";

/// No cache keeps anything this long.
const REMEMBERED_SECONDS: i64 = 86_400;

#[derive(Serialize)]
struct MarkRow<'a> {
    tenant_id: &'a str,
    fingerprint: Option<String>,
    earlier_tokens_until: Option<i64>,
}

#[derive(Serialize)]
struct AuditRow<'a> {
    tenant_id: &'a str,
    at: i64,
    actor: &'a str,
    action: &'a str,
    subject: &'a str,
    detail: &'a serde_json::Value,
}

#[derive(Serialize)]
struct LogRow<'a> {
    kind: &'a str,
    tenant_id: &'a str,
    client_id: Option<&'a str>,
}

impl Writing<'_> {
    pub(super) async fn generation(&mut self) -> Result<Option<u64>, CommitError> {
        let Some(new) = &self.request.generation else { return Ok(None) };
        let rows: Vec<(Option<i64>,)> = self.work.all(sqlx::query_as(LATEST)).await?;
        let latest = rows.first().and_then(|(number,)| *number);
        if latest.map(i64::unsigned_abs) != new.expected_latest {
            return Err(CommitError::Superseded);
        }
        let number = latest.unwrap_or(0) + 1;
        let query = sqlx::query(INSERT_GENERATION)
            .bind(number)
            .bind(new.content.as_bytes().as_slice())
            .bind(seconds(self.request.now));
        self.work.execute(query).await?;
        Ok(Some(number.unsigned_abs()))
    }

    pub(super) async fn first_keys(&mut self) -> Result<(), CommitError> {
        for (tenant, key) in &self.request.first_keys {
            let query = sqlx::query(TAKE_FIRST_KEY)
                .bind(tenant.as_str())
                .bind(i64::from(KeyId::numbered(1).number()))
                .bind(&key.thumbprint);
            if self.work.execute(query).await? == 0 {
                return Err(CommitError::Superseded);
            }
            signing_key_store::insert(&mut self.work, tenant, key).await?;
        }
        Ok(())
    }

    pub(super) async fn marks(&mut self) -> Result<(), CommitError> {
        let rows = self.request.marks.iter().map(|mark| MarkRow {
            tenant_id: mark.tenant.as_str(),
            fingerprint: mark.fingerprint.map(|fingerprint| hex(fingerprint.as_bytes())),
            earlier_tokens_until: mark.earlier_tokens_until.map(seconds),
        });
        self.all(MARK, &rows.collect::<Vec<_>>()).await
    }

    pub(super) async fn audit(&mut self) -> Result<(), CommitError> {
        let rows = self.request.audit.iter().map(|record| AuditRow {
            tenant_id: record.tenant.as_str(),
            at: seconds(record.at),
            actor: &record.actor,
            action: &record.action,
            subject: &record.subject,
            detail: &record.detail,
        });
        self.all(AUDIT, &rows.collect::<Vec<_>>()).await
    }

    pub(super) async fn change_log(&mut self) -> Result<(), CommitError> {
        let changed = invalidations(&self.request.changes);
        let rows: Vec<_> = changed.iter().map(log_row).collect();
        self.all(LOG, &rows).await?;
        let long_ago = seconds(self.request.now) - REMEMBERED_SECONDS;
        self.work.execute(sqlx::query(FORGET).bind(long_ago)).await?;
        Ok(())
    }
}

fn log_row(invalidation: &Invalidation) -> LogRow<'_> {
    match invalidation {
        Invalidation::Tenant(tenant) => {
            LogRow { kind: "tenant", tenant_id: tenant.as_str(), client_id: None }
        }
        Invalidation::Keys(tenant) => LogRow { kind: "keys", tenant_id: tenant.as_str(), client_id: None },
        Invalidation::Client(tenant, client) => {
            LogRow { kind: "client", tenant_id: tenant.as_str(), client_id: Some(client.as_str()) }
        }
    }
}

/// Blobs travel in JSON as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
