//! Used identifiers. Each may be used once.

use std::collections::HashSet;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use registry::{ReplayStore, SingleUseIdentifier};
use sqlx::{Sqlite, SqlitePool};
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::columns::given;
use crate::database::{Database, DatabaseEngine};
use crate::error::Error;
use crate::row::{DatabaseRow, decoded, scalar};
use crate::sqlite::GroupedWrite;
use crate::statement::{Dialect, Statement};

/// The columns of the primary key.
pub(crate) const KEY: &str = "tenant_id, digest";

/// For SQLite: inserts many rows in one transaction, or none if one of them exists already or two are equal.
const INSERT_ALL: &str = "INSERT INTO used_identifiers ({names}) SELECT {names} FROM {given}";

/// For a second attempt: inserts only new identifiers, and equal ones once. SQLite's thread returns each row
/// separately.
const UNLESS_USED: &str = " WHERE TRUE ON CONFLICT DO NOTHING RETURNING tenant_id, digest";

/// For PostgreSQL: inserts one row under the role of requests. The statement also enters the tenant `$1`.
const INSERT_ONE: &str = "
    WITH entered AS MATERIALIZED (SELECT set_config('latchkey.tenant', $1, true) AS tenant_id)
    INSERT INTO used_identifiers (tenant_id, digest, expires_at)
    SELECT entered.tenant_id, $2, $3 FROM entered
    ON CONFLICT DO NOTHING RETURNING tenant_id";

/// Composed once: a group of few rows costs little more than its text.
static INSERT_GROUP: LazyLock<String> =
    LazyLock::new(|| Statement::writing::<(TenantId, SingleUseIdentifier)>(INSERT_ALL).text(Dialect::Sqlite));

const IS_USED: &str =
    "SELECT EXISTS (SELECT 1 FROM used_identifiers WHERE tenant_id = {tenant} AND digest = $2)";

/// The rows that one statement deletes.
const BATCH: u64 = 1_000;

#[async_trait]
impl ReplayStore for Database {
    async fn record_use(&self, tenant: &TenantId, identifier: &SingleUseIdentifier) -> Stored<bool> {
        let inserted = match &self.engine {
            DatabaseEngine::Sqlite(pools) => {
                let of_tenant = (tenant.clone(), identifier.clone());
                return pools.uses.write(&pools.writer, &self.statements, of_tenant).await;
            }
            DatabaseEngine::Postgres(pools) => {
                let statement = Statement::from_text(INSERT_ONE).bind(tenant);
                let statement = statement.bind(identifier.digest.as_slice()).bind(identifier.expires_at);
                pools.write_of_request(&statement, &self.statements).await?
            }
        };
        Ok(inserted.len() == 1)
    }

    async fn is_used(&self, tenant: &TenantId, identifier: &SingleUseIdentifier) -> Stored<bool> {
        let statement = Statement::from_text(IS_USED).bind(tenant).bind(identifier.digest.as_slice());
        let rows: Vec<(bool,)> = self.look_up(statement).await?;
        Ok(scalar(rows.into_iter().next()).unwrap_or(false))
    }

    async fn delete_expired_identifiers(&self, now: Timestamp) -> Stored<u64> {
        Ok(self.delete_expired("used_identifiers", KEY, now, "FALSE", BATCH).await?)
    }
}

/// Whether each was the first use.
impl GroupedWrite for (TenantId, SingleUseIdentifier) {
    type Outcome = bool;

    fn tenant(&self) -> &TenantId {
        &self.0
    }

    /// Executes one statement in a transaction of its own: a thread executes each statement, and separate
    /// statements for begin and commit would cost as much as the row. A group with a replay needs a second
    /// statement, which shows which one it is.
    async fn write_all(
        writer: &SqlitePool,
        statements: &AtomicU64,
        group: &[Self],
    ) -> Result<Vec<bool>, Error> {
        statements.fetch_add(1, Ordering::Relaxed);
        let rows = given(group);
        let insert = Statement::from_text(INSERT_GROUP.as_str()).bind(rows.as_str());
        match insert.bound::<Sqlite>(Dialect::Sqlite).execute(writer).await.map_err(Error::from) {
            Ok(_) => return Ok(vec![true; group.len()]),
            Err(error) if error.is_stale() => {}
            Err(error) => return Err(error),
        }
        statements.fetch_add(1, Ordering::Relaxed);
        let insert = Statement::writing::<Self>(&format!("{INSERT_ALL}{UNLESS_USED}")).bind(rows);
        let inserted = insert.bound::<Sqlite>(Dialect::Sqlite).fetch_all(writer).await?;
        let inserted: Vec<_> = inserted.into_iter().map(DatabaseRow::Sqlite).collect();
        let mut first: HashSet<(TenantId, [u8; 32])> = decoded(&inserted)?.into_iter().collect();
        Ok(group.iter().map(|(tenant, used)| first.remove(&(tenant.clone(), used.digest))).collect())
    }
}
