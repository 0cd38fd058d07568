//! Whether Redis answers, for a check by another program, such as `latchkey doctor`. Unlike the probe of a
//! replica it writes nothing.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use redis::RedisResult;
use tokio::time::timeout;

use super::connector::{Connection, Connector};
use super::options::RedisOptions;

/// A look may wait longer than a request.
const PATIENCE: Duration = Duration::from_secs(3);

/// Connects to Redis and sends `PING`.
///
/// # Errors
/// The error of Redis or of the connection. The text holds no password.
pub async fn ping(options: RedisOptions) -> Result<(), String> {
    let RedisOptions { address, mut timing, .. } = options;
    (timing.connect, timing.response) = (PATIENCE, PATIENCE);
    let connector = Connector::new(address, timing);
    let pinged = timeout(PATIENCE, async { pong(connector.connect().await?).await }).await;
    pinged
        .unwrap_or_else(|_| Err(Error::new(ErrorKind::TimedOut, "no answer in 3 s").into()))
        .map_err(|error| error.to_string())
}

async fn pong(connection: Connection) -> RedisResult<()> {
    let ping = redis::cmd("PING");
    match connection {
        Connection::Server(mut connection) => ping.query_async(&mut connection).await,
        Connection::Cluster(mut cluster) => {
            for master in 0..cluster.masters() {
                ping.query_async::<()>(cluster.connection(master)?).await?;
            }
            Ok(())
        }
    }
}
