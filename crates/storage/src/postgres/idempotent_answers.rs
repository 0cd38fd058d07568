//! What was answered to an idempotency key, read in its tenant.

use administration::rows::seconds;
use administration::{IdempotentAnswer, IdempotentAnswers};
use async_trait::async_trait;
use protocol::Timestamp;
use sqlx::FromRow;
use tenancy::{StoreError, TenantId};

use crate::postgres::PostgresDatabase;
use crate::postgres::column::{bytes32, tenant_id, timestamp};
use crate::postgres::read::in_tenant;

const SELECT: &str = in_tenant!(
    "SELECT i.* FROM idempotent_answers i
      WHERE i.tenant_id = entered.tenant_id AND i.key = $2 AND i.expires_at > $3"
);

#[derive(FromRow)]
struct AnswerRow {
    tenant_id: String,
    key: Vec<u8>,
    request: Vec<u8>,
    sealed: Vec<u8>,
    expires_at: i64,
}

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

impl TryFrom<AnswerRow> for IdempotentAnswer {
    type Error = StoreError;

    fn try_from(row: AnswerRow) -> Result<Self, Self::Error> {
        Ok(Self {
            tenant: tenant_id(&row.tenant_id)?,
            key: bytes32("key", &row.key)?,
            request: bytes32("request", &row.request)?,
            sealed: row.sealed,
            expires_at: timestamp(row.expires_at),
        })
    }
}
