//! The loaded keys that requests use now, found by the address of their rows. A warm request has the rows
//! already, so it need not search the cache by the tenant's name.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, RwLock, Weak};

use crate::KeyRecords;
use crate::loaded_keys::LoadedKeys;

/// Tenants beyond these take a place from each other, and are found in the cache.
const PLACES: usize = 4096;
/// One in this number of uses goes to the cache, so that the cache knows which entries are used and does not
/// evict them.
const SHOWN: u32 = 16;

pub(crate) struct RecentRings(Box<[RingPlace]>);

#[derive(Default)]
struct RingPlace {
    uses: AtomicU32,
    /// Only the cache keeps the keys alive.
    loaded: RwLock<Weak<LoadedKeys>>,
}

impl RecentRings {
    pub(crate) fn new() -> Self {
        Self((0..PLACES).map(|_| RingPlace::default()).collect())
    }

    /// The keys that were loaded from exactly these rows. None if the caller must ask the cache.
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

    /// Rows are some hundred bytes apart.
    fn place(&self, records: &Arc<KeyRecords>) -> &RingPlace {
        &self.0[(Arc::as_ptr(records).addr() >> 6) % PLACES]
    }
}
