//! The program's only clock. Rules get the time as their argument `now`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use values::Timestamp;

/// Seconds since the epoch. A time before 1970 counts as 1970, so tokens would expire immediately.
pub fn now() -> Timestamp {
    Timestamp::from_seconds(since_epoch().as_secs())
}

/// Like [`now`], with a resolution below a second.
#[expect(clippy::disallowed_methods, reason = "this is the one clock")]
pub fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
