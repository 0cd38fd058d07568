//! A bounded cache in front of a source. Concurrent reads of a key share one load. Negative results are
//! cached briefly. Stale values are served only while the source is unavailable. After an invalidation, no
//! value from before it is served.

use std::sync::Arc;
use std::time::Duration;

use administration::kinds::Invalidation;
use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tenancy::{StoreError, Stored, TenantId};
use tokio::time::Instant;

use crate::counters::Counters;
use crate::row_key::BorrowedRowKey;
use crate::shared::SharedRows;
use crate::slot::Value;
use crate::untyped_cache::{LoadedRow, UntypedCache, WantedRow};
use crate::{Freshness, SharedReading};

#[async_trait]
pub trait Source: Send + Sync + 'static {
    type Key: Clone + Send + Sync + 'static;
    type Value: Send + Sync + 'static;

    /// The name of the values in log messages, in the plural.
    const NAME: &'static str;

    /// The estimated size in bytes of an entry with this value, or of a negative entry.
    fn bytes(key: &Self::Key, value: Option<&Self::Value>) -> usize;

    /// The tenant of a key, and the name that distinguishes the tenant's keys.
    fn name(key: &Self::Key) -> (&TenantId, &str);

    /// Reads the row from the store, or from Redis if another replica has read it. Must check that the result
    /// is the requested row, as [`checked`] does.
    async fn load(&self, key: &Self::Key) -> Stored<SharedReading<Self::Value>>;

    /// Like `load`, with an earlier value of this key, which may be from before a change.
    async fn load_later(
        &self,
        key: &Self::Key,
        _known: Arc<Self::Value>,
    ) -> Stored<SharedReading<Self::Value>> {
        self.load(key).await
    }

    /// How long after its freshness a value may be served while the store is unavailable.
    fn stale_if_error(&self, tenant: &TenantId, value: &Self::Value) -> Duration;
}

/// The cache. Reads must run in a Tokio runtime: a load is a separate task, so that it continues for other
/// readers if its caller is cancelled.
pub struct ReadThrough<S: Source> {
    pub(crate) source: Arc<S>,
    cache: Arc<UntypedCache>,
    /// Counters since the start.
    pub counters: Arc<Counters>,
}

struct Asked<'a, S: Source> {
    source: &'a Arc<S>,
    key: &'a S::Key,
    /// How long the value may be served stale. `None` asks the source.
    stale_if_error: Option<Duration>,
}

impl<S: Source> ReadThrough<S> {
    /// Creates a cache for `capacity` bytes, as estimated by [`Source::bytes`]. In a full cache, a new entry
    /// of a tenant with more than an equal share evicts other entries of the same tenant. Otherwise the least
    /// used entries are evicted.
    #[must_use]
    pub fn new(source: S, capacity: u64, freshness: Freshness) -> Self {
        let counters = Arc::<Counters>::default();
        let cache = UntypedCache::new(S::NAME, capacity, freshness, Arc::clone(&counters));
        Self { source: Arc::new(source), cache: Arc::new(cache), counters }
    }

    /// The value of this key, from memory or from the source.
    ///
    /// # Errors
    /// The error of the source. If the source is unavailable, only if there is no value that may be served
    /// stale.
    pub async fn get(&self, key: &S::Key) -> Stored<Option<Arc<S::Value>>> {
        let asked = Asked { source: &self.source, key, stale_if_error: None };
        Ok(self.cache.get(&asked).await?.map(owned))
    }

    /// Like `get`, with the given limit for stale values.
    pub(crate) async fn get_stale(
        &self,
        key: &S::Key,
        stale_if_error: Duration,
    ) -> Stored<Option<Arc<S::Value>>> {
        let asked = Asked { source: &self.source, key, stale_if_error: Some(stale_if_error) };
        Ok(self.cache.get(&asked).await?.map(owned))
    }

    /// The value, if it is in memory and fresh.
    pub(crate) fn fresh(&self, key: &S::Key) -> Option<Arc<S::Value>> {
        self.cache.fresh(name::<S>(key)).map(owned)
    }

    /// The last known value, even if it is stale. Does not load.
    #[must_use]
    pub fn peek(&self, key: &S::Key) -> Option<Arc<S::Value>> {
        self.cache.peek(name::<S>(key)).map(owned)
    }

