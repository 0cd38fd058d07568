//! What is kept beside the rows: the generation, first keys, marks at tenants, the audit and the log of changes.

use administration::{Invalidation, invalidations};
use keys::KeyId;
use serde::Serialize;

use super::{CommitError, Writing};
use crate::column::seconds;
use crate::signing_key_store;

const LATEST: &str = "SELECT MAX(number) FROM generations";

const INSERT_GENERATION: &str = "INSERT INTO generations (content, applied_at) VALUES (?1, ?2)";

/// Only where there never was a key.
const TAKE_FIRST_KEY: &str = "
    UPDATE tenants SET next_key = ?2 + 1, first_key_thumbprint = ?3 WHERE tenant_id = ?1 AND next_key = ?2";

/// The plus: as for other updates of tenants, rows are found by their id.
const MARK: &str = "
    UPDATE tenants
       SET fingerprint = unhex(value ->> 'fingerprint'),
           earlier_tokens_until = COALESCE(value ->> 'earlier_tokens_until', earlier_tokens_until)
      FROM json_each(?1)
     WHERE tenant_id = value ->> 'tenant_id' AND +managed_by = ?3";

/// `key` is the index in the batch, so that records keep the order of their changes.
const AUDIT: &str = "
    INSERT INTO audit_records (tenant_id, position, at, actor, action, subject, detail)
    SELECT value ->> 'tenant_id', key + 1 + (SELECT COALESCE(MAX(position), 0) FROM audit_records),
           value ->> 'at', value ->> 'actor', value ->> 'action', value ->> 'subject', value -> 'detail'
      FROM json_each(?1)";

const LOG: &str = "
    INSERT INTO change_log (kind, tenant_id, client_id, changed_at)
    SELECT value ->> 'kind', value ->> 'tenant_id', value ->> 'client_id', ?2 FROM json_each(?1) ORDER BY key";

const FORGET: &str = "DELETE FROM change_log WHERE changed_at < ?1";

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
        let latest: Option<i64> =
            sqlx::query_scalar(LATEST).fetch_one(self.database.counted(&mut *self.transaction)).await?;
        if latest.map(i64::unsigned_abs) != new.expected_latest {
            return Err(CommitError::Superseded);
        }
        let inserted = sqlx::query(INSERT_GENERATION)
            .bind(new.content.as_bytes().as_slice())
            .bind(seconds(self.request.now))
            .execute(self.database.counted(&mut *self.transaction))
            .await?;
        Ok(Some(inserted.last_insert_rowid().unsigned_abs()))
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
                return Err(CommitError::Superseded);
            }
            signing_key_store::insert(self.database, &mut self.transaction, tenant, key).await?;
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
        sqlx::query(FORGET)
            .bind(seconds(self.request.now) - REMEMBERED_SECONDS)
            .execute(self.database.counted(&mut *self.transaction))
            .await?;
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
