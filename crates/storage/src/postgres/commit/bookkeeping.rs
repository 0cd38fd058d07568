//! What is kept beside the rows: revisions, marks at tenants, answers to idempotency keys, the audit and the log of changes.

use administration::rows::{
    AuditRow, FingerprintRow, IdempotentAnswerRow, LogRow, PreviousTokensRow, RevisionRow, seconds,
};

use super::{CommitError, CommitWriter};

/// What was planned on another revision is not written.
const COUNT_REVISION: &str = "
    UPDATE tenants t SET revision = t.revision + 1
      FROM json_to_recordset($1::json) AS given (tenant_id text, revision bigint)
     WHERE t.tenant_id = given.tenant_id AND t.revision = given.revision";

const SET_FINGERPRINT: &str = "
    UPDATE tenants t SET fingerprint = decode(given.fingerprint, 'hex')
      FROM json_to_recordset($1::json) AS given (tenant_id text, fingerprint text)
     WHERE t.tenant_id = given.tenant_id";

const SET_PREVIOUS_TOKENS: &str = "
    UPDATE tenants t SET earlier_tokens_until = given.earlier_tokens_until
      FROM json_to_recordset($1::json) AS given (tenant_id text, earlier_tokens_until bigint)
     WHERE t.tenant_id = given.tenant_id";

const FORGET_ANSWERS: &str = "DELETE FROM idempotent_answers WHERE expires_at <= $1";

const ANSWER: &str = "
    INSERT INTO idempotent_answers (tenant_id, key, request, sealed, expires_at)
    SELECT tenant_id, decode(key, 'hex'), decode(request, 'hex'), decode(sealed, 'hex'), expires_at
      FROM json_to_recordset($1::json) AS given (
               tenant_id text, key text, request text, sealed text, expires_at bigint)";

/// `nth` is the place in the batch, so that records keep the order of their changes.
const AUDIT: &str = "
    INSERT INTO audit_records (tenant_id, position, at, actor, source, action, subject, detail)
    SELECT tenant_id, nth + (SELECT COALESCE(MAX(position), 0) FROM audit_records), at, actor, source, action,
           subject, detail::text
      FROM ROWS FROM (json_to_recordset($1::json) AS (
               tenant_id text, at bigint, actor text, source text, action text, subject text, detail json))
           WITH ORDINALITY AS given (tenant_id, at, actor, source, action, subject, detail, nth)";

const LOG: &str = "
    INSERT INTO change_log (kind, tenant_id, client_id, changed_at)
    SELECT kind, tenant_id, client_id, $2
      FROM ROWS FROM (json_to_recordset($1::json) AS (kind text, tenant_id text, client_id text))
           WITH ORDINALITY AS given (kind, tenant_id, client_id, nth)
     ORDER BY nth";

const FORGET: &str = "DELETE FROM change_log WHERE changed_at < $1";

/// No cache keeps anything this long.
const REMEMBERED_SECONDS: i64 = 86_400;

impl CommitWriter<'_> {
    pub(super) async fn revisions(&mut self, rows: &[RevisionRow<'_>]) -> Result<(), CommitError> {
        self.all(COUNT_REVISION, rows).await
    }

    pub(super) async fn tenant_metadata(
        &mut self,
        fingerprints: &[FingerprintRow<'_>],
        previous_tokens: &[PreviousTokensRow<'_>],
    ) -> Result<(), CommitError> {
        self.all(SET_FINGERPRINT, fingerprints).await?;
        self.all(SET_PREVIOUS_TOKENS, previous_tokens).await
    }

    /// One that is still good stands in the way of another for the same key.
    pub(super) async fn idempotent_answers(
        &mut self,
        rows: &[IdempotentAnswerRow<'_>],
    ) -> Result<(), CommitError> {
        if rows.is_empty() {
            return Ok(());
        }
        self.transaction.execute(sqlx::query(FORGET_ANSWERS).bind(seconds(self.request.now))).await?;
        self.all(ANSWER, rows).await
    }

    pub(super) async fn audit(&mut self, rows: &[AuditRow<'_>]) -> Result<(), CommitError> {
        self.all(AUDIT, rows).await
    }

    pub(super) async fn change_log(&mut self, rows: &[LogRow]) -> Result<(), CommitError> {
        self.all(LOG, rows).await?;
        let long_ago = seconds(self.request.now) - REMEMBERED_SECONDS;
        self.transaction.execute(sqlx::query(FORGET).bind(long_ago)).await?;
        Ok(())
    }
}
