//! The program's only clock. Rules take `now` as an argument, which comes from here.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use values::Timestamp;

/// Seconds since the epoch. A clock before 1970 counts as 1970; its tokens are expired when issued.
pub fn now() -> Timestamp {
    Timestamp::from_seconds(since_epoch().as_secs())
}

/// Like [`now`], with a resolution below a second.
#[expect(clippy::disallowed_methods, reason = "this is the one clock")]
pub fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
