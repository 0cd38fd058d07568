//! Checks a database without changing anything.

use sqlx::Connection as _;
use values::Timestamp;

use crate::open_error::OpenError;
use crate::postgres::pools::Primary;
use crate::postgres::pools::{Urls, find_direct};
use crate::postgres::schema::connect;

/// The clock of the server, and whether the login may write. If the login is a member of `latchkey_operator`,
/// the check uses the permissions of that role.
const INSPECT: &str = "
    SELECT extract(epoch FROM clock_timestamp())::bigint,
           pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on',
           CASE WHEN to_regclass('tenants') IS NULL THEN has_schema_privilege(current_schema(), 'CREATE')
                ELSE has_table_privilege(to_regclass('tenants'), 'INSERT')
                     OR COALESCE(pg_has_role(current_user, to_regrole('latchkey_operator'), 'MEMBER'), false)
            END,
           (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
           current_setting('max_connections')::bigint";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabaseCheck {
    pub clock: Timestamp,
    /// Whether the server refuses writes, because it is a standby or its configuration is read-only.
    pub is_read_only: bool,
    /// Whether the login may write the tables, or create them if they do not exist.
    pub may_write: bool,
    pub connections: u32,
    pub max_connections: u32,
}

/// Checks the database and changes nothing.
///
/// # Errors
/// [`OpenError`] if the database does not answer.
pub async fn inspect<'u>(urls: impl Into<Urls<'u>>) -> Result<DatabaseCheck, OpenError> {
    let urls = urls.into();
    let Primary { server, .. } = urls.primary().await?;
    let direct = find_direct(urls, &server).await?;
    // Statements with names need sessions.
    let server = direct.map_or(server, |direct| direct.server);
    let failed = OpenError::at(&server);
    let mut connection = connect(&server).await?;
    let (clock, is_read_only, may_write, connections, max_connections): (i64, bool, Option<bool>, i64, i64) =
        sqlx::query_as(INSPECT).fetch_one(&mut connection).await.map_err(failed)?;
    connection.close().await.map_err(failed)?;
    let clock = Timestamp::from_seconds(u64::try_from(clock).unwrap_or(0));
    let [connections, max_connections] =
        [connections, max_connections].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
    let may_write = may_write.unwrap_or(false);
    Ok(DatabaseCheck { clock, is_read_only, may_write, connections, max_connections })
}
