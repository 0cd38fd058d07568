//! Which entries a tenant gives up for a new entry. In a full cache, a tenant with more than an equal share
//! of the bytes gives up its own entries, so that it cannot evict the entries of other tenants. While there
//! is room, a tenant may use all of it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};

use moka::sync::Cache;
use parking_lot::Mutex;
use tenancy::TenantId;

use crate::row_key::RowKey;
use crate::slot::Slot;

/// A cache counts as full at 15/16 of its capacity. At the capacity itself, the cache would evict the least
/// used entry of any tenant.
const FULL: u64 = 15;
/// The maximum number of recently read entries that are skipped for one new entry. Other tasks wait for the
/// list during this time.
const MOST_SPARED: usize = 256;

/// The entries of each tenant, in the order in which they will be given up.
pub(crate) struct Shares {
    capacity: u64,
    tenants: Mutex<TenantShares>,
}

struct TenantShares {
    entries: HashMap<TenantId, Entries>,
    sweep_at: usize,
}

struct Entries {
    listed: VecDeque<(RowKey, Weak<Slot>)>,
    sweep_at: usize,
}

impl Shares {
    pub(crate) fn new(capacity: u64) -> Self {
        Self { capacity, tenants: Mutex::new(TenantShares { entries: HashMap::new(), sweep_at: 0 }) }
    }

    /// Lists a new entry of a tenant, and gives up older entries of this tenant if necessary. `tenants` is
    /// the number of tenants with entries.
    pub(crate) fn make_room(
        &self,
        slots: &Cache<RowKey, Arc<Slot>>,
        key: &RowKey,
        slot: &Arc<Slot>,
        tenants: usize,
    ) {
        let share = self.capacity / u64::try_from(tenants.max(1)).unwrap_or(u64::MAX);
        let is_full = slots.weighted_size() >= self.capacity / 16 * FULL;
        let mut of_tenants = self.tenants.lock();
        of_tenants.sweep();
        let entries = of_tenants.entries.entry(key.tenant.clone()).or_insert_with(Entries::new);
        if is_full && slot.bytes_of_tenant() > share {
            entries.give_up(slots, slot.weight());
        }
        entries.list(key, slot);
    }
}

impl Entries {
    fn new() -> Self {
        Self { listed: VecDeque::new(), sweep_at: 0 }
    }

    /// Removes dropped entries from the list each time it has doubled, so that the cost for each entry is
    /// constant.
    fn list(&mut self, key: &RowKey, slot: &Arc<Slot>) {
        const SMALL: usize = 16;
        if self.listed.len() >= self.sweep_at.max(SMALL) {
            self.listed.retain(|(_, slot)| slot.strong_count() > 0);
            self.sweep_at = self.listed.len() * 2;
        }
        self.listed.push_back((key.clone(), Arc::downgrade(slot)));
    }

    /// Evicts at least this many bytes, oldest entries first. An entry that was read since the last check is
    /// skipped once.
    fn give_up(&mut self, slots: &Cache<RowKey, Arc<Slot>>, bytes: u32) {
        let (mut freed, mut spared) = (0, 0);
        while freed < bytes
            && let Some((key, listed)) = self.listed.pop_front()
        {
            let Some(slot) = listed.upgrade() else { continue };
            if spared < MOST_SPARED && slot.is_current() && slot.take_use() {
                spared += 1;
                self.listed.push_back((key, listed));
                continue;
            }
            freed = slot.weight().saturating_add(freed);
            if slots.get(&key).is_some_and(|held| Arc::ptr_eq(&held, &slot)) {
                slots.invalidate(&key);
            }
        }
    }
}

