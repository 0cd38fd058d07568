//! Why a command ended without doing its work. Messages are for operators: they name files, keys and mends, never secrets.

use std::io;
use std::net::SocketAddr;

use administration::{Plan, ReconcileError};
use cache::InvalidRedisUrl;
use gateway::BindError;
use tenancy::StoreError;

use crate::declare::DeclareError;
use crate::sealing::SealingError;
use crate::settings::ReadError;

/// The reason.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Settings(#[from] ReadError),
    #[error(transparent)]
    Declare(#[from] DeclareError),
    #[error(
        "every listener asks for TLS, which this version does not serve; let a proxy end it and remove `tls`"
    )]
    NoListener,
    #[error(transparent)]
    Sqlite(#[from] storage_sqlite::OpenError),
    #[error(transparent)]
    Postgres(#[from] storage_postgres::OpenError),
    #[error("cache.redis_url cannot be used")]
    Redis(#[from] InvalidRedisUrl),
    #[error(transparent)]
    Sealing(#[from] SealingError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Reconcile(#[from] ReconcileError),
    #[error(
        "{0}\nthese settings would retire more than reconcile.max_retired allows, as a truncated file would; nothing was changed. \
         If it is meant, run `latchkey apply --prune`"
    )]
    TooManyRetired(Box<Plan>),
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error("the threads that hash secrets cannot be started")]
    HashPool(#[source] io::Error),
    #[error("the runtime cannot be started")]
    Runtime(#[source] io::Error),
    #[error("signals cannot be listened to")]
    Signals(#[source] io::Error),
    #[error("no server answers at {address}")]
    NoAnswer {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("the gateway ended")]
    Serve(#[source] io::Error),
    #[error("the output cannot be written")]
    Output(#[from] io::Error),
}
