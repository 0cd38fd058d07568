//! Counts, buffered in memory until a background task writes them. Requests write nothing.
//!
//! Adding to a known key is one lookup, allocates nothing and does not wait for other threads. The memory is
//! limited: a tenant that fills more than half of it gets only its share of the other half.

use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, RandomState};

use indexmap::{Equivalent, IndexMap};
use parking_lot::{Mutex, MutexGuard};

use crate::TenantId;
use crate::usage_buffer::{SHARDS, own_shard};

/// The maximum number of keys in memory, which is about 20 MiB.
const CAPACITY: usize = 100_000;

/// The counts since the last drain.
pub struct CountBuffer<K> {
    shards: [CountShard<K>; SHARDS],
    held: Mutex<KeyCounts>,
    capacity: usize,
}

/// The number of keys in all shards, in total and for each tenant.
#[derive(Default)]
struct KeyCounts {
    all: usize,
    of: HashMap<TenantId, usize>,
}

/// Two cache lines wide, so that threads do not invalidate each other's cache lines.
#[repr(align(128))]
struct CountShard<K>(Mutex<IndexMap<K, u64, RandomState>>);

impl<K: Hash + Ord> Default for CountBuffer<K> {
    fn default() -> Self {
        Self::with_capacity(CAPACITY)
    }
}

impl<K: Hash + Ord> CountBuffer<K> {
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        let shards = std::array::from_fn(|_| CountShard(Mutex::default()));
        Self { shards, held: Mutex::default(), capacity }
    }

    /// Adds one to the count of a key, which is copied if it is new. Returns `false` if there was no room for
    /// a new key within the tenant's share. `share_of` is `None` for keys that are few for each tenant; a
    /// further quarter of the memory is reserved for them.
    pub fn add<Q: Hash + Equivalent<K> + ?Sized>(
        &self,
        share_of: Option<&TenantId>,
        key: &Q,
        to_key: impl FnOnce(&Q) -> K,
    ) -> bool {
        let mut counts = self.shard(own_shard());
        if let Some(count) = counts.get_mut(key) {
            *count += 1;
            return true;
        }
        let has_room = self.held.lock().take_place(share_of, self.capacity);
        if has_room {
            counts.insert(to_key(key), 1);
        }
        has_room
    }

    #[must_use]
    pub fn drain(&self) -> BTreeMap<K, u64> {
        let mut drained = BTreeMap::new();
        for shard in 0..SHARDS {
            for (key, count) in std::mem::take(&mut *self.shard(shard)) {
                *drained.entry(key).or_default() += count;
            }
        }
        // Keys that are added during the drain are not counted until the next drain.
        *self.held.lock() = KeyCounts::default();
        drained
    }

    fn shard(&self, index: usize) -> MutexGuard<'_, IndexMap<K, u64, RandomState>> {
        self.shards[index].0.lock()
    }
}

impl KeyCounts {
    /// Reserves room for one more key. Returns `false` if there is none.
    fn take_place(&mut self, share_of: Option<&TenantId>, capacity: usize) -> bool {
        let Some(tenant) = share_of else {
            let has_room = self.all < capacity + capacity / 4;
            self.all += usize::from(has_room);
            return has_room;
        };
        let tenants = self.of.len() + usize::from(!self.of.contains_key(tenant));
        let own = self.of.get(tenant).copied().unwrap_or_default();
        let is_within_share = self.all < capacity / 2 || own < capacity / 2 / tenants;
        let has_room = is_within_share && self.all < capacity;
        if has_room {
            self.all += 1;
            *self.of.entry(tenant.clone()).or_default() += 1;
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(buffer: &CountBuffer<String>, tenant: &str, key: &str) -> bool {
        let share_of = TenantId::parse(tenant).ok();
        buffer.add(share_of.as_ref(), &format!("{tenant}/{key}"), String::clone)
    }

    #[test]
    fn counts_of_all_threads_are_drained_once() {
        let buffer = CountBuffer::default();
        std::thread::scope(|scope| {
            for _ in 0..2 * SHARDS {
                scope.spawn(|| {
                    (0..100).for_each(|number| assert!(add(&buffer, "acme", ["a", "b"][number % 2])));
                });
            }
        });
        let each = 100 * SHARDS as u64;
        assert_eq!(buffer.drain(), ["acme/a", "acme/b"].map(|key| (key.to_owned(), each)).into());
        assert_eq!(buffer.drain().len(), 0);
    }

    #[test]
    fn tenant_with_many_keys_leaves_room_for_others() {
        let buffer = CountBuffer::with_capacity(100);
        let counted = (0..200).filter(|number| add(&buffer, "flood", &number.to_string())).count();
        assert_eq!(counted, 50);
        assert!(add(&buffer, "flood", "0") && !add(&buffer, "flood", "199"));
        for tenant in ["acme", "globex"] {
            assert_eq!((0..10).filter(|number| add(&buffer, tenant, &number.to_string())).count(), 10);
        }
        let of_all = |number: &i32| buffer.add(None, &format!("{number}"), String::clone);
        assert_eq!((0..200).filter(of_all).count(), 125 - 70);
        let drained = buffer.drain();
        assert_eq!((drained.len(), drained["flood/0"]), (125, 2));
        assert!(add(&buffer, "flood", "199"));
    }
}
