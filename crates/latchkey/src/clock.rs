//! The one clock of the program. Rules take `now` as an argument; this is where it comes from.

use std::time::{SystemTime, UNIX_EPOCH};

use protocol::Timestamp;

/// Seconds since the epoch. A machine whose clock stands before 1970 counts as standing at 1970: its tokens are born expired.
#[expect(clippy::disallowed_methods, reason = "this is the one clock")]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_seconds(since.as_secs())
}
