//! A connection to Redis, with which tests read and forge its content.

use std::time::Duration;

pub(crate) fn connection(url: &str) -> redis::Connection {
    let client = redis::Client::open(url).unwrap();
    client.get_connection_with_timeout(Duration::from_secs(1)).unwrap()
}
