//! The options of Redis: address, names, timeouts and clock.

use std::sync::Arc;
use std::time::Duration;

use super::address::{Address, InvalidRedisUrl};

/// The time since 1970 by this machine's clock, for expiries that other machines understand.
pub type WallClock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The address and use of Redis.
pub struct RedisOptions {
    pub(crate) address: Address,
    /// The prefix of names in Redis. Braces and colons have a meaning in names, so it has none.
    pub prefix: String,
    /// The timeouts.
    pub timing: RedisTiming,
    /// The clock of expiries.
    pub clock: WallClock,
}

/// Timeouts of Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedisTiming {
    /// The timeout of a connection attempt. No request waits for it.
    pub connect: Duration,
    /// The timeout of a command. After the first timeout no request waits until Redis has answered a probe.
    pub response: Duration,
    /// The pause between two probes of an unavailable Redis.
    pub probe_every: Duration,
}

impl Default for RedisTiming {
    fn default() -> Self {
        Self {
            connect: Duration::from_millis(100),
            response: Duration::from_millis(50),
            probe_every: Duration::from_millis(250),
        }
    }
}

impl RedisOptions {
    /// The default prefix of names in Redis.
    pub const PREFIX: &str = "latchkey";

    /// Parses a URL: `redis://`, `rediss://`, or these with `+sentinel` or `+cluster` and several hosts.
    ///
    /// # Errors
    /// [`InvalidRedisUrl`].
    pub fn new(url: &str, clock: WallClock) -> Result<Self, InvalidRedisUrl> {
        let prefix = Self::PREFIX.to_owned();
        Ok(Self { address: Address::parse(url)?, prefix, timing: RedisTiming::default(), clock })
    }
}
