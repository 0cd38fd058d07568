//! A cache whose rows have no type here. All kinds of rows share this code, which is compiled once;
//! [`ReadThrough`](crate::ReadThrough) gives it the types of one kind.

use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use moka::ops::compute::Op;
use moka::sync::Cache;
use tenancy::{StoreError, Stored, TenantId};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::Freshness;
use crate::counters::Counters;
use crate::epochs::Epochs;
use crate::followed::Followed;
use crate::freshness::read_again_after;
use crate::row_key::{BorrowedRowKey, RowKey};
use crate::shares::Shares;
use crate::slot::{Answer, Outcome, Slot, Value};

/// What the cache asks about the row that a reader wants.
pub(crate) trait WantedRow: Sync {
    fn name(&self) -> BorrowedRowKey<'_>;

    /// The estimated bytes of its absence.
    fn bytes_of_absence(&self) -> u32;

    /// How long this value of it may serve after its freshness while the store is unavailable.
    fn stale_if_error(&self, value: &Value) -> Duration;

    /// Reads it, with an earlier value where one is known.
    fn load(&self, known: Option<Value>) -> BoxFuture<'static, Stored<LoadedRow>>;
}

/// What a load has found.
pub(crate) struct LoadedRow {
    pub(crate) value: Option<Value>,
    /// When the store was read.
    pub(crate) at: Instant,
    /// Whether another replica has read it.
    pub(crate) is_shared: bool,
    /// The estimated bytes of the entry.
    pub(crate) bytes: u32,
}

/// The cache of one kind of rows.
pub(crate) struct UntypedCache {
    slots: Cache<RowKey, Arc<Slot>>,
    freshness: Freshness,
    followed: Arc<Followed>,
    epochs: Epochs,
    shares: Shares,
    counters: Arc<Counters>,
}

impl UntypedCache {
    pub(crate) fn new(
        name: &'static str,
        capacity: u64,
        freshness: Freshness,
        counters: Arc<Counters>,
    ) -> Self {
        let slots = Cache::builder()
            .name(name)
            .max_capacity(capacity)
            .weigher(|_, slot: &Arc<Slot>| slot.weight())
            .build();
        let (followed, shares) = (Arc::new(Followed::new()), Shares::new(capacity));
        Self { slots, freshness, followed, epochs: Epochs::default(), shares, counters }
    }

    pub(crate) async fn get(self: &Arc<Self>, row: &dyn WantedRow) -> Outcome {
        let slot = self.slot(row);
        let asked_at = Instant::now();
        if let Some(value) = slot.fresh(asked_at) {
            if value.is_some() {
                slot.note_use();
            }
            self.counters.hits.add_one();
            return Ok(value);
        }
        // A drain ends the load of its worker. A reader of another worker then loads once more. So does a
        // reader that waited for a load of long before: a process may be stopped during a load.
        if let Some(outcome) = self.ask(row, &slot, asked_at).await {
            return outcome;
        }
        let abandoned = || Err(StoreError::fault("the load was abandoned twice"));
        self.ask(row, &slot, asked_at).await.unwrap_or_else(abandoned)
    }

    /// The value, if it is in memory and fresh.
    pub(crate) fn fresh(&self, name: BorrowedRowKey<'_>) -> Option<Value> {
        let slot = self.slots.get(&name).filter(|slot| slot.is_current())?;
        let value = slot.fresh(Instant::now())??;
        slot.note_use();
        self.counters.hits.add_one();
        Some(value)
    }

    /// The last known value, however old.
    pub(crate) fn peek(&self, name: BorrowedRowKey<'_>) -> Option<Value> {
        self.slots.get(&name).filter(|slot| slot.is_current()).and_then(|slot| slot.last())
    }

    /// Whether any value could serve now if the store were unavailable, for as long as this says
    /// of a tenant and its value.
    pub(crate) fn may_serve_stale(&self, stale_if_error: &dyn Fn(&TenantId, &Value) -> Duration) -> bool {
        let now = Instant::now();
        self.slots.iter().any(|(key, slot)| {
            slot.is_current() && slot.stale(now, &|value| stale_if_error(&key.tenant, value)).is_some()
        })
    }

    /// Drops one row.
    pub(crate) fn invalidate(&self, name: BorrowedRowKey<'_>) {
        if let Some(slot) = self.slots.remove(&name) {
            slot.retire();
        }
    }

    /// Drops all rows of a tenant.
    pub(crate) fn invalidate_tenant(&self, tenant: &TenantId) {
        self.epochs.end(tenant);
    }

    /// Lets no row be fresh, nor what running loads find, because the store continues with another history.
    /// What was loaded may still serve stale.
    pub(crate) fn begin_history(&self) {
        self.epochs.begin_history();
    }

