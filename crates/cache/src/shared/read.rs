//! Reads a row from Redis or, where it is not there, from the store, and leaves it in Redis for the others.
//!
//! A reader who finds nothing is given a lease, a random token that Redis holds beside the value, and reads the store only then.
//! Whoever changes the row removes the lease after the commit. So a value that was read before a change is never written after
//! it: its lease is gone, whether by the change, by a flush, or because Redis started anew.

use std::sync::Arc;
use std::time::Duration;

use tenancy::StoreError;
use tokio::time::Instant;

use super::RedisCache;
use super::entry::{self, Row};
use super::names::SharedItem;
use super::scripts::{LOOK, PUT};
use super::sealer::token;
use crate::Freshness;

/// How long a load may take and still be shared, in milliseconds. Then the lease is forgotten.
const LEASE: &[u8] = b"10000";
/// An epoch may be forgotten at any time: all that was read under it is void then, and read anew.
const EPOCH: &[u8] = b"3600000";

/// What was read, and as of when.
pub struct Reading<V> {
    /// The row, if there is one.
    pub value: Option<Arc<V>>,
    /// When the store was asked; for what came from Redis, when the replica that read it did.
    pub at: Instant,
}

enum Found<V> {
    Row(Reading<V>),
    Nothing(Option<Lease>),
}

/// The right to share what is read from now on.
struct Lease {
    names: [String; 3],
    lease: String,
    epoch: String,
}

/// Epoch, value, the value's remaining milliseconds, lease.
type Answer = (String, Option<Vec<u8>>, i64, Option<String>);

/// The row, from Redis if there is one, else by this load, which must not have begun.
pub(crate) async fn read<R: Row>(
    redis: Option<&Arc<RedisCache>>,
    freshness: Freshness,
    item: SharedItem<'_>,
    load: impl Future<Output = Result<Option<Arc<R>>, StoreError>> + Send,
) -> Result<Reading<R>, StoreError> {
    let redis = redis.filter(|redis| redis.is_up() && !redis.pending_invalidations.is_pending(item.tenant()));
    let Some(redis) = redis else {
        let at = Instant::now();
        return Ok(Reading { value: load.await?, at });
    };
    let lease = match redis.look(item, freshness).await {
        Found::Row(reading) => return Ok(reading),
        Found::Nothing(lease) => lease,
    };
    let (at, wall) = (Instant::now(), (redis.clock)());
    let value = load.await?;
    if let Some(lease) = lease {
        let (redis, value) = (Arc::clone(redis), value.clone());
        // Nobody waits for it.
        redis
            .connection
            .runtime
            .clone()
            .spawn(async move { redis.put(&lease, freshness, at, wall, value.as_deref()).await });
    }
    Ok(Reading { value, at })
}

impl RedisCache {
    async fn look<R: Row>(&self, item: SharedItem<'_>, freshness: Freshness) -> Found<R> {
        let names = self.names.of(item);
        let counters = &self.connection.counters;
        let mut discard = false;
        loop {
            let (at, now) = (Instant::now(), (self.clock)());
            let Some((epoch, value, left, lease)) = self.ask(&names, discard).await else {
                counters.misses.count();
                return Found::Nothing(None);
            };
            if let Some(sealed) = value {
                match entry::open::<R>(&self.sealer, &names[0], &epoch, freshness, now, &sealed) {
                    Some(entry) => {
                        // Redis's own clock and ours: whichever says less, so that neither alone can stretch a life.
                        let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
                        let remaining = entry.remaining.min(left);
                        let age = freshness.of(entry.value.as_ref()).saturating_sub(remaining);
                        if let Some(at) = at.checked_sub(age).filter(|_| !remaining.is_zero()) {
                            counters.hits.count();
                            return Found::Row(Reading { value: entry.value, at });
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
            return Found::Nothing(lease.map(|lease| Lease { names, lease, epoch }));
        }
    }

    async fn ask(&self, names: &[String; 3], discard: bool) -> Option<Answer> {
        let token = token()?;
        let arguments: [&[u8]; 4] = [token.as_bytes(), LEASE, EPOCH, b"discard"];
        let arguments = if discard { &arguments[..] } else { &arguments[..3] };
        self.connection.run(&LOOK, names, arguments).await
    }

    async fn put<R: Row>(
        &self,
        lease: &Lease,
        freshness: Freshness,
        at: Instant,
        wall: Duration,
        value: Option<&R>,
    ) {
        let Lease { names, lease, epoch } = lease;
        let left = freshness.of(value).saturating_sub(at.elapsed()).as_millis().to_string();
        let Some(sealed) = entry::seal(&self.sealer, &names[0], epoch, freshness, wall, value) else {
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
