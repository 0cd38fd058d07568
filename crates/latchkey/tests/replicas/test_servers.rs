//! The servers and programs that `cargo xtask test` provides through environment variables.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use testkit::server_variable;
use tokio::time::sleep;

/// Longer than any wait of these tests on a busy machine.
pub(crate) const LONGEST: Duration = Duration::from_secs(20);

pub(crate) fn server_path(variable: &str) -> PathBuf {
    PathBuf::from(server_variable(variable))
}

/// Polls until the condition is true, and returns how long that took.
#[track_caller]
pub(crate) fn eventually(
    what: &str,
    longest: Duration,
    mut is_so: impl AsyncFnMut() -> bool,
) -> impl Future<Output = Duration> {
    let began = Instant::now();
    async move {
        while !is_so().await {
            assert!(began.elapsed() < longest, "not in {longest:?}: {what}");
            sleep(Duration::from_millis(10)).await;
        }
        began.elapsed()
    }
}
