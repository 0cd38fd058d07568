//! Tests sharing with a real Redis: the server that `cargo xtask test` starts for all tests, and servers that
//! a test starts itself to pause, kill, flush and restart them.

#![expect(clippy::unwrap_used, reason = "a helper that fails here has failed the test")]
#![expect(clippy::print_stdout, reason = "times are not asserted tightly, but shown on demand")]

mod accounts;
mod changes;
mod limits;
mod outages;
mod races;
mod replays;
mod server;
mod sharing;
mod tampering;
mod test_env;
mod topologies;
