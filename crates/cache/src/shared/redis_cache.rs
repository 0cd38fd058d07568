//! The Redis that the replicas of an installation share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use secrets::{Pepper, SharedCounts};
use tenancy::{History, TenantId};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::connector::{Connection, Connector};
use super::counters::RedisCounters;
use super::exchange::exchange_repeatedly;
use super::names::Names;
use super::options::{RedisOptions, WallClock};
use super::pending_invalidations::PendingInvalidations;
use super::redis_connection::RedisConnection;
use super::sealer::{Sealer, token};

/// The maximum number of concurrent writes of marks. Further marks are skipped, which is safe, because the
/// store refuses an identifier without a mark too.
const MARKS_AT_ONCE: usize = 1_024;

/// The Redis between a replica's memory and its store. It never returns errors: if Redis does not answer, the
/// store is read.
pub struct RedisCache {
    pub(crate) connection: Arc<RedisConnection>,
    pub(crate) names: Names,
    pub(crate) sealer: Sealer,
    pub(crate) clock: WallClock,
    pub(crate) pending_invalidations: PendingInvalidations,
    pub(crate) marking: Arc<Semaphore>,
    /// What replicas count together.
    pub counts_to_share: SharedCounts,
    /// Identifies this replica as the sender of messages.
    pub(crate) sender: String,
    /// Whether Redis refuses the subscription, so that no messages of other replicas arrive.
    pub(crate) is_deaf: AtomicBool,
    /// The history of the store that this replica knows. Rows that were read in another history are invalid.
    history: AtomicI64,
}

impl RedisCache {
    /// Starts to connect to Redis in the background of the current Tokio runtime, which must live as long as
    /// the cache. Shared data is sealed with a key derived from the pepper, so only replicas with the same
    /// pepper can read it.
    #[must_use]
    pub fn open(options: RedisOptions, pepper: &Pepper) -> Arc<Self> {
        let RedisOptions { address, prefix, timing, clock } = options;
        let names = Names { prefix };
        let connector = Connector::new(address, timing);
        let redis = Arc::new(Self {
            connection: RedisConnection::open(connector, Handle::current(), &names),
            names,
            sealer: Sealer::new(pepper),
            clock,
            pending_invalidations: PendingInvalidations::default(),
            marking: Arc::new(Semaphore::new(MARKS_AT_ONCE)),
            counts_to_share: SharedCounts::new(pepper),
            sender: token(),
            is_deaf: AtomicBool::new(false),
            history: AtomicI64::new(0),
        });
        redis.connection.runtime.spawn(exchange_repeatedly(Arc::downgrade(&redis)));
        redis
    }

    /// Sets the history. Only rows that were read in this history are valid from now on.
    pub(crate) fn begin_history(&self, history: History) {
        self.history.store(history.0, Ordering::Relaxed);
    }

    /// The epoch of a tenant's rows, combined with the history that this replica knows.
    pub(crate) fn epoch_of_history(&self, epoch: &str) -> String {
        format!("{epoch}/{}", self.history.load(Ordering::Relaxed))
    }

    /// Whether the node with this tenant's rows is working.
    pub(crate) fn is_up_for(&self, tenant: &TenantId) -> bool {
        self.connection.breaker.admits(|connection| match connection {
            Connection::Server(_) => Some(0),
            Connection::Cluster(cluster) => cluster.master_of(&self.names.epoch(tenant)),
        })
    }

    /// Whether all nodes are working.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.connection.breaker.is_closed()
    }

    /// The problem, if [`Self::is_up`] is `false`.
    #[must_use]
    pub fn trouble(&self) -> &'static str {
        self.connection.trouble()
    }

    /// Whether Redis refuses the subscription to the changes of other replicas.
    #[must_use]
    pub fn is_deaf(&self) -> bool {
        self.is_deaf.load(Ordering::Relaxed)
    }

    /// Sets the password for new connections. Open connections stay open.
    pub fn use_password(&self, password: &str) {
        self.connection.connector.use_password(password);
    }

    #[must_use]
    pub fn counts(&self) -> &RedisCounters {
        &self.connection.counters
    }
}
