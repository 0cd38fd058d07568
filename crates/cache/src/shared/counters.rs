//! Counters of the use of Redis.

use crate::counters::Counter;

/// The counters since the start.
#[derive(Debug, Default)]
pub struct RedisCounters {
    /// Commands sent for rows, changes and used identifiers, without probes and the subscription.
    pub commands: Counter,
    /// Rows found.
    pub hits: Counter,
    /// Rows not found, expired ones included.
    pub misses: Counter,
    /// Values that no replica of this installation sealed for this name: altered values, moved values, and
    /// values of another version or installation.
    pub rejected: Counter,
    /// Rows written.
    pub puts: Counter,
    /// Rows not written because of a change during their reading.
    pub overtaken_puts: Counter,
    /// Identifiers refused without the store, because Redis had a mark that they were used.
    pub refused_early: Counter,
    /// Marks of used identifiers written.
    pub marks: Counter,
    /// Times that Redis was abandoned until a probe is answered.
    pub outages: Counter,
    /// Changes sent to other replicas.
    pub published: Counter,
    /// Messages that could not be sent before they became irrelevant.
    pub unpublished: Counter,
    /// Messages of other replicas.
    pub received: Counter,
    /// Messages that no replica of this installation has sealed.
    pub rejected_messages: Counter,
}
