//! Leases: which of several processes does what only one should do.

use administration::rows::seconds;
use protocol::Timestamp;
use tenancy::StoreError;

use crate::postgres::PostgresDatabase;

/// One statement, which waits for another that is about to take the same lease, and then sees what that one wrote.
const TAKE: &str = "
    INSERT INTO leases AS held (name, holder, until) VALUES ($1, $2, $4)
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
     WHERE held.holder = excluded.holder OR held.until <= $3
    RETURNING held.until";

pub(crate) async fn try_take(
    database: &PostgresDatabase,
    name: &str,
    holder: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool, StoreError> {
    let query = sqlx::query_as(TAKE).bind(name).bind(holder).bind(seconds(now)).bind(seconds(until));
    let taken: Vec<(i64,)> = database.query_across_tenants(query).await?;
    Ok(!taken.is_empty())
}
