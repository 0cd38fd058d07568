//! What is left of expired rows is deleted batch by batch, and by two replicas at once.

use protocol::Timestamp;
use sessions::SessionStore as _;
use storage::Database;

/// More than two batches.
pub(crate) const EXPIRED: u64 = 1_200;

/// Each table has so many expired rows, which `left` counts.
pub(crate) async fn assert_deleted_in_batches(
    database: &Database,
    now: Timestamp,
    mut left: impl AsyncFnMut() -> Vec<u64>,
) {
    let tables = left().await.len();
    for (deleted, rest) in [(500, 700), (500, 200), (200, 0), (0, 0)] {
        let batch = database.delete_expired_sign_ins(now).await.unwrap();
        assert_eq!((batch, left().await), (deleted * tables as u64, vec![rest; tables]));
    }
}

/// Each of them does what the program does once a minute. No row is in the way of the other one, and none is counted twice.
pub(crate) async fn delete_at_two_replicas([one, other]: [&Database; 2], now: Timestamp) -> u64 {
    let all = async |database: &Database| {
        let mut sum = 0;
        loop {
            match database.delete_expired_sign_ins(now).await.unwrap() {
                0 => return sum,
                deleted => sum += deleted,
            }
        }
    };
    let (one, other) = tokio::join!(all(one), all(other));
    one + other
}
