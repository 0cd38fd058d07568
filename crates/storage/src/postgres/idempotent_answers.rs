//! What was answered to an idempotency key, read in its tenant.

use administration::rows::seconds;
use administration::{IdempotentAnswer, IdempotentAnswers};
use async_trait::async_trait;
use protocol::Timestamp;
use tenancy::{StoreError, TenantId};

use crate::postgres::PostgresDatabase;
use crate::postgres::read::in_tenant;
use crate::rows::AnswerRow;

const SELECT: &str = in_tenant!(
    "SELECT i.* FROM idempotent_answers i
      WHERE i.tenant_id = entered.tenant_id AND i.key = $2 AND i.expires_at > $3"
);

#[async_trait]
impl IdempotentAnswers for PostgresDatabase {
    async fn find_idempotent_answer(
        &self,
        tenant: &TenantId,
        key: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<IdempotentAnswer>, StoreError> {
        let query = sqlx::query_as(SELECT).bind(tenant.as_str()).bind(key.as_slice()).bind(seconds(now));
        let rows: Vec<AnswerRow> = self.query_in_tenant(query).await?;
        rows.into_iter().next().map(IdempotentAnswer::try_from).transpose()
    }
}
