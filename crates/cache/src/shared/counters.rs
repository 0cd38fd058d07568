//! Counters of the use of Redis.

use crate::counters::EventCount;

/// Counters since the start.
#[derive(Debug, Default)]
pub struct RedisCounters {
    /// Commands for rows, changes, used identifiers and shared counts. Probes and the subscription do not
    /// count.
    pub commands: EventCount,
    /// Rows found.
    pub hits: EventCount,
    /// Rows not found, including expired rows.
    pub misses: EventCount,
    /// Values that no replica of this installation has sealed for this name: changed values, moved values,
    /// and values of another version or installation.
    pub rejected: EventCount,
    /// Rows written.
    pub puts: EventCount,
    /// Rows not written, because they changed while they were read.
    pub overtaken_puts: EventCount,
    /// Identifiers refused without a statement to the store, because Redis had a mark.
    pub refused_early: EventCount,
    /// Marks of used identifiers written.
    pub marks: EventCount,
    /// How many times Redis failed and was not used until a probe succeeded.
    pub outages: EventCount,
    /// Changes sent to other replicas.
    pub published: EventCount,
    /// Messages that could not be sent while they were relevant.
    pub unpublished: EventCount,
    /// Messages received from other replicas.
    pub received: EventCount,
    /// Messages that no replica of this installation has sealed.
    pub rejected_messages: EventCount,
}
