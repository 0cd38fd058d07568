//! Checks whether Redis has everything that replicas need, for example for `latchkey doctor`.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use redis::{RedisError, RedisResult, Value};
use tokio::time::timeout;

use super::connector::Connector;
use super::names::Names;
use super::options::RedisOptions;
use super::probe::Probe;
use super::sealer::token;
use super::trouble::is_answer;

/// The time limit of the check. It is longer than that of a request.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Debug, thiserror::Error)]
pub enum RedisFault {
    /// Redis cannot be reached.
    #[error("it does not answer: {0}")]
    Unreachable(String),
    /// Redis refuses a command that replicas need.
    #[error("it refuses {what}: {why}")]
    Refused {
        /// What Redis refuses.
        what: &'static str,
        why: String,
    },
}

/// Connects to Redis, runs the scripts of requests on each node, and subscribes to the channel.
///
/// # Errors
/// [`RedisFault`], whose text does not contain the password.
pub async fn ping(options: RedisOptions) -> Result<(), RedisFault> {
    let RedisOptions { address, mut timing, prefix, .. } = options;
    (timing.connect, timing.response) = (PATIENCE, PATIENCE);
    let (connector, names) = (Connector::new(address, timing), Names { prefix });
    let mut connection = in_time(connector.connect()).await.map_err(fault("the connection"))?;
    let (token, probe) = (token(), Probe::new(&names));
    for node in 0..connection.nodes() {
        let keys = probe.keys_of(&connection, node);
        for (what, script, arguments) in probe.steps(&token) {
            let ran = in_time(connection.run::<Value>(node, script, &keys, &arguments)).await;
            ran.map_err(fault(what))?;
        }
    }
    in_time(connector.subscribe(&names.channel())).await.map(drop).map_err(fault("the subscription"))
}

fn fault(what: &'static str) -> impl Fn(RedisError) -> RedisFault {
    move |error| match (is_answer(error.kind()), error.to_string()) {
        (true, why) => RedisFault::Refused { what, why },
        (false, why) => RedisFault::Unreachable(why),
    }
}

async fn in_time<T>(answer: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    let late = |_| Err(Error::new(ErrorKind::TimedOut, "no answer in 3 s").into());
    timeout(PATIENCE, answer).await.unwrap_or_else(late)
}
