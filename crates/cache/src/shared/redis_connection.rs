//! Commands to Redis. A command that fails delays its caller once by the response timeout, and later callers
//! not at all. Only probes open connections, in the background.

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use redis::{ErrorKind, FromRedisValue, RedisError, RedisResult, Script, ServerErrorKind, Value};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::breaker::Breaker;
use super::connector::{Connection, Connector};
use super::counters::RedisCounters;
use super::names::Names;
use super::outage::Outage;
use super::probe::Probe;
use super::sealer::token;
use super::trouble::{REFUSES, trouble};

/// The time limit for finding a master, which needs several connections in a cluster or with Sentinels. No
/// request waits for it.
const SEARCH: Duration = Duration::from_secs(2);

pub(crate) struct RedisConnection {
    pub(crate) connector: Connector,
    pub(crate) counters: RedisCounters,
    /// The runtime of the connection, which must live longer than a worker.
    pub(crate) runtime: Handle,
    pub(crate) breaker: Breaker<Connection>,
    outage: Mutex<Outage>,
    probe: Probe,
}

impl RedisConnection {
    /// Does not wait for Redis. The first probe starts immediately, and Redis is not used before it succeeds.
    pub(crate) fn open(connector: Connector, runtime: Handle, names: &Names) -> Arc<Self> {
        let (counters, breaker) = (RedisCounters::default(), Breaker::open());
        let (outage, probe) = (Mutex::default(), Probe::new(names));
        let redis = Arc::new(Self { connector, counters, runtime, breaker, outage, probe });
        redis.start_probes(Instant::now());
        redis
    }

    /// Runs a script. Returns `None` if Redis is unreachable or the result is unexpected.
    pub(crate) async fn run<T: FromRedisValue>(
        self: &Arc<Self>,
        script: &Script,
        keys: &[String],
        arguments: &[&[u8]],
    ) -> Option<T> {
        let node_of = |connection: &Connection| connection.node_of(keys.first()?);
        let (number, node, mut connection) = self.breaker.admit(node_of)?;
        self.counters.commands.count();
        let error = match self.attempt(&mut connection, node, (script, keys, arguments)).await {
            Ok(answer) => return Some(answer),
            Err(error) => error,
        };
        if is_about_the_keys(&error) {
            self.counters.rejected.count();
            return None;
        }
        if is_about_the_slots(&error) {
            if self.breaker.key_moved(number) {
                self.start_probes(Instant::now() + self.connector.timing.probe_every);
            }
            return None;
        }
        let (is_first, starts_probes) = self.breaker.trip(number, node);
        if is_first {
            self.counters.outages.count();
            self.fails(&error);
        }
        if starts_probes {
            self.start_probes(Instant::now() + self.pause());
        }
        None
    }

    /// Logs an outage once, however many commands fail.
    fn fails(&self, error: &RedisError) {
        let trouble = trouble(error);
        if self.outage.lock().fails(Instant::now(), trouble) {
            tracing::warn!(%error, "{trouble}; the store is read instead");
        }
    }

    /// The problem at the last failure.
    pub(crate) fn trouble(&self) -> &'static str {
        self.outage.lock().trouble.unwrap_or("Redis is not connected yet")
    }

    fn pause(&self) -> Duration {
        let chance = f64::from(RandomState::new().hash_one(()) as u32) / f64::from(u32::MAX);
        self.outage.lock().pause(self.connector.timing.probe_every, chance)
    }

    async fn attempt<T: FromRedisValue>(
        &self,
        connection: &mut Connection,
        node: usize,
        (script, keys, arguments): (&Script, &[String], &[&[u8]]),
    ) -> RedisResult<T> {
        let answered = connection.run(node, script, keys, arguments);
        let late = |_| Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer in time").into());
        timeout(self.connector.timing.response, answered).await.unwrap_or_else(late)
    }

    fn start_probes(self: &Arc<Self>, first: Instant) {
        let (redis, runtime) = (Arc::downgrade(self), self.runtime.clone());
        runtime.spawn(probe_until_answered(redis, first));
    }

    /// Probes each node. Returns the connection and the nodes that fail.
    async fn probe(&self) -> RedisResult<(Connection, BTreeSet<usize>)> {
        let late = |_| Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "no connection in time").into());
        let mut connection = timeout(SEARCH, self.connector.connect()).await.unwrap_or_else(late)?;
        let token = token();
        let (mut down, nodes) = (BTreeSet::new(), connection.nodes());
        for node in 0..nodes {
            let keys = self.probe.keys_of(&connection, node);
            let mut done = Ok(Value::Nil);
            for (_, script, arguments) in self.probe.steps(&token) {
                if done.is_ok() {
                    done = self.attempt(&mut connection, node, (script, &keys, &arguments)).await;
                }
            }
            match done {
                Ok(_) => {}
                Err(error) if down.len() + 1 == nodes => return Err(error),
                Err(error) => {
                    self.fails(&error);
                    down.insert(node);
                }
            }
        }
        Ok((connection, down))
    }
}

async fn probe_until_answered(redis: Weak<RedisConnection>, first: Instant) {
    let mut next = first;
    loop {
        sleep_until(next).await;
        let Some(redis) = redis.upgrade() else { return };
        match redis.probe().await {
            Ok((connection, down)) => {
                let is_up = down.is_empty();
                let is_first_connection = redis.breaker.close(connection, down) == 1;
                if is_up {
                    return tell_of_the_end(redis, is_first_connection).await;
                }
            }
            Err(error) => redis.fails(&error),
        }
        next = Instant::now() + redis.pause();
    }
}

/// Logs the end of an outage when Redis has answered for a while, and a first connection immediately.
async fn tell_of_the_end(redis: Arc<RedisConnection>, is_first_connection: bool) {
    redis.outage.lock().answers(Instant::now());
    if is_first_connection {
        tracing::info!("Redis answers");
    }
    let redis = Arc::downgrade(&redis);
    sleep(Outage::OVER_AFTER).await;
    if redis.upgrade().is_some_and(|redis| redis.outage.lock().is_over(Instant::now())) {
        tracing::info!("Redis answers again");
    }
}

/// Whether the error only says that a key has the wrong type. Redis itself works in this case.
fn is_about_the_keys(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::UnexpectedReturnType
            | ErrorKind::Parse
            | ErrorKind::Server(ServerErrorKind::ResponseError)
    ) && trouble(error) == REFUSES
        || error.code() == Some("WRONGTYPE")
}

/// Whether the error only says that keys have moved to another node. The node itself works in this case.
fn is_about_the_slots(error: &RedisError) -> bool {
    use ServerErrorKind::{Ask, Moved, TryAgain};
    matches!(error.kind(), ErrorKind::Server(Moved | Ask | TryAgain))
}