impl TenantShares {
    /// Removes tenants without entries each time their number has doubled.
    fn sweep(&mut self) {
        const SMALL: usize = 1_024;
        if self.entries.len() >= self.sweep_at.max(SMALL) {
            self.entries.retain(|_, of| of.listed.iter().any(|(_, slot)| slot.strong_count() > 0));
            self.sweep_at = self.entries.len() * 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use async_trait::async_trait;
    use tenancy::Stored;

    use crate::{Freshness, ReadThrough, SharedReading, Source};

    use super::*;

    /// A source of numbers, each an entry of 100 bytes. Numbers from 1 000 000 on do not exist. Only loads of
    /// existing numbers count.
    #[derive(Default)]
    struct Numbers {
        loads: [AtomicU64; 2],
    }

    #[async_trait]
    impl Source for Numbers {
        type Key = (TenantId, String);
        type Value = u64;

        const NAME: &'static str = "numbers";

        fn bytes(_: &Self::Key, _: Option<&u64>) -> usize {
            100
        }

        fn name((tenant, number): &Self::Key) -> (&TenantId, &str) {
            (tenant, number)
        }

        async fn load(&self, (tenant, number): &Self::Key) -> Stored<SharedReading<u64>> {
            let number = number.parse().unwrap();
            let value = (number < 1_000_000).then(|| Arc::new(number));
            if value.is_some() {
                self.loads[usize::from(tenant.as_str() == "globex")].fetch_add(1, Ordering::Relaxed);
            }
            Ok(SharedReading { value, at: tokio::time::Instant::now(), is_shared: false })
        }

        fn stale_if_error(&self, _: &TenantId, _: &u64) -> std::time::Duration {
            std::time::Duration::ZERO
        }
    }

    /// The number of entries that fit into the cache.
    const ROOM: u64 = 2_000;

    struct Case {
        cache: ReadThrough<Numbers>,
        tenants: [TenantId; 2],
    }

    impl Case {
        fn new() -> Self {
            let freshness = Freshness::new(std::time::Duration::from_secs(3_600));
            let tenants = ["acme", "globex"].map(|name| TenantId::parse(name).unwrap());
            Self { cache: ReadThrough::new(Numbers::default(), ROOM * 100, freshness), tenants }
        }

        /// Reads each number `times` times.
        async fn read(&self, tenant: usize, numbers: impl IntoIterator<Item = u64>, times: usize) {
            for number in numbers {
                let key = (self.tenants[tenant].clone(), number.to_string());
                for _ in 0..times {
                    self.cache.get(&key).await.unwrap();
                }
                assert!(self.cache.bytes() <= ROOM * 100);
            }
        }

        fn loads(&self, tenant: usize) -> u64 {
            self.cache.source.loads[tenant].load(Ordering::Relaxed)
        }
    }

    // [shared 2]
    #[tokio::test]
    async fn full_cache_evicts_entries_of_the_largest_tenant() {
        let case = Case::new();
        case.read(0, 0..500, 1).await;
        // Ten times the capacity, and each is read more often than the entries of the other tenant.
        case.read(1, 0..10 * ROOM, 3).await;
        case.read(0, 0..500, 1).await;
        assert_eq!(case.loads(0), 500, "all are hits");
        let before = case.loads(1);
        case.read(1, 10 * ROOM - 1_000..10 * ROOM, 1).await;
        // The entries that the tenant read last are still in the cache.
        assert_eq!(case.loads(1), before);
    }

    #[tokio::test]
    async fn absences_do_not_evict_rows_in_use() {
        let case = Case::new();
        case.read(0, 0..500, 1).await;
        case.read(1, 0..100, 2).await;
        for part in 0..40 {
            let absent = 1_000_000 + part * ROOM / 4;
            case.read(1, absent..absent + ROOM / 4, 3).await;
            case.read(1, 0..100, 1).await;
        }
        case.read(0, 0..500, 1).await;
        assert_eq!(case.loads(0), 500);
        assert_eq!(case.loads(1), 100);
    }

    #[tokio::test]
    async fn single_tenant_may_fill_the_cache() {
        let case = Case::new();
        case.read(0, 0..ROOM * 9 / 10, 1).await;
        case.read(0, 0..ROOM * 9 / 10, 1).await;
        assert_eq!(case.loads(0), ROOM * 9 / 10);
    }
}
