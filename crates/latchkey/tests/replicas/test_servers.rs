//! What `cargo xtask test` says in the environment: where the servers are that it has started, and the programs that start others.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::time::sleep;

/// Longer than anything that is waited for takes on a busy machine.
pub(crate) const LONGEST: Duration = Duration::from_secs(20);

/// A test that lacks a server fails rather than pass without having tested anything.
#[expect(
    clippy::disallowed_methods,
    reason = "xtask tells tests, through the environment, where their servers are"
)]
pub(crate) fn server_variable(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: run `cargo xtask test`"))
}

pub(crate) fn server_path(variable: &str) -> PathBuf {
    PathBuf::from(server_variable(variable))
}

/// Asks again until it is so, and tells how long that took.
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
