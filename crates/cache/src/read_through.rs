//! A bounded cache before a source: one load at a time for each key, short-lived absences, stale values only while
//! the source is unavailable, and no value from before a change after it.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use moka::ops::compute::Op;
use moka::sync::Cache;
use tenancy::{StoreError, TenantId};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::counters::Counters;
use crate::epochs::Epochs;
use crate::shares::Shares;
use crate::slot::{Answer, Outcome, Slot};
use crate::{Freshness, Reading};

/// The source of a cache.
#[async_trait]
pub trait Source: Send + Sync + 'static {
    /// The key.
    type Key: Clone + Eq + Hash + Send + Sync + 'static;
    /// The value.
    type Value: Send + Sync + 'static;

    /// The name of the values in the log, in the plural.
    const NAME: &'static str;

    /// The estimated bytes of a key with its value or its absence.
    fn bytes(key: &Self::Key, value: Option<&Self::Value>) -> usize;

    /// The tenant of a key.
    fn tenant_of(key: &Self::Key) -> &TenantId;

    /// Reads the store, or what another replica has read from it, and checks that the answer is the requested row.
    async fn load(&self, key: &Self::Key) -> Result<Reading<Self::Value>, StoreError>;

    /// The same where an earlier value of this key is known. It may be from before a change.
    async fn load_later(
        &self,
        key: &Self::Key,
        _known: Arc<Self::Value>,
    ) -> Result<Reading<Self::Value>, StoreError> {
        self.load(key).await
    }

    /// How long a value may serve after its freshness while the store is unavailable.
    fn stale_if_error(&self, key: &Self::Key, value: &Self::Value) -> Duration;
}

/// The cache. Reads must happen inside a Tokio runtime: a load is a task of its own, so it goes on for other readers
/// when a caller gives up.
pub struct ReadThrough<S: Source> {
    pub(crate) source: Arc<S>,
    slots: Cache<S::Key, Arc<Slot<S::Value>>>,
    freshness: Freshness,
    epochs: Arc<Epochs>,
    shares: Arc<Shares<S::Key, S::Value>>,
    /// The counters since the start.
    pub counters: Arc<Counters>,
}

impl<S: Source> ReadThrough<S> {
    /// Creates a cache with room for this many bytes, as [`Source::bytes`] estimates them. In a full cache a tenant with more than an equal
    /// share gives up entries of its own for its new ones; otherwise the least used entries are evicted.
    #[must_use]
    pub fn new(source: S, capacity: u64, freshness: Freshness) -> Self {
        Self {
            source: Arc::new(source),
            slots: Cache::builder()
                .name(S::NAME)
                .max_capacity(capacity)
                .weigher(|_, slot: &Arc<Slot<S::Value>>| slot.weight())
                .build(),
            freshness,
            epochs: Arc::default(),
            shares: Arc::new(Shares::new(capacity)),
            counters: Arc::new(Counters::new(S::NAME)),
        }
    }

    /// The value of this key, from memory or from the source.
    ///
    /// # Errors
    /// The error of the source; when it is unavailable, only without a value that may serve stale.
    pub async fn get(&self, key: &S::Key) -> Result<Option<Arc<S::Value>>, StoreError> {
        self.get_stale(key, &|value| self.source.stale_if_error(key, value)).await
    }

    /// The same where a value may serve stale for this long.
    pub(crate) async fn get_stale(
        &self,
        key: &S::Key,
        stale_if_error: &(dyn Fn(&S::Value) -> Duration + Sync),
    ) -> Result<Option<Arc<S::Value>>, StoreError> {
        let slot = self.slot(key);
        if let Some(value) = slot.fresh(Instant::now()) {
            if value.is_some() {
                slot.note_use();
            }
            self.counters.hits.add_one();
            return Ok(value);
        }
        // A load ends with its worker during a drain; a reader of another worker then loads again, once.
        if let Some(outcome) = self.ask(key, &slot, stale_if_error).await {
            return outcome;
        }
        let abandoned = || Err(StoreError::fault("the load was abandoned twice"));
        self.ask(key, &slot, stale_if_error).await.unwrap_or_else(abandoned)
    }

    /// The value, if it is in memory and fresh.
    pub(crate) fn fresh(&self, key: &S::Key) -> Option<Arc<S::Value>> {
        let slot = self.slots.get(key).filter(|slot| slot.is_current())?;
        let value = slot.fresh(Instant::now())??;
        slot.note_use();
        self.counters.hits.add_one();
        Some(value)
    }

    /// The last known value, however old, without a load.
    #[must_use]
    pub fn peek(&self, key: &S::Key) -> Option<Arc<S::Value>> {
        self.slots.get(key).filter(|slot| slot.is_current()).and_then(|slot| slot.last())
    }

