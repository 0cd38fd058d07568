//! A connection to Redis, for a look at what is there, and for mischief.

use std::time::Duration;

pub(crate) fn connection(url: &str) -> redis::Connection {
    let client = redis::Client::open(url).unwrap();
    client.get_connection_with_timeout(Duration::from_secs(1)).unwrap()
}
