//! Drops all cached entries of a tenant without searching for them: each entry refers to its tenant's epoch,
//! and ending the epoch invalidates the entries.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tenancy::TenantId;

/// A period in which no change affected all entries of the tenant.
#[derive(Debug, Default)]
pub(crate) struct Epoch {
    /// 0 while the epoch lasts.
    ended: AtomicU8,
    /// The total size of the entries in bytes.
    bytes: AtomicU64,
}

/// The epoch ended because the store has a new history.
const BY_HISTORY: u8 = 1;
/// The epoch ended by a change that affects all entries of the tenant.
const BY_CHANGE: u8 = 2;

/// The current epoch of each tenant with entries. Only cold reads and changes lock the table; a warm read
/// checks its entry's epoch.
#[derive(Default)]
pub(crate) struct Epochs {
    table: Mutex<EpochTable>,
}

#[derive(Default)]
struct EpochTable {
    /// Weak, so that only entries keep their epoch alive. The table is never larger than the cache, except
    /// for epochs that `sweep` has not removed yet.
    current: HashMap<TenantId, Weak<Epoch>>,
    sweep_at: usize,
}

impl Epoch {
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire) != 0
    }

    /// Whether a new history of the store has ended the epoch, and not a change.
    pub(crate) fn has_ended_by_history(&self) -> bool {
        self.ended.load(Ordering::Acquire) == BY_HISTORY
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, bytes: u32) {
        self.bytes.fetch_add(bytes.into(), Ordering::Relaxed);
    }

    pub(crate) fn subtract(&self, bytes: u32) {
        self.bytes.fetch_sub(bytes.into(), Ordering::Relaxed);
    }
}

impl Epochs {
    /// The epoch for a new entry of this tenant.
    pub(crate) fn current(&self, tenant: &TenantId) -> Arc<Epoch> {
        let mut table = self.table.lock();
        let known = table.current.get(tenant).and_then(Weak::upgrade);
        if let Some(epoch) = known.filter(|epoch| !epoch.has_ended()) {
            return epoch;
        }
        table.sweep();
        let epoch = Arc::new(Epoch::default());
        table.current.insert(tenant.clone(), Arc::downgrade(&epoch));
        epoch
    }

    /// The number of tenants with entries. May include tenants whose entries were evicted recently.
    pub(crate) fn tenants(&self) -> usize {
        self.table.lock().current.len()
    }

    /// Ends the tenant's epoch, which invalidates all its entries.
    pub(crate) fn end(&self, tenant: &TenantId) {
        let mut table = self.table.lock();
        if let Some(epoch) = table.current.remove(tenant).and_then(|epoch| epoch.upgrade()) {
            epoch.ended.store(BY_CHANGE, Ordering::Release);
        }
    }

    /// Ends the epochs of all tenants because of a new history. A later change still marks the epoch as ended
    /// by a change.
    pub(crate) fn begin_history(&self) {
        let table = self.table.lock();
        for epoch in table.current.values().filter_map(Weak::upgrade) {
            epoch.ended.store(BY_HISTORY, Ordering::Release);
        }
    }
}

impl EpochTable {
    /// Removes tenants without entries each time the table has doubled, so that the cost for each entry is
    /// constant.
    fn sweep(&mut self) {
        const SMALL: usize = 1024;
        if self.current.len() >= self.sweep_at.max(SMALL) {
            self.current.retain(|_, epoch| epoch.strong_count() > 0);
            self.sweep_at = self.current.len() * 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(name: &str) -> TenantId {
        TenantId::parse(name).unwrap()
    }

    #[test]
    fn epoch_ends_for_one_tenant_only() {
        let epochs = Epochs::default();
        let (first, other) = (epochs.current(&tenant("acme")), epochs.current(&tenant("globex")));
        assert!(Arc::ptr_eq(&first, &epochs.current(&tenant("acme"))));

        epochs.end(&tenant("acme"));
        assert!(first.has_ended());
        assert!(!other.has_ended());
        assert!(!epochs.current(&tenant("acme")).has_ended());
    }

    #[test]
    fn tenants_without_entries_are_forgotten() {
        let epochs = Epochs::default();
        let kept = epochs.current(&tenant("acme"));
        for number in 0..10_000 {
            epochs.current(&tenant(&format!("t{number}")));
        }
        assert!(epochs.table.lock().current.len() <= 1025);
        assert!(Arc::ptr_eq(&kept, &epochs.current(&tenant("acme"))));
    }
}
