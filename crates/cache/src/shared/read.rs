//! Reads a row from Redis or, if it is missing, from the store, and writes it to Redis for other replicas.
//!
//! A reader that misses gets a lease, a random token that Redis holds beside the value, and only then reads
//! the store. A change removes the lease after its commit. So a value that was read before a change is never
//! written after it: a change, a flush or a restart of Redis has removed its lease.

use std::sync::Arc;
use std::time::Duration;

use administration::Invalidation;
use tenancy::Stored;
use tokio::sync::oneshot::Receiver;
use tokio::time::Instant;

use super::RedisCache;
use super::entry::{self, SharedRow};
use super::scripts::{LOOK, PUT};
use super::sealer::token;
use crate::Freshness;

/// The longest load whose row is still shared, in milliseconds. Then the lease expires.
const LEASE: &[u8] = b"10000";
/// An epoch may expire at any time: rows read under it are void then and are read again.
const EPOCH: &[u8] = b"3600000";

/// A row and the time of its reading.
pub struct SharedReading<V> {
    /// The row, if it exists.
    pub value: Option<Arc<V>>,
    /// When the store was read; for a row from Redis, when the other replica read the store.
    pub at: Instant,
    /// Whether another replica has read the row, perhaps before a change that this replica knew already.
    pub is_shared: bool,
}

enum FoundEntry<V> {
    Row(SharedReading<V>),
    Nothing(Option<Lease>),
}

/// The permission to share a row that is read from now on.
struct Lease {
    names: [String; 3],
    lease: String,
    epoch: String,
    /// The epoch in the history that this replica knew before the load.
    sealed_epoch: String,
}

/// Epoch, value, the value's remaining milliseconds, lease.
type Answer = (String, Option<Vec<u8>>, i64, Option<String>);

/// The rows that replicas share, if there is Redis, and how long they are fresh.
#[derive(Clone)]
pub(crate) struct SharedRows {
    pub(crate) redis: Option<Arc<RedisCache>>,
    pub(crate) freshness: Freshness,
}

impl SharedRows {
    /// Reads the row from Redis if it is there, otherwise by this load, which must not have started.
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

    /// Publishes invalidations to Redis and the other replicas; the receiver gets whether that succeeded.
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
                        // The shorter of the two remaining times counts, Redis's and this replica's, so
                        // neither clock alone can extend a lifetime.
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
