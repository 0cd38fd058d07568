//! Publishes a change to Redis before the program ends. Running servers read changes from the store. But with
//! Redis they would read the previous row from Redis until it expires after ten seconds.

use std::io::{Write as _, stderr};
use std::time::Duration;

use administration::kinds::Invalidation;
use cache::Caches;
use tokio::time::sleep;

/// The connection is opened in the background, and may not be ready yet.
const ATTEMPTS: usize = 15;
const PAUSE: Duration = Duration::from_millis(100);

/// Waits until the change is published. Prints a warning if that fails.
pub(crate) async fn publish(caches: &Caches, changed: &[Invalidation]) {
    for _ in 0..ATTEMPTS {
        if changed.is_empty() || caches.publish_invalidation(changed).await {
            return;
        }
        sleep(PAUSE).await;
    }
    let _ = writeln!(
        stderr(),
        "warning: cannot notify Redis, so running servers may use the old state for up to ten seconds"
    );
}
