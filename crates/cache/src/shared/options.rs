//! The options of Redis: address, names, timeouts and clock.

use std::sync::Arc;
use std::time::Duration;

use super::address::{Address, InvalidRedisUrl};

/// The time since 1970 by this machine's clock, for expiry times that other machines read.
pub type WallClock = Arc<dyn Fn() -> Duration + Send + Sync>;

pub struct RedisOptions {
    pub(crate) address: Address,
    /// The prefix of names in Redis. Must not contain braces or colons, which have a meaning in names.
    pub prefix: String,
    pub timing: RedisTiming,
    /// The clock for expiry times.
    pub clock: WallClock,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedisTiming {
    /// The timeout of a connection attempt. No request waits for it.
    pub connect: Duration,
    /// The timeout of a command. After a timeout, no request uses Redis until a probe succeeds.
    pub response: Duration,
    /// The first pause between two probes of an unavailable Redis.
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
