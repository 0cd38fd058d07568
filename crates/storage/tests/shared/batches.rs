//! Tests that two replicas can delete expired rows at the same time.

use sessions::SessionStore as _;
use storage::Database;
use values::Timestamp;

/// More than two batches.
pub(crate) const EXPIRED: u64 = 1_200;

/// Both replicas run the deletion that the program runs once a minute. Neither waits for a row of the other,
/// and no row is counted twice.
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
