//! Writers of one tenant wait for each other within this process instead of colliding in the store. It is a courtesy: other
//! processes write, too, and what holds is the tenant's revision.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use tenancy::TenantId;
use tokio::sync::{Mutex, MutexGuard};

/// So many tenants can be written at once; two that share a turn wait without need.
const LOCKS: usize = 64;

pub(super) struct TenantLocks(Vec<Mutex<()>>);

impl Default for TenantLocks {
    fn default() -> Self {
        Self((0..LOCKS).map(|_| Mutex::new(())).collect())
    }
}

impl TenantLocks {
    /// Lasts as long as the value lives.
    pub(super) async fn take(&self, tenant: &TenantId) -> MutexGuard<'_, ()> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(tenant);
        let index = usize::try_from(hash % LOCKS as u64).unwrap_or(0);
        self.0[index].lock().await
    }
}
