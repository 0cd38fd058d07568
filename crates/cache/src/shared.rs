//! The cache in Redis that replicas share. It has rows that one replica has read for the others, marks of
//! used identifiers, counts of limits, and invalidations. Redis is neither trusted nor required: a value that
//! is not authentic counts as missing, and without Redis the store is read. In reading order:

mod address;
mod options;

mod breaker;
mod cluster;
mod connector;
mod outage;
mod redis_connection;
mod scripts;

mod entry;
#[cfg(test)]
mod format_tests;
mod names;
mod sealer;

mod pending_invalidations;
mod read;

mod used_identifiers;

mod listen;
mod message;
mod publish_invalidation;

mod counters;
mod exchange;
mod ping;
mod probe;
mod redis_cache;
mod trouble;

pub use address::InvalidRedisUrl;
pub use counters::RedisCounters;
pub use options::{RedisOptions, RedisTiming, WallClock};
pub use ping::{RedisFault, ping};
pub use read::SharedReading;
pub use redis_cache::RedisCache;

pub(crate) use listen::listen;
pub(crate) use read::SharedRows;
