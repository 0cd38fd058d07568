//! Why Redis is not used.

use redis::{ErrorKind, RedisError};

/// The message for errors without a more specific message.
pub(crate) const REFUSES: &str = "Redis refuses commands";

/// Redis's error text if the account may not use a command, key or channel in a script.
const REFUSED_TO_SCRIPT: &str = "The user executing the script can't";

/// The problem in words for operators. Only the log gets the text of the error itself.
pub(crate) fn trouble(error: &RedisError) -> &'static str {
    // If a command in a script fails, the code may be only in the text of the error.
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

/// Whether the error is an answer of Redis and not a connection failure.
pub(crate) fn is_answer(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Server(_) | ErrorKind::Extension)
}
