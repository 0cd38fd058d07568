//! How often an edit is tried again, and how long it waits before each attempt. The same numbers apply to a
//! read that needs one revision.

use std::time::Duration;

use tokio::time::sleep;

/// An attempt is stale only if another writer has committed.
pub(super) const ATTEMPTS: u32 = 20;

/// Waits for a millisecond before the second attempt, and a millisecond longer before each later one.
pub(super) async fn pause(attempt: u32) {
    if attempt > 0 {
        sleep(Duration::from_millis(u64::from(attempt))).await;
    }
}
