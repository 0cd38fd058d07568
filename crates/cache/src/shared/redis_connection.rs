//! Commands to Redis. A failed command costs its caller the response timeout once and later callers nothing.
//! Only the probe opens connections, in the background.

use std::sync::{Arc, Weak};
use std::time::Duration;

use redis::{ErrorKind, FromRedisValue, RedisError, RedisResult, Script, ServerErrorKind, Value};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until, timeout};

use super::breaker::Breaker;
use super::connector::{Connection, Connector};
use super::counters::RedisCounters;
use super::scripts::LOOK;
use super::sealer::token;

/// A cluster and Sentinels need several connections to find a master. No request waits for the search.
const SEARCH: Duration = Duration::from_secs(2);

/// The connection for commands.
pub(crate) struct RedisConnection {
    pub(crate) connector: Connector,
    pub(crate) counters: RedisCounters,
    /// The runtime of the connection, which must outlive a worker.
    pub(crate) runtime: Handle,
    pub(crate) breaker: Breaker<Connection>,
    probe_keys: [String; 3],
}

impl RedisConnection {
    /// Creates the connection without waiting for Redis. The first probe starts now, and Redis is not used
    /// before its answer.
    pub(crate) fn open(connector: Connector, runtime: Handle, probe_keys: [String; 3]) -> Arc<Self> {
        let (counters, breaker) = (RedisCounters::default(), Breaker::open());
        let redis = Arc::new(Self { connector, counters, runtime, breaker, probe_keys });
        redis.start_probes(Instant::now());
        redis
    }

    /// Runs a script; `None` when Redis is unreachable or gives an unexpected answer.
    pub(crate) async fn run<T: FromRedisValue>(
        self: &Arc<Self>,
        script: &Script,
        keys: &[String],
        arguments: &[&[u8]],
    ) -> Option<T> {
        let (number, mut connection) = self.breaker.admit()?;
        self.counters.commands.count();
        let error = match self.attempt(&mut connection, script, keys, arguments).await {
            Ok(answer) => return Some(answer),
            Err(error) => error,
        };
        if is_about_the_keys(&error) {
            self.counters.rejected.count();
        } else if self.breaker.trip(number) {
            self.counters.outages.count();
            tracing::warn!(%error, "Redis is out of reach; the store is read instead");
            self.start_probes(Instant::now() + self.connector.timing.probe_every);
        }
        None
    }

    async fn attempt<T: FromRedisValue>(
        &self,
        connection: &mut Connection,
        script: &Script,
        keys: &[String],
        arguments: &[&[u8]],
    ) -> RedisResult<T> {
        // The timeout of the library is per command and, for a cluster, per node.
        timeout(self.connector.timing.response, connection.run(script, keys, arguments)).await.unwrap_or_else(
            |_| Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer in time").into()),
        )
    }

    fn start_probes(self: &Arc<Self>, first: Instant) {
        let (redis, runtime) = (Arc::downgrade(self), self.runtime.clone());
        runtime.spawn(probe_until_answered(redis, first));
    }

    /// Runs the scripts of requests, so that a Redis that answers a ping but refuses writes does not count as
    /// working.
    async fn probe(&self) -> RedisResult<Connection> {
        let late = |_| Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "no connection in time").into());
        let mut connection = timeout(SEARCH, self.connector.connect()).await.unwrap_or_else(late)?;
        let token = token();
        // One millisecond: the value of a probe is gone at the next probe. The script writes only if it is
        // gone.
        let arguments: [&[u8]; 3] = [token.as_bytes(), b"1", b"1"];
        self.attempt::<Value>(&mut connection, &LOOK, &self.probe_keys, &arguments).await?;
        Ok(connection)
    }
}

async fn probe_until_answered(redis: Weak<RedisConnection>, first: Instant) {
    let mut next = first;
    let mut logged = false;
    loop {
        sleep_until(next).await;
        let Some(redis) = redis.upgrade() else { return };
        next = Instant::now() + redis.connector.timing.probe_every;
        match redis.probe().await {
            Ok(connection) => {
                redis.breaker.close(connection);
                tracing::info!("Redis answers");
                return;
            }
            Err(error) if !logged => {
                logged = true;
                tracing::warn!(%error, "Redis is out of reach; it is tried again in the background");
            }
            Err(_) => {}
        }
    }
}

/// Whether the error says only that a key has a foreign type, which says nothing about Redis.
fn is_about_the_keys(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::UnexpectedReturnType
            | ErrorKind::Parse
            | ErrorKind::Server(ServerErrorKind::ResponseError)
    ) || error.code() == Some("WRONGTYPE")
}
