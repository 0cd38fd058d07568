//! How often and how soon an edit, or a reading that has to be of one revision, is tried again.

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
