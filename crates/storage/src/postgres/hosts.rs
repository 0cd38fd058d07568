//! The servers of a URL with several hosts. One of them accepts writes; a failover changes which one.

use std::fmt::{self, Debug, Display, Formatter};

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, Row as _};

use crate::open_error::OpenError;
use crate::postgres::options::{address, place};
use crate::postgres::schema::connect;

/// Whether the server accepts writes now.
pub(crate) const TAKES_WRITES: &str =
    "SELECT NOT pg_is_in_recovery() AND current_setting('default_transaction_read_only') = 'off'";

/// The servers in the order of the URL, at least one.
#[derive(Clone)]
pub(crate) struct Servers {
    candidates: Vec<PgConnectOptions>,
    needs_writes: bool,
}

impl Servers {
    pub(crate) fn new(candidates: Vec<PgConnectOptions>, needs_writes: bool) -> Self {
        Self { candidates, needs_writes }
    }

    /// Changes the options of each server.
    pub(crate) fn with(self, change: impl Fn(PgConnectOptions) -> PgConnectOptions) -> Self {
        Self { candidates: self.candidates.into_iter().map(change).collect(), ..self }
    }

    pub(crate) fn first(&self) -> &PgConnectOptions {
        &self.candidates[0]
    }

    pub(crate) fn are_several(&self) -> bool {
        self.candidates.len() > 1
    }

    /// The first server that answers and, if the URL requires it, accepts writes.
    pub(crate) async fn choose(&self) -> Result<PgConnectOptions, OpenError> {
        if !self.are_several() && !self.needs_writes {
            return Ok(self.first().clone());
        }
        let mut refused = None;
        for server in &self.candidates {
            match self.fits(server).await {
                Ok(true) => return Ok(server.clone()),
                Ok(false) => drop(refused.get_or_insert(OpenError::ReadOnly { database: place(server) })),
                Err(error) => refused = Some(error),
            }
        }
        Err(refused.unwrap_or_else(|| OpenError::ReadOnly { database: place(self.first()) }))
    }

    /// Uses a plain query without arguments. A prepared statement could stay in a transaction pooler's
    /// connection.
    async fn fits(&self, server: &PgConnectOptions) -> Result<bool, OpenError> {
        let failed = OpenError::at(server);
        let mut connection = connect(server).await?;
        let row = sqlx::raw_sql(TAKES_WRITES).fetch_one(&mut connection).await.map_err(failed)?;
        let takes_writes: bool = row.try_get(0).map_err(failed)?;
        connection.close().await.map_err(failed)?;
        Ok(takes_writes || !self.needs_writes)
    }

    #[cfg(test)]
    pub(crate) fn needs_writes(&self) -> bool {
        self.needs_writes
    }
}

/// Shows hosts and ports only, because the options contain the password.
impl Display for Servers {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.candidates.iter().map(address).collect::<Vec<_>>().join(","))
    }
}

impl Debug for Servers {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
