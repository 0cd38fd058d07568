//! A bounded cache before a source. It loads a key once at a time, caches absences shortly, serves stale
//! values only while the source is unavailable, and serves no value from before a change after that change.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tenancy::{Stored, TenantId};
use tokio::time::Instant;

use crate::counters::Counters;
use crate::row_key::BorrowedRowKey;
use crate::slot::Value;
use crate::untyped_cache::{LoadedRow, UntypedCache, WantedRow};
use crate::{Freshness, SharedReading};

/// The source of a cache.
#[async_trait]
pub trait Source: Send + Sync + 'static {
    /// The key.
    type Key: Clone + Send + Sync + 'static;
    /// The value.
    type Value: Send + Sync + 'static;

    /// The name of the values in the log, in the plural.
    const NAME: &'static str;

    /// The estimated bytes of a key with its value or its absence.
    fn bytes(key: &Self::Key, value: Option<&Self::Value>) -> usize;

    /// The tenant of a key, and what tells its keys from each other.
    fn name(key: &Self::Key) -> (&TenantId, &str);

    /// Reads the store, or what another replica has read from it, and checks that the
    /// answer is the requested row.
    async fn load(&self, key: &Self::Key) -> Stored<SharedReading<Self::Value>>;

    /// Loads the value when an earlier value of this key is known. The earlier one may be from before a
    /// change.
    async fn load_later(
        &self,
        key: &Self::Key,
        _known: Arc<Self::Value>,
    ) -> Stored<SharedReading<Self::Value>> {
        self.load(key).await
    }

    /// How long a value of this tenant may serve after its freshness while the store is unavailable.
    fn stale_if_error(&self, tenant: &TenantId, value: &Self::Value) -> Duration;
}

/// The cache. Reads must happen inside a Tokio runtime: a load is a task of its own, so it continues for
/// other readers when a caller gives up.
pub struct ReadThrough<S: Source> {
    pub(crate) source: Arc<S>,
    cache: Arc<UntypedCache>,
    /// The counters since the start.
    pub counters: Arc<Counters>,
}

/// A row that is asked for.
struct Asked<'a, S: Source> {
    source: &'a Arc<S>,
    key: &'a S::Key,
    /// How long it may serve stale, where the source does not say it.
    stale_if_error: Option<Duration>,
}

impl<S: Source> ReadThrough<S> {
    /// Creates a cache with room for this many bytes, as [`Source::bytes`] estimates them. In a full cache a
    /// tenant with more than an equal share gives up entries of its own for its new ones; otherwise the least
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
    /// The error of the source; when it is unavailable, only without a value that may serve stale.
    pub async fn get(&self, key: &S::Key) -> Stored<Option<Arc<S::Value>>> {
        let asked = Asked { source: &self.source, key, stale_if_error: None };
        Ok(self.cache.get(&asked).await?.map(owned))
    }

    /// Returns the value of this key. A stale value may serve for this long.
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

    /// The last known value, however old, without a load.
    #[must_use]
    pub fn peek(&self, key: &S::Key) -> Option<Arc<S::Value>> {
        self.cache.peek(name::<S>(key)).map(owned)
    }

    /// Whether any value in memory could serve now if the source were unavailable. The search ends at the
    /// first one.
    #[must_use]
    pub fn may_serve_stale(&self) -> bool {
        self.cache.may_serve_stale(&|tenant, value| self.source.stale_if_error(tenant, borrowed(value)))
    }

    /// Drops one key. A read after this call returns what the source holds after it.
    pub fn invalidate(&self, key: &S::Key) {
        self.cache.invalidate(name::<S>(key));
    }

    /// Drops all keys of a tenant, with the same guarantee.
    pub fn invalidate_tenant(&self, tenant: &TenantId) {
        self.cache.invalidate_tenant(tenant);
    }

    /// Drops all keys, with the same guarantee, but for [`ReadThrough::get_stale`].
    pub(crate) fn begin_history(&self) {
        self.cache.begin_history();
    }

    /// All changes until this moment have been applied.
    pub(crate) fn follow(&self, at: Instant) {
        self.cache.follow(at);
    }

    /// How long ago all changes were known.
    pub(crate) fn followed_age(&self) -> Duration {
        self.cache.followed_age()
    }

    /// Reads all keys again within this time, each when it is asked for.
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