    /// Whether any value in memory could be served if the source were unavailable. Stops at the first one.
    #[must_use]
    pub fn may_serve_stale(&self) -> bool {
        self.cache.may_serve_stale(&|tenant, value| self.source.stale_if_error(tenant, borrowed(value)))
    }

    /// Drops one key. A read after this call returns the value after the change.
    pub fn invalidate(&self, key: &S::Key) {
        self.cache.invalidate(name::<S>(key));
    }

    /// Drops all keys of a tenant. A read after this call returns the values after the change.
    pub fn invalidate_tenant(&self, tenant: &TenantId) {
        self.cache.invalidate_tenant(tenant);
    }

    /// Drops all keys. Reads after this call return new values, except [`ReadThrough::get_stale`] while the
    /// store is unavailable.
    pub(crate) fn begin_history(&self) {
        self.cache.begin_history();
    }

    /// Records that all changes until `at` have been applied.
    pub(crate) fn follow(&self, at: Instant) {
        self.cache.follow(at);
    }

    /// The time since all changes were last known.
    pub(crate) fn followed_age(&self) -> Duration {
        self.cache.followed_age()
    }

    /// Makes all entries expire within this time. Each is read again when it is requested.
    pub(crate) fn expire_all(&self, within: Duration) {
        self.cache.expire_all(within);
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> u64 {
        self.cache.bytes()
    }
}

impl<S: Source> WantedRow for Asked<'_, S> {
    fn name(&self) -> BorrowedRowKey<'_> {
        name::<S>(self.key)
    }

    fn bytes_of_absence(&self) -> u32 {
        bytes::<S>(self.key, None)
    }

    fn stale_if_error(&self, value: &Value) -> Duration {
        let of_source = || self.source.stale_if_error(self.name().tenant, borrowed(value));
        self.stale_if_error.unwrap_or_else(of_source)
    }

    fn load(&self, known: Option<Value>) -> BoxFuture<'static, Stored<LoadedRow>> {
        let (source, key) = (Arc::clone(self.source), self.key.clone());
        Box::pin(async move {
            let SharedReading { value, at, is_shared } = match known {
                Some(known) => source.load_later(&key, owned(known)).await?,
                None => source.load(&key).await?,
            };
            let bytes = bytes::<S>(&key, value.as_deref());
            Ok(LoadedRow { value: value.map(|value| value as Value), at, is_shared, bytes })
        })
    }
}

/// Invalidates a tenant's rows on drop, here and at other replicas. So the invalidation also happens if the
/// caller is cancelled during a write that may have succeeded.
pub(crate) struct ReadAnew<'a, S: Source> {
    pub(crate) cache: &'a ReadThrough<S>,
    pub(crate) shared: &'a SharedRows,
    pub(crate) row: Invalidation,
}

impl<S: Source> Drop for ReadAnew<'_, S> {
    fn drop(&mut self) {
        // The invalidation runs in the background. Until it is complete, Redis is bypassed.
        drop(self.shared.publish_invalidation(std::slice::from_ref(&self.row)));
        self.cache.invalidate_tenant(self.row.tenant());
    }
}

/// The row, if the store answered with the requested one. Both are given as tenant and name.
pub(crate) fn checked<V>(
    asked: (&TenantId, &str),
    found: Option<Arc<V>>,
    of: impl FnOnce(&V) -> (&TenantId, &str),
) -> Stored<Option<Arc<V>>> {
    let Some(answered) = found.as_deref().map(of).filter(|answered| *answered != asked) else {
        return Ok(found);
    };
    let row = |(tenant, name)| format!("{tenant}/{name}").trim_end_matches('/').to_owned();
    let (answered, asked) = (row(answered), row(asked));
    Err(StoreError::fault(format!("the store answered with {answered} instead of {asked}")))
}

const ONE_TYPE: &str = "a cache has the values of its own source alone";

fn owned<V: Send + Sync + 'static>(value: Value) -> Arc<V> {
    value.downcast().expect(ONE_TYPE)
}

fn borrowed<V: 'static>(value: &Value) -> &V {
    value.downcast_ref().expect(ONE_TYPE)
}

fn name<S: Source>(key: &S::Key) -> BorrowedRowKey<'_> {
    let (tenant, id) = S::name(key);
    BorrowedRowKey { tenant, id }
}

fn bytes<S: Source>(key: &S::Key, value: Option<&S::Value>) -> u32 {
    u32::try_from(S::bytes(key, value)).unwrap_or(u32::MAX)
}
