//! Measures the work for a warm request. A test counts its allocations, and `cargo xtask instructions` counts
//! its instructions. Both run the HTTP service of a listener with its access log, on memory stores behind the
//! real caches. Client and server share one thread, so that each run does the same steps in the same order.
//! In reading order:
#![expect(clippy::unwrap_used, reason = "a tool of tests: a failure ends the count")]

mod kind;

mod composition;

mod client;
mod warm_server;

/// The program's own clock and log format, because writing the access log is part of the work.
#[path = "../../server/src/clock.rs"]
pub mod clock;
#[path = "../../server/src/json_lines.rs"]
mod json_lines;

pub use kind::RequestKind;
pub use warm_server::WarmServer;
