//! Answers to idempotency keys.

use administration::{IdempotentAnswer, IdempotentAnswers};
use async_trait::async_trait;
use protocol::Timestamp;
use serde_json::Value;
use tenancy::{StoreError, TenantId};

use crate::commit::{CommitError, CommitWriter};
use crate::database::Database;
use crate::rows::AnswerRow;
use crate::statement::Statement;

const SELECT: &str = "
    SELECT i.* FROM idempotent_answers i
     WHERE i.tenant_id = {tenant} AND i.key = $2 AND i.expires_at > $3";

const FORGET: &str = "DELETE FROM idempotent_answers WHERE expires_at <= $1";

const INSERT: &str = "
    INSERT INTO idempotent_answers (tenant_id, key, request, sealed, expires_at)
    SELECT tenant_id, key, request, sealed, expires_at
      FROM {given(tenant_id text, key bytea, request bytea, sealed bytea, expires_at bigint)}";

#[async_trait]
impl IdempotentAnswers for Database {
    async fn find_idempotent_answer(
        &self,
        tenant: &TenantId,
        key: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<IdempotentAnswer>, StoreError> {
        let statement = Statement::of(SELECT).bind(tenant).bind(key.as_slice()).bind(now);
        let row: Option<AnswerRow> = self.first(statement).await?;
        row.map(IdempotentAnswer::try_from).transpose()
    }
}

/// Deletes answers that have expired, of the tenants that the role of the transaction sees.
pub(crate) fn forget(now: Timestamp) -> Statement {
    Statement::of(FORGET).bind(now)
}

impl CommitWriter<'_> {
    /// Another answer to the same key that has not expired makes the commit stale.
    pub(crate) async fn idempotent_answers(&mut self, rows: &[Value]) -> Result<(), CommitError> {
        if rows.is_empty() {
            return Ok(());
        }
        self.transaction.execute(&forget(self.request.now)).await?;
        self.all(INSERT, rows).await
    }
}