    /// Whether any value in memory could serve now if the source were unavailable. It ends at the first one.
    #[must_use]
    pub fn may_serve_stale(&self) -> bool {
        let now = Instant::now();
        self.slots.iter().any(|(key, slot)| {
            slot.is_current() && slot.stale(now, |value| self.source.stale_if_error(&key, value)).is_some()
        })
    }

    /// Drops one key. A read after this call returns what the source holds after it.
    pub fn invalidate(&self, key: &S::Key) {
        if let Some(slot) = self.slots.remove(key) {
            slot.retire();
        }
    }

    /// Drops all keys of a tenant, with the same guarantee.
    pub fn invalidate_tenant(&self, tenant: &TenantId) {
        self.epochs.end(tenant);
    }

    /// The slot of this key. It is in the cache before a load starts, so that a later change finds it. A concurrent
    /// insertion may still return a slot that a change has removed, hence the loop.
    fn slot(&self, key: &S::Key) -> Arc<Slot<S::Value>> {
        let mut slot = self.slots.get(key);
        loop {
            if let Some(slot) = slot.as_ref().filter(|slot| slot.is_current()) {
                return Arc::clone(slot);
            }
            let earlier = slot.and_then(|slot| slot.earlier());
            let new = || {
                let epoch = self.epochs.current(S::tenant_of(key));
                Arc::new(Slot::new(epoch, self.freshness, weight::<S>(key, None), earlier))
            };
            let entry = self.slots.entry_by_ref(key).or_insert_with_if(new, |slot| !slot.is_current());
            slot = Some(entry.into_value());
        }
    }

    /// Waits for a load; `None` when it ended without a result.
    async fn ask(
        &self,
        key: &S::Key,
        slot: &Arc<Slot<S::Value>>,
        stale_if_error: &(dyn Fn(&S::Value) -> Duration + Sync),
    ) -> Option<Outcome<S::Value>> {
        let next = slot.next(Instant::now(), stale_if_error);
        if let Some(load) = next.load {
            self.start(key, slot, load);
        }
        let mut flight = match next.answer {
            Answer::Known(outcome) => return Some(outcome),
            Answer::Stale(value) => return Some(Ok(Some(self.stale(value)))),
            Answer::Awaited(flight) => flight,
        };
        let outcome = flight.wait_for(Option::is_some).await.ok()?.clone()?;
        Some(match outcome {
            Err(StoreError::Unavailable(cause)) => match slot.stale(Instant::now(), stale_if_error) {
                Some(value) => Ok(Some(self.stale(value))),
                None => Err(StoreError::Unavailable(cause)),
            },
            other => other,
        })
    }

    fn start(
        &self,
        key: &S::Key,
        slot: &Arc<Slot<S::Value>>,
        load: watch::Sender<Option<Outcome<S::Value>>>,
    ) {
        let (source, counters) = (Arc::clone(&self.source), Arc::clone(&self.counters));
        let (slots, slot, key) = (self.slots.clone(), Arc::clone(slot), key.clone());
        let (epochs, shares) = (Arc::clone(&self.epochs), Arc::clone(&self.shares));
        tokio::spawn(async move {
            let began = Instant::now();
            counters.loads.count();
            let reading = match slot.earlier() {
                Some(known) => source.load_later(&key, known).await,
                None => source.load(&key).await,
            };
            counters.load_ended(reading.as_ref().err());
            if let Ok(Reading { value, .. }) = &reading
                && slot.weigh(weight::<S>(&key, value.as_deref()))
            {
                reweigh(&slots, &key, &slot);
            }
            if slot.is_new() {
                shares.make_room(&slots, S::tenant_of(&key), (&key, &slot), epochs.tenants());
            }
            // A row of another replica is as old as its reading; otherwise a lost message would count twice.
            let at = reading.as_ref().map_or(began, |reading| reading.at);
            slot.land(at, Instant::now(), reading.map(|reading| reading.value), &load);
        });
    }

    fn stale(&self, value: Arc<S::Value>) -> Arc<S::Value> {
        self.counters.stale_answers.count();
        value
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> u64 {
        self.slots.run_pending_tasks();
        self.slots.weighted_size()
    }
}

fn weight<S: Source>(key: &S::Key, value: Option<&S::Value>) -> u32 {
    u32::try_from(S::bytes(key, value)).unwrap_or(u32::MAX)
}

/// Reinserts the slot, so that the cache computes its size again. A slot that was replaced or removed is not counted
/// any more.
fn reweigh<K: Clone + Eq + Hash + Send + Sync + 'static, V: Send + Sync + 'static>(
    slots: &Cache<K, Arc<Slot<V>>>,
    key: &K,
    slot: &Arc<Slot<V>>,
) {
    slots.entry_by_ref(key).and_compute_with(|entry| match entry {
        Some(entry) if Arc::ptr_eq(entry.value(), slot) => Op::Put(Arc::clone(slot)),
        _ => Op::Nop,
    });
}
