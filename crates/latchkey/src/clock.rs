//! The one clock of the program. Rules take `now` as an argument; this is where it comes from.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::Timestamp;

/// Seconds since the epoch. A machine whose clock stands before 1970 counts as standing at 1970: its tokens are born expired.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_seconds(since_epoch().as_secs())
}

/// As [`now`], for what must be told apart within a second.
#[expect(clippy::disallowed_methods, reason = "this is the one clock")]
pub(crate) fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
