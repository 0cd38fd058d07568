//! What was answered to an idempotency key.

use administration::rows::seconds;
use administration::{IdempotentAnswer, IdempotentAnswers};
use async_trait::async_trait;
use protocol::Timestamp;
use tenancy::{StoreError, TenantId};

use crate::sqlite::SqliteDatabase;
use crate::sqlite::column::{timestamp, unreadable};
use crate::sqlite::error::store_error;

const SELECT: &str = "
    SELECT request, sealed, expires_at FROM idempotent_answers
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
        let row: Option<(Vec<u8>, Vec<u8>, i64)> =
            query.fetch_optional(self.read()).await.map_err(store_error)?;
        let of_row = |(request, sealed, expires_at): (Vec<u8>, _, _)| {
            let request = request.try_into().map_err(|_| unreadable("request", "not 32 bytes"))?;
            let (tenant, expires_at) = (tenant.clone(), timestamp(expires_at));
            Ok(IdempotentAnswer { tenant, key: *key, request, sealed, expires_at })
        };
        row.map(of_row).transpose()
    }
}
