//! How Redis is used: where it is, under which names, how long it is waited for, and what time it is.

use std::sync::Arc;
use std::time::Duration;

use super::address::{Address, InvalidRedisUrl};

/// The time since 1970 by this machine's clock: what is shared carries an expiry that other machines understand.
pub type WallClock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// Where and how to use Redis.
pub struct RedisOptions {
    pub(crate) address: Address,
    pub(crate) prefix: String,
    pub(crate) timing: RedisTiming,
    pub(crate) clock: WallClock,
}

/// How long Redis is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedisTiming {
    /// Until a connection is made. No request waits for that.
    pub connect: Duration,
    /// Until a command is answered; after the first that is not, no request waits until Redis has answered a probe.
    pub response: Duration,
    /// Between two probes of a Redis that does not answer.
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
    /// Names in Redis begin with this, unless [`RedisOptions::prefix`] says otherwise.
    pub const PREFIX: &str = "latchkey";

    /// From a URL: `redis://`, `rediss://`, or these with `+sentinel` or `+cluster` and several hosts.
    ///
    /// # Errors
    /// [`InvalidRedisUrl`].
    pub fn new(url: &str, clock: WallClock) -> Result<Self, InvalidRedisUrl> {
        let prefix = Self::PREFIX.to_owned();
        Ok(Self { address: Address::parse(url)?, prefix, timing: RedisTiming::default(), clock })
    }

    /// Lets several installations share a Redis. Braces and colons mean something in names and become `-`.
    #[must_use]
    pub fn prefix(self, prefix: &str) -> Self {
        Self { prefix: prefix.replace(['{', '}', ':'], "-"), ..self }
    }

    /// Waits otherwise than by default.
    #[must_use]
    pub fn timing(self, timing: RedisTiming) -> Self {
        Self { timing, ..self }
    }
}
