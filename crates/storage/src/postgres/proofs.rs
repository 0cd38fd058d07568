//! Proves what Latchkey relies on beyond SQL. Other engines and proxies that speak PostgreSQL's protocol
//! accept some of these statements without doing what they say. Two sessions write rows, and roll them back.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions, PgRow};
use sqlx::{AssertSqlSafe, Connection as _, FromRow, PgConnection};
use tokio::time::timeout;

use crate::error::{may_pass, within};
use crate::open_error::OpenError;
use crate::postgres::hosts::TAKES_WRITES;
use crate::postgres::options::{Role, place};
use crate::postgres::pools::{Primary, Urls};
use crate::postgres::schema::{self, CONNECT, Roles, Schema, connect};

/// Two names that no tenant can have.
const HERE: &str = "~here";
const THERE: &str = "~there";

/// Replicas that start at the same time share the first lock, so only their own second session is kept out.
const LOCK: &str = "SELECT true FROM pg_advisory_xact_lock_shared(7810204517302014)";
const TRY_LOCK: &str = "SELECT pg_try_advisory_xact_lock(7810204517302014)";

const TRANSACTION: &str =
    "SELECT pg_current_xact_id()::text::bigint, pg_snapshot_xmin(pg_current_snapshot())::text::bigint";

/// Adds a row to the change log, which numbers its rows.
const NUMBER: &str = "INSERT INTO change_log (kind, tenant_id, changed_at) VALUES ('tenant', '~here', 0)
                      RETURNING position";

const ROW: &str = "INSERT INTO idempotent_answers (tenant_id, key, request, sealed, expires_at)
                   VALUES ('~here', '', '', '', 0)";

const SEEN: &str = "SELECT count(*), current_user::text FROM idempotent_answers WHERE tenant_id = '~here'";

const CHANNEL: &str = "latchkey_proof";
const NOTIFY: &str = "SELECT pg_notify('latchkey_proof', '')";
/// With the connection of the listener. A notification takes about a millisecond.
const NOTIFIED: Duration = Duration::from_millis(500);

/// What the database does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, derive_more::Display)]
pub enum Missing {
    #[display("the server does not accept writes")]
    Primary,
    #[display("an advisory lock does not keep other sessions out")]
    Locks,
    #[display("transaction ids do not grow, or a snapshot does not say which transactions run")]
    TransactionIds,
    #[display("the numbers of a sequence do not grow across sessions")]
    Sequences,
    #[display("SET LOCAL ROLE does not change the role of a transaction")]
    Role,
    #[display("row level security shows rows of another tenant, or hides a tenant's own")]
    RowLevelSecurity,
}

/// What a database does that Latchkey can do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proven {
    /// Whether notifications arrive. Otherwise replicas learn of changes by reading the log.
    pub notifies: bool,
}

impl Proven {
    /// The warning for operators, if there is one.
    #[must_use]
    pub fn warning(self) -> Option<&'static str> {
        (!self.notifies).then_some(
            "the database delivers no notifications: replicas read the changes of others four times a second",
        )
    }
}

struct Failed {
    missing: Missing,
    cause: Option<sqlx::Error>,
}

/// Proves what Latchkey relies on. `None` if there is no schema. The database is unchanged afterwards.
///
/// # Errors
/// [`OpenError::Unproven`] with what is missing; [`OpenError`] if the database cannot be read.
pub async fn prove<'u>(urls: impl Into<Urls<'u>>) -> Result<Option<Proven>, OpenError> {
    let Primary { server, .. } = urls.into().of_sessions().primary().await?;
    match schema::inspect(&server).await? {
        Schema::Absent => Ok(None),
        Schema::Ready { roles } => of_server(&server, roles).await.map(Some),
    }
}

