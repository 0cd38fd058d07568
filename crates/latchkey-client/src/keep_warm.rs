//! Renews a token by a timer, for services that are rarely called and must then answer at once.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use crate::entry::TokenEntry;

/// The timer wakes this often at least: it does not run while a machine is suspended.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// The shortest pause between two checks, so that a failing server does not get requests without a pause.
const SHORTEST_SLEEP: Duration = Duration::from_millis(100);

/// A timer that renews a token as long as this guard lives.
#[derive(Debug)]
#[must_use = "the timer ends when the guard is dropped"]
pub struct KeepWarm(Option<AbortHandle>);

impl KeepWarm {
    /// Outside a tokio runtime there is no timer, and the token is renewed when it is used.
    pub(crate) fn start(entry: &Arc<TokenEntry>) -> Self {
        let entry = Arc::downgrade(entry);
        Self(Handle::try_current().ok().map(|runtime| runtime.spawn(run(entry)).abort_handle()))
    }
}

impl Drop for KeepWarm {
    fn drop(&mut self) {
        if let Some(timer) = &self.0 {
            timer.abort();
        }
    }
}

async fn run(entry: Weak<TokenEntry>) {
    loop {
        let pause = {
            let Some(entry) = entry.upgrade() else { return };
            // The status shows a failure, and callers for a token get it.
            let _ = entry.read(|_| ()).await;
            let status = entry.status();
            // A token without a lifetime is not cached, so renewing it would be useless.
            status.retry_in.or(status.renews_in).unwrap_or(LONGEST_SLEEP)
        };
        sleep(pause.clamp(SHORTEST_SLEEP, LONGEST_SLEEP)).await;
    }
}
