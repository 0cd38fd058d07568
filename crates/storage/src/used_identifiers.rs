//! Identifiers that were used, each of which may be used once.

use async_trait::async_trait;
use protocol::Timestamp;
use registry::{ReplayGuard, SingleUseIdentifier};
use tenancy::{StoreError, TenantId};

use crate::database::{Database, Engine, scalar};
use crate::statement::Statement;

/// SQLite: many rows in one transaction. Of equal ones one is inserted.
pub(crate) const INSERT_ALL: &str = "
    INSERT INTO used_identifiers ({names}) SELECT {names} FROM {given} WHERE TRUE
    ON CONFLICT DO NOTHING RETURNING tenant_id, digest";

/// PostgreSQL: one row under the role of requests, in one statement with entering the tenant `$1`.
const INSERT_ONE: &str = "
    WITH entered AS MATERIALIZED (SELECT set_config('latchkey.tenant', $1, true) AS tenant_id)
    INSERT INTO used_identifiers (tenant_id, digest, expires_at)
    SELECT entered.tenant_id, $2, $3 FROM entered
    ON CONFLICT DO NOTHING RETURNING tenant_id";

const IS_USED: &str =
    "SELECT EXISTS (SELECT 1 FROM used_identifiers WHERE tenant_id = {tenant} AND digest = $2)";

/// In batches, so that nothing waits long for one.
const DELETE_EXPIRED: &str = "
    DELETE FROM used_identifiers
     WHERE (tenant_id, digest) IN (SELECT tenant_id, digest FROM used_identifiers
                                    WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1000)";

#[async_trait]
impl ReplayGuard for Database {
    async fn record_use(
        &self,
        tenant: &TenantId,
        identifier: &SingleUseIdentifier,
    ) -> Result<bool, StoreError> {
        let inserted = match &self.engine {
            Engine::Sqlite(pools) => {
                return pools.grouped_uses.record(pools, &self.statements, tenant, identifier).await;
            }
            Engine::Postgres(pools) => {
                let statement = Statement::of(INSERT_ONE).bind(tenant);
                let statement = statement.bind(identifier.digest.as_slice()).bind(identifier.expires_at);
                pools.write_of_request(&statement, &self.statements).await?
            }
        };
        Ok(inserted.len() == 1)
    }

    async fn is_used(&self, tenant: &TenantId, identifier: &SingleUseIdentifier) -> Result<bool, StoreError> {
        let statement = Statement::of(IS_USED).bind(tenant).bind(identifier.digest.as_slice());
        let rows: Vec<(bool,)> = self.look_up(statement).await?;
        Ok(scalar(rows.into_iter().next()).unwrap_or(false))
    }

    async fn delete_expired_identifiers(&self, now: Timestamp) -> Result<u64, StoreError> {
        Ok(self.write(Statement::of(DELETE_EXPIRED).bind(now)).await?)
    }
}
