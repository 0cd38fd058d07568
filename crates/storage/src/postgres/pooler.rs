//! Detects what a pooler in front of PostgreSQL keeps for a connection: its session, or only a transaction.

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection};

use crate::error::{has_code, within};
use crate::open_error::OpenError;
use crate::postgres::options::place;
use crate::postgres::schema::{CONNECT, connect};

/// The number of repetitions. A pooler with several sessions can give a connection the same session again by
/// chance.
const TRIES: u32 = 3;

/// The SQLSTATE "protocol violation". PgBouncer answers `BEGIN` with it in statement mode.
const NO_TRANSACTIONS: &str = "08P01";

/// What a connection keeps, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pooling {
    Statements,
    Transactions,
    Sessions,
}

impl Pooling {
    /// Names connections whose sessions have no mark of the current version, so that they are not taken for
    /// those of an earlier version.
    pub(crate) fn name(self, server: PgConnectOptions) -> PgConnectOptions {
        if self == Self::Sessions {
            return server;
        }
        let name = format!("{} (pooled)", server.get_application_name().unwrap_or("latchkey"));
        server.application_name(&name)
    }
}

/// Refuses a pooler that keeps less than `least`. By default Latchkey's sessions need a role and
/// notifications.
///
/// # Errors
/// [`OpenError::Pooled`]; [`OpenError::Open`] if the database does not answer.
pub(crate) async fn refuse(server: &PgConnectOptions, least: Pooling) -> Result<(), OpenError> {
    let failed = OpenError::at(server);
    let (first, second) = tokio::try_join!(connect(server), connect(server))?;
    let found = within(CONNECT, pooling(first, second)).await.map_err(failed)?;
    if found >= least {
        return Ok(());
    }
    let unit = if found == Pooling::Statements { "statements" } else { "transactions" };
    Err(OpenError::Pooled { database: place(server), unit })
}

/// Opens two connections and checks that each keeps its own session while the other is in a transaction. The
/// queries have no arguments, because a pooler may not keep prepared statements.
async fn pooling(mut first: PgConnection, mut second: PgConnection) -> Result<Pooling, sqlx::Error> {
    for _ in 0..TRIES {
        let before = session(&mut first).await?;
        match sqlx::raw_sql("BEGIN").execute(&mut second).await {
            Err(error) if has_code(&error, NO_TRANSACTIONS) => return Ok(Pooling::Statements),
            begun => begun?,
        };
        if session(&mut second).await? == before || session(&mut first).await? != before {
            return Ok(Pooling::Transactions);
        }
        sqlx::raw_sql("ROLLBACK").execute(&mut second).await?;
    }
    first.close().await?;
    second.close().await?;
    Ok(Pooling::Sessions)
}

async fn session(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    let row = sqlx::raw_sql("SELECT pg_backend_pid()").fetch_one(connection).await?;
    sqlx::Row::try_get(&row, 0)
}
