//! How much work is a warm request? A test counts its allocations, and `cargo xtask instructions` counts
//! its instructions. Both drive the HTTP service of a listener with its access log, over memory stores
//! behind the real caches. Client and server share one thread, so that each run does the same steps in
//! the same order. In reading order:
#![expect(clippy::unwrap_used, reason = "a tool of tests: a failure ends the count")]

mod kind;

mod composition;

mod client;
mod warm_server;

/// The clock and the format of log lines are the program's: the access line is a part of the work.
#[path = "../../server/src/clock.rs"]
pub mod clock;
#[path = "../../server/src/json_lines.rs"]
mod json_lines;

pub use kind::RequestKind;
pub use warm_server::WarmServer;