/// Proves it at a server that keeps a session for each connection.
pub(crate) async fn of_server(server: &PgConnectOptions, roles: Roles) -> Result<Proven, OpenError> {
    let database = || place(server);
    let failed = OpenError::at(server);
    schema::twice(async || {
        let (mut one, mut other) = tokio::try_join!(connect(server), connect(server))?;
        let compared = async { Ok(compare(&mut one, &mut other, roles).await) };
        let proven = within(CONNECT, compared).await.map_err(failed)?;
        drop(other.close().await);
        match proven {
            Ok(()) => Ok(Proven { notifies: notifies(server, one).await }),
            Err(Failed { missing, cause }) => Err(match (missing, cause) {
                (_, Some(cause)) if may_pass(&cause) => failed(cause),
                (Missing::Primary, None) => OpenError::ReadOnly { database: database() },
                (missing, cause) => {
                    OpenError::Unproven { database: database(), missing, cause: cause.map(Into::into) }
                }
            }),
        }
    })
    .await
}

async fn compare(one: &mut PgConnection, other: &mut PgConnection, roles: Roles) -> Result<(), Failed> {
    let (takes_writes,): (bool,) = first(one, TAKES_WRITES, Missing::Primary).await?;
    demand(takes_writes, Missing::Primary)?;
    let operator = if roles.row_level_security { Role::Operator } else { Role::Login };
    for session in [&mut *one, &mut *other] {
        let begin = format!("BEGIN{}; SET LOCAL latchkey.log = 'shared'", operator.taken_locally());
        execute(session, begin, Missing::Role).await?;
    }

    let (_,): (bool,) = first(one, LOCK, Missing::Locks).await?;
    let (has_entered,): (bool,) = first(other, TRY_LOCK, Missing::Locks).await?;
    demand(!has_entered, Missing::Locks)?;

    let (running, _): (i64, i64) = first(one, TRANSACTION, Missing::TransactionIds).await?;
    let (next, oldest): (i64, i64) = first(other, TRANSACTION, Missing::TransactionIds).await?;
    demand(running < next && oldest <= running, Missing::TransactionIds)?;

    let (number,): (i64,) = first(one, NUMBER, Missing::Sequences).await?;
    let (next,): (i64,) = first(other, NUMBER, Missing::Sequences).await?;
    demand(number < next, Missing::Sequences)?;

    if roles.row_level_security {
        execute(one, format!("{ROW}{}", Role::App.taken_locally()), Missing::Role).await?;
        for (tenant, expected) in [(THERE, 0), (HERE, 1)] {
            let enter = format!("SET LOCAL latchkey.tenant = '{tenant}'");
            execute(one, enter, Missing::RowLevelSecurity).await?;
            let (rows, role): (i64, String) = first(one, SEEN, Missing::RowLevelSecurity).await?;
            demand(Some(role.as_str()) == Role::App.name(), Missing::Role)?;
            demand(rows == expected, Missing::RowLevelSecurity)?;
        }
    }
    for session in [one, other] {
        execute(session, "ROLLBACK".to_owned(), Missing::TransactionIds).await?;
    }
    Ok(())
}

/// Whether a notification of this session arrives at another one.
async fn notifies(server: &PgConnectOptions, mut sender: PgConnection) -> bool {
    let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(server.clone());
    let arrived = async {
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        sqlx::raw_sql(NOTIFY).execute(&mut sender).await?;
        drop(sender.close().await);
        listener.try_recv().await
    };
    matches!(timeout(NOTIFIED, arrived).await, Ok(Ok(Some(_))))
}

fn demand(is_so: bool, missing: Missing) -> Result<(), Failed> {
    if is_so { Ok(()) } else { Err(Failed { missing, cause: None }) }
}

async fn first<R>(session: &mut PgConnection, text: &'static str, missing: Missing) -> Result<R, Failed>
where
    R: for<'r> FromRow<'r, PgRow>,
{
    let row = sqlx::raw_sql(text).fetch_one(session).await.and_then(|row| R::from_row(&row));
    row.map_err(|cause| Failed { missing, cause: Some(cause) })
}

async fn execute(session: &mut PgConnection, text: String, missing: Missing) -> Result<(), Failed> {
    let done = sqlx::raw_sql(AssertSqlSafe(text)).execute(session).await;
    done.map(drop).map_err(|cause| Failed { missing, cause: Some(cause) })
}
