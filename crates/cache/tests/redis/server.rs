//! A connection with which tests read and forge the content of Redis.

use std::time::Duration;

pub(crate) fn connection(url: &str) -> redis::Connection {
    let client = redis::Client::open(url).unwrap();
    client.get_connection_with_timeout(Duration::from_secs(1)).unwrap()
}
