//! Counters of the use of Redis.

use std::sync::atomic::{AtomicU64, Ordering};

/// The counts since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RedisCounts {
    /// Commands sent for rows and changes, without probes and the subscription.
    pub commands: u64,
    /// Rows found.
    pub hits: u64,
    /// Rows not found, expired ones included.
    pub misses: u64,
    /// Values that no replica of this installation sealed for this name: altered, moved, of another version or of
    /// another installation.
    pub rejected: u64,
    /// Rows written.
    pub puts: u64,
    /// Rows not written because of a change during their reading.
    pub overtaken_puts: u64,
    /// Times that Redis was abandoned until a probe is answered.
    pub outages: u64,
    /// Changes sent to other replicas.
    pub published: u64,
    /// Messages that could not be sent before they became irrelevant.
    pub unpublished: u64,
    /// Messages of other replicas.
    pub received: u64,
    /// Messages that no replica of this installation has sealed.
    pub rejected_messages: u64,
}

#[derive(Default)]
pub(crate) struct RedisCounters {
    pub(crate) commands: Counter,
    pub(crate) hits: Counter,
    pub(crate) misses: Counter,
    pub(crate) rejected: Counter,
    pub(crate) puts: Counter,
    pub(crate) overtaken_puts: Counter,
    pub(crate) outages: Counter,
    pub(crate) published: Counter,
    pub(crate) unpublished: Counter,
    pub(crate) received: Counter,
    pub(crate) rejected_messages: Counter,
}

#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl RedisCounters {
    pub(crate) fn read(&self) -> RedisCounts {
        RedisCounts {
            commands: self.commands.read(),
            hits: self.hits.read(),
            misses: self.misses.read(),
            rejected: self.rejected.read(),
            puts: self.puts.read(),
            overtaken_puts: self.overtaken_puts.read(),
            outages: self.outages.read(),
            published: self.published.read(),
            unpublished: self.unpublished.read(),
            received: self.received.read(),
            rejected_messages: self.rejected_messages.read(),
        }
    }
}
