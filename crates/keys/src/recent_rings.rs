//! The loaded keys that are in use, found by the address of their rows. A warm request already has the rows,
//! so it does not need to search the cache by tenant.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, RwLock, Weak};

use crate::KeyRecords;
use crate::loaded_keys::LoadedKeys;

/// The number of entries. Further tenants replace each other here and are found in the cache.
const PLACES: usize = 4096;
/// One in this many uses goes to the cache, so that the cache counts the entry as used and does not evict it.
const SHOWN: u32 = 16;

pub(crate) struct RecentRings(Box<[RingPlace]>);

#[derive(Default)]
struct RingPlace {
    uses: AtomicU32,
    /// Weak, so that only the cache keeps the keys in memory.
    loaded: RwLock<Weak<LoadedKeys>>,
}

impl RecentRings {
    pub(crate) fn new() -> Self {
        Self((0..PLACES).map(|_| RingPlace::default()).collect())
    }

    /// The keys that were loaded from exactly these rows. `None` if the caller must ask the cache.
    pub(crate) fn find(&self, records: &Arc<KeyRecords>) -> Option<Arc<LoadedKeys>> {
        let place = self.place(records);
        if place.uses.fetch_add(1, Ordering::Relaxed) % SHOWN == SHOWN - 1 {
            return None;
        }
        let loaded = place.loaded.try_read().ok()?.upgrade()?;
        Arc::ptr_eq(&loaded.ring.records, records).then_some(loaded)
    }

    pub(crate) fn note(&self, loaded: &Arc<LoadedKeys>) {
        if let Ok(mut noted) = self.place(&loaded.ring.records).loaded.try_write() {
            *noted = Arc::downgrade(loaded);
        }
    }

    /// Rows are at least some hundred bytes apart, so the low bits of the address are not used.
    fn place(&self, records: &Arc<KeyRecords>) -> &RingPlace {
        &self.0[(Arc::as_ptr(records).addr() >> 6) % PLACES]
    }
}
