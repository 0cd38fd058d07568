//! Why a command ended without doing its work. Messages are for operators: they name files, keys and hints, never secrets.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use administration::{Plan, ReconcileError};
use cache::InvalidRedisUrl;
use gateway::{BindError, TlsError};
use secrets::OutOfMemory;
use tenancy::StoreError;

use crate::admin_client::AdminClientError;
use crate::command::DevCertError;
use crate::conflict_messages::TenantsLeftOut;
use crate::reseal::ResealError;
use crate::sealing::SealingError;
use crate::settings::ReadError;

/// The reason.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Settings(#[from] ReadError),
    #[error("the https listener {address} cannot be served: {hint}")]
    Tls {
        address: SocketAddr,
        hint: String,
        #[source]
        source: Box<TlsError>,
    },
    #[error(transparent)]
    DevCert(#[from] DevCertError),
    #[error("the administrators' passwords cannot be hashed")]
    Admins(#[from] OutOfMemory),
    #[error(transparent)]
    Open(#[from] storage::OpenError),
    #[error("cache.redis_url cannot be used")]
    Redis(#[from] InvalidRedisUrl),
    #[error(transparent)]
    Sealing(#[from] SealingError),
    #[error("not everything could be moved; what was moved stays moved, and the same command goes on")]
    Reseal(#[from] ResealError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Reconcile(#[from] ReconcileError),
    #[error(transparent)]
    LeftOut(#[from] TenantsLeftOut),
    #[error(
        "{0}\nthese settings would retire more than reconcile.max_retired allows, as a truncated file would; nothing was changed. \
         If it is meant, run `latchkey apply --prune`"
    )]
    TooManyRetired(Box<Plan>),
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error("the threads that check secrets cannot be started")]
    Thread(#[source] io::Error),
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
    #[error(transparent)]
    AdminClient(#[from] AdminClientError),
    #[error("{0}")]
    Unusable(String),
    #[error("{} cannot be written", .0.display())]
    SecretFile(PathBuf, #[source] io::Error),
    #[error("there is no terminal to ask at: {0} If it is meant, say --yes")]
    Unconfirmed(String),
    #[error("nothing was changed")]
    Declined,
    #[error("generation {number} cannot be rolled back to: {why}")]
    NotKept { number: u64, why: String },
}

impl StartError {
    /// The exit code; docs/command-line.md has the table.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::AdminClient(error) => error.exit_code(),
            _ => 1,
        }
    }

    /// Whether the store did not answer or could not be opened.
    pub(crate) fn is_about_the_store(&self) -> bool {
        matches!(self, Self::Open(_) | Self::Store(_))
    }
}
