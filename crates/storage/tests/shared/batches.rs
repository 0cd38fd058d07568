//! Expired rows are deleted by two replicas at once.

use protocol::Timestamp;
use sessions::SessionStore as _;
use storage::Database;

/// More than two batches.
pub(crate) const EXPIRED: u64 = 1_200;

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
