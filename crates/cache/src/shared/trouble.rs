//! Why Redis is not used.

use redis::{ErrorKind, RedisError};

/// Redis answered with an error that has no words of its own.
pub(crate) const REFUSES: &str = "Redis refuses commands";

/// What Redis says of a command, key or channel that the account of a script may not use.
const REFUSED_TO_SCRIPT: &str = "The user executing the script can't";

/// What is wrong, in words for operators. The text of the error is for the log alone.
pub(crate) fn trouble(error: &RedisError) -> &'static str {
    // The error of a script may have that of its command only in its text.
    let text = error.to_string();
    let has = |code: &str| error.code() == Some(code) || text.contains(&format!("-{code} "));
    match error.kind() {
        ErrorKind::AuthenticationFailed => "Redis refuses the credentials",
        kind if !is_answer(kind) => "Redis is out of reach",
        _ if has("NOAUTH") => "Redis refuses the credentials",
        _ if has("OOM") => "Redis is full",
        _ if has("READONLY") => "Redis accepts no writes",
        _ if has("NOPERM") || text.contains(REFUSED_TO_SCRIPT) => "the account of Redis lacks a right",
        _ => REFUSES,
    }
}

/// Whether Redis answered with this error.
pub(crate) fn is_answer(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Server(_) | ErrorKind::Extension)
}