    /// All changes until this moment have been applied.
    pub(crate) fn follow(&self, at: Instant) {
        self.followed.follow(at);
    }

    pub(crate) fn followed_age(&self) -> Duration {
        self.followed.age()
    }

    /// Lets all rows be read again within this time, and not at the same moment, because the store continues
    /// with another history. Meanwhile they serve, and also after it while the store is unavailable, as rows
    /// that have expired do.
    pub(crate) fn expire_all(&self, within: Duration) {
        self.followed.begin_history();
        let now = Instant::now();
        for (key, slot) in &self.slots {
            slot.expire_within(now, within.mul_f64(spread(&key)));
        }
    }

    /// The slot of this row. It is in the cache before a load starts, so that a later change finds it. A
    /// concurrent insertion may still return a slot that a change has removed, hence the loop.
    fn slot(&self, row: &dyn WantedRow) -> Arc<Slot> {
        let name = row.name();
        let mut slot = self.slots.get(&name);
        loop {
            if let Some(slot) = slot.as_ref().filter(|slot| slot.is_current()) {
                return Arc::clone(slot);
            }
            let new = || {
                let epoch = self.epochs.current(name.tenant);
                let read_again_after = read_again_after(spread(&name));
                let terms = (self.freshness, read_again_after, Arc::clone(&self.followed));
                Arc::new(Slot::new(epoch, terms, row.bytes_of_absence(), slot.as_deref()))
            };
            let entry = self.slots.entry(name.to_key()).or_insert_with_if(new, |slot| !slot.is_current());
            slot = Some(entry.into_value());
        }
    }

    /// Waits for a load; `None` when it ended without a result that was fresh when the reader asked.
    async fn ask(
        self: &Arc<Self>,
        row: &dyn WantedRow,
        slot: &Arc<Slot>,
        asked_at: Instant,
    ) -> Option<Outcome> {
        let stale_if_error = |value: &Value| row.stale_if_error(value);
        let next = slot.next(Instant::now(), &stale_if_error);
        if let Some(load) = next.load {
            self.start(row, slot, load);
        }
        let flight = match next.answer {
            Answer::Known(outcome) => return Some(outcome),
            Answer::Stale(value) => return Some(Ok(Some(self.stale(value)))),
            Answer::Awaited(flight) => flight,
        };
        Some(match flight.await.ok()? {
            Err(StoreError::Unavailable(cause)) => match slot.stale(Instant::now(), &stale_if_error) {
                Some(value) => Ok(Some(self.stale(value))),
                None => Err(StoreError::Unavailable(cause)),
            },
            Ok(_) if slot.had_expired(asked_at) => return None,
            other => other,
        })
    }

    fn start(self: &Arc<Self>, row: &dyn WantedRow, slot: &Arc<Slot>, load: oneshot::Sender<Outcome>) {
        let loading = row.load(slot.earlier());
        let (cache, slot, key) = (Arc::clone(self), Arc::clone(slot), row.name().to_key());
        tokio::spawn(async move {
            let began = Instant::now();
            cache.counters.loads.count();
            let loaded = loading.await;
            cache.counters.load_ended(loaded.as_ref().err());
            if let Ok(LoadedRow { bytes, .. }) = &loaded
                && slot.weigh(*bytes)
            {
                cache.reweigh(&key, &slot);
            }
            if slot.is_new() {
                cache.shares.make_room(&cache.slots, &key, &slot, cache.epochs.tenants());
            }
            // The age of a row counts from the other replica's reading. Otherwise a lost message would count
            // twice.
            let (at, is_shared) =
                loaded.as_ref().map_or((began, false), |loaded| (loaded.at, loaded.is_shared));
            slot.land(at, is_shared, Instant::now(), loaded.map(|loaded| loaded.value), load);
        });
    }

    fn stale(&self, value: Value) -> Value {
        self.counters.stale_answers.count();
        value
    }

    /// Reinserts the slot, so that the cache computes its size again. A slot that was replaced or removed
    /// is not counted any more.
    fn reweigh(&self, key: &RowKey, slot: &Arc<Slot>) {
        self.slots.entry_by_ref(key).and_compute_with(|entry| match entry {
            Some(entry) if Arc::ptr_eq(entry.value(), slot) => Op::Put(Arc::clone(slot)),
            _ => Op::Nop,
        });
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> u64 {
        self.slots.run_pending_tasks();
        self.slots.weighted_size()
    }
}

/// A number from 0 to 1, the same for this key each time.
fn spread(key: &impl Hash) -> f64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    f64::from(u32::try_from(hasher.finish() >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}
