//! Whether Redis does what replicas need, for a check by another program, such as `latchkey doctor`. As the
//! probe of a replica, it writes a value that is gone after a millisecond, and a message that replicas pass
//! over.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use redis::{RedisResult, Value};
use tokio::time::timeout;

use super::connector::Connector;
use super::names::Names;
use super::options::RedisOptions;
use super::redis_connection::{EMPTY_MESSAGE, probe_arguments, probe_keys_of};
use super::scripts::{LOOK, PUBLISH_INVALIDATION};
use super::sealer::token;

/// A look may wait longer than a request.
const PATIENCE: Duration = Duration::from_secs(3);

/// What Redis does not do.
#[derive(Debug, thiserror::Error)]
pub enum RedisFault {
    /// It cannot be reached.
    #[error("it does not answer: {0}")]
    Unreachable(String),
    /// It refuses a part of what replicas need.
    #[error("it refuses {what}: {why}")]
    Refused {
        /// Which part.
        what: &'static str,
        /// The error of Redis.
        why: String,
    },
}

/// Connects to Redis, runs the scripts of requests on each node, and subscribes.
///
/// # Errors
/// [`RedisFault`]. The text holds no password.
pub async fn ping(options: RedisOptions) -> Result<(), RedisFault> {
    let RedisOptions { address, mut timing, prefix, .. } = options;
    (timing.connect, timing.response) = (PATIENCE, PATIENCE);
    let (connector, names) = (Connector::new(address, timing), Names { prefix });
    let mut connection =
        in_time(connector.connect()).await.map_err(|error| RedisFault::Unreachable(error.to_string()))?;
    let refused = |what| move |why: redis::RedisError| RedisFault::Refused { what, why: why.to_string() };
    let (token, channel) = (token(), names.channel());
    for node in 0..connection.nodes() {
        let keys = probe_keys_of(&names.probe(), &connection, node);
        let arguments = probe_arguments(&token);
        let looked = in_time(connection.run::<Value>(node, &LOOK, &keys, &arguments)).await;
        looked.map_err(refused("scripts that write"))?;
        let told = [channel.as_bytes(), EMPTY_MESSAGE];
        let told = in_time(connection.run::<Value>(node, &PUBLISH_INVALIDATION, &keys, &told)).await;
        told.map_err(refused("scripts that publish"))?;
    }
    in_time(connector.subscribe(&channel)).await.map(drop).map_err(refused("the subscription"))
}

async fn in_time<T>(answer: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    let late = |_| Err(Error::new(ErrorKind::TimedOut, "no answer in 3 s").into());
    timeout(PATIENCE, answer).await.unwrap_or_else(late)
}
