//! How often and after which waits an edit is repeated, or a read that needs one revision.

use std::time::Duration;

use tokio::time::sleep;

/// Each stale attempt means that another writer has committed.
pub(super) const ATTEMPTS: u32 = 20;

/// A millisecond before the second attempt, then a millisecond longer each time.
pub(super) async fn pause(attempt: u32) {
    if attempt > 0 {
        sleep(Duration::from_millis(u64::from(attempt))).await;
    }
}
