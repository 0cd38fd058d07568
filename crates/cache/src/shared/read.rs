//! Reads a row from Redis or, if it is missing, from the store, and writes it to Redis for other replicas.
//!
//! A reader that finds no value gets a lease, a random token that Redis stores next to the value, and reads
//! the store only afterwards. A change deletes the lease after its commit. So a value from before a change is
//! never written after the change, because its lease is gone. A flush or a restart of Redis also deletes
//! leases.

use std::sync::Arc;
use std::time::Duration;

use administration::kinds::Invalidation;
use tenancy::Stored;
use tokio::sync::oneshot::Receiver;
use tokio::time::Instant;

use super::RedisCache;
use super::entry::{self, SharedRow};
use super::scripts::{LOOK, PUT};
use super::sealer::token;
use crate::Freshness;

/// The lifetime of a lease in milliseconds. A row whose load takes longer is not shared.
const LEASE: &[u8] = b"10000";
/// The lifetime of an epoch in milliseconds. When an epoch expires, its rows become invalid and are read
/// again.
const EPOCH: &[u8] = b"3600000";

/// A row and the time when it was read.
pub struct SharedReading<V> {
    pub value: Option<Arc<V>>,
    /// When the store was read. For a row from Redis, when the other replica read the store.
    pub at: Instant,
    /// Whether another replica read the row. It may have read the row before a change that this replica
    /// already knows.
    pub is_shared: bool,
}

enum FoundEntry<V> {
    Row(SharedReading<V>),
    Nothing(Option<Lease>),
}

/// The permission to write a row to Redis that is read from now on.
struct Lease {
    names: [String; 3],
    lease: String,
    epoch: String,
    /// The epoch, combined with the history that this replica knew before the load.
    sealed_epoch: String,
}

/// Epoch, value, remaining milliseconds of the value, lease.
type Answer = (String, Option<Vec<u8>>, i64, Option<String>);

/// The rows in Redis, if Redis is configured, and their freshness.
#[derive(Clone)]
pub(crate) struct SharedRows {
    pub(crate) redis: Option<Arc<RedisCache>>,
    pub(crate) freshness: Freshness,
}

impl SharedRows {
    /// Reads the row from Redis, or with `load` if Redis does not have it. `load` must not have started.
    pub(crate) async fn read<R: SharedRow>(
        &self,
        row: &Invalidation,
        load: impl Future<Output = Stored<Option<Arc<R>>>> + Send,
    ) -> Stored<SharedReading<R>> {
        let is_usable = |redis: &&Arc<RedisCache>| {
            redis.is_up_for(row.tenant()) && !redis.pending_invalidations.is_pending(row.tenant())
        };
        let Some(redis) = self.redis.as_ref().filter(is_usable) else {
            let at = Instant::now();
            return Ok(SharedReading { value: load.await?, at, is_shared: false });
        };
        let freshness = self.freshness;
        let lease = match redis.look(row, freshness).await {
            FoundEntry::Row(reading) => return Ok(reading),
            FoundEntry::Nothing(lease) => lease,
        };
        let (at, wall) = (Instant::now(), (redis.clock)());
        let value = load.await?;
        if let Some(lease) = lease {
            let (redis, value) = (Arc::clone(redis), value.clone());
            let runtime = redis.connection.runtime.clone();
            // No request waits for the write.
            runtime.spawn(async move { redis.put(&lease, freshness, at, wall, value.as_deref()).await });
        }
        Ok(SharedReading { value, at, is_shared: false })
    }

    /// Publishes invalidations to Redis and the other replicas. The receiver gets whether it succeeded.
    pub(crate) fn publish_invalidation(&self, changes: &[Invalidation]) -> Option<Receiver<bool>> {
        let redis = self.redis.as_ref().filter(|_| !changes.is_empty())?;
        Some(redis.publish_invalidation(changes, self.freshness))
    }
}

impl RedisCache {
    async fn look<R: SharedRow>(&self, row: &Invalidation, freshness: Freshness) -> FoundEntry<R> {
        let names = self.names.of(row);
        let counters = &self.connection.counters;
        let mut discard = false;
        loop {
            let (at, now) = (Instant::now(), (self.clock)());
            let Some((epoch, value, left, lease)) = self.ask(&names, discard).await else {
                counters.misses.count();
                return FoundEntry::Nothing(None);
            };
            let sealed_epoch = self.epoch_of_history(&epoch);
            if let Some(sealed) = value {
                match entry::open::<R>(&self.sealer, &names[0], &sealed_epoch, freshness, now, &sealed) {
                    Some(entry) => {
                        // The shorter remaining time applies, that of Redis or that of this replica's clock,
                        // so that neither clock alone can extend a lifetime.
                        let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
                        let remaining = entry.remaining.min(left);
                        let age = freshness.of(entry.value.as_ref()).saturating_sub(remaining);
                        if let Some(at) = at.checked_sub(age).filter(|_| !remaining.is_zero()) {
                            counters.hits.count();
                            return FoundEntry::Row(SharedReading {
                                value: entry.value,
                                at,
                                is_shared: true,
                            });
                        }
                    }
                    None => counters.rejected.count(),
                }
                if !discard {
                    discard = true;
                    continue;
                }
            }
            counters.misses.count();
            return FoundEntry::Nothing(lease.map(|lease| Lease { names, lease, epoch, sealed_epoch }));
        }
    }

    async fn ask(&self, names: &[String; 3], discard: bool) -> Option<Answer> {
        let token = token();
        let arguments: [&[u8]; 4] = [token.as_bytes(), LEASE, EPOCH, b"discard"];
        let arguments = if discard { &arguments[..] } else { &arguments[..3] };
        self.connection.run(&LOOK, names, arguments).await
    }

    async fn put<R: SharedRow>(
        &self,
        lease: &Lease,
        freshness: Freshness,
        at: Instant,
        wall: Duration,
        value: Option<&R>,
    ) {
        let Lease { names, lease, epoch, sealed_epoch } = lease;
        let left = freshness.of(value).saturating_sub(at.elapsed()).as_millis().to_string();
        let Some(sealed) = entry::seal(&self.sealer, &names[0], sealed_epoch, freshness, wall, value) else {
            return;
        };
        if left == "0" {
            return;
        }
        let arguments = [lease.as_bytes(), epoch.as_bytes(), &sealed, left.as_bytes()];
        match self.connection.run(&PUT, names, &arguments).await {
            Some(true) => self.connection.counters.puts.count(),
            Some(false) => self.connection.counters.overtaken_puts.count(),
            None => {}
        }
    }
}
