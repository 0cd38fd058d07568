//! Counters of the use of Redis.

use crate::counters::EventCount;

/// The counters since the start.
#[derive(Debug, Default)]
pub struct RedisCounters {
    /// Commands sent for rows, changes and used identifiers, without probes and the subscription.
    pub commands: EventCount,
    /// Rows found.
    pub hits: EventCount,
    /// Rows not found, expired ones included.
    pub misses: EventCount,
    /// Values that no replica of this installation sealed for this name: altered values, moved values, and
    /// values of another version or installation.
    pub rejected: EventCount,
    /// Rows written.
    pub puts: EventCount,
    /// Rows not written because of a change during their reading.
    pub overtaken_puts: EventCount,
    /// Identifiers refused without the store, because Redis had a mark that they were used.
    pub refused_early: EventCount,
    /// Marks of used identifiers written.
    pub marks: EventCount,
    /// Times that Redis was abandoned until a probe is answered.
    pub outages: EventCount,
    /// Changes sent to other replicas.
    pub published: EventCount,
    /// Messages that could not be sent before they became irrelevant.
    pub unpublished: EventCount,
    /// Messages of other replicas.
    pub received: EventCount,
    /// Messages that no replica of this installation has sealed.
    pub rejected_messages: EventCount,
}
