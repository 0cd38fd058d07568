//! The stored answers to requests with an idempotency key.

use administration::store::{IdempotentAnswer, IdempotentAnswers};
use async_trait::async_trait;
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::database::Database;
use crate::statement::Statement;

const SELECT: &str = "
    SELECT {columns(i)} FROM idempotent_answers i
     WHERE i.tenant_id = {tenant} AND i.key = $2 AND i.expires_at > $3";

const FORGET: &str = "DELETE FROM idempotent_answers WHERE expires_at <= $1";

#[async_trait]
impl IdempotentAnswers for Database {
    async fn find_idempotent_answer(
        &self,
        tenant: &TenantId,
        key: &[u8; 32],
        now: Timestamp,
    ) -> Stored<Option<IdempotentAnswer>> {
        let statement = Statement::from_text(SELECT).bind(tenant).bind(key.as_slice()).bind(now);
        Ok(self.first(statement).await?)
    }
}

pub(crate) const FORGET_OF_TENANT: &str =
    "DELETE FROM idempotent_answers WHERE expires_at <= $2 AND ({names}) IN (SELECT {names} FROM {given})";

pub(crate) fn forget(now: Timestamp) -> Statement {
    Statement::from_text(FORGET).bind(now)
}
