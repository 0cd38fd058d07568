//! What was answered to an idempotency key.

use administration::rows::seconds;
use administration::{IdempotentAnswer, IdempotentAnswers};
use async_trait::async_trait;
use protocol::Timestamp;
use tenancy::{StoreError, TenantId};

use crate::rows::AnswerRow;
use crate::sqlite::SqliteDatabase;
use crate::sqlite::error::store_error;

const SELECT: &str = "
    SELECT tenant_id, key, request, sealed, expires_at FROM idempotent_answers
     WHERE tenant_id = ?1 AND key = ?2 AND expires_at > ?3";

#[async_trait]
impl IdempotentAnswers for SqliteDatabase {
    async fn find_idempotent_answer(
        &self,
        tenant: &TenantId,
        key: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<IdempotentAnswer>, StoreError> {
        let query = sqlx::query_as(SELECT).bind(tenant.as_str()).bind(key.as_slice()).bind(seconds(now));
        let row: Option<AnswerRow> = query.fetch_optional(self.read()).await.map_err(store_error)?;
        row.map(IdempotentAnswer::try_from).transpose()
    }
}
