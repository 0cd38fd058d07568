//! Publishes a change to Redis before the program ends. Running servers learn of a change from the store
//! itself. But with Redis they would read the old row from it for the rest of its ten seconds.

use std::io::{Write as _, stderr};
use std::time::Duration;

use administration::kinds::Invalidation;
use cache::Caches;
use tokio::time::sleep;

/// A connection is opened in the background, and may not be open yet.
const ATTEMPTS: usize = 15;
const PAUSE: Duration = Duration::from_millis(100);

/// Waits until the change is published. If that fails, a warning goes to the standard error.
pub(crate) async fn publish(caches: &Caches, changed: &[Invalidation]) {
    for _ in 0..ATTEMPTS {
        if changed.is_empty() || caches.publish_invalidation(changed).await {
            return;
        }
        sleep(PAUSE).await;
    }
    let _ = writeln!(
        stderr(),
        "warning: Redis could not be told; running servers may know the old state for up to ten seconds"
    );
}
