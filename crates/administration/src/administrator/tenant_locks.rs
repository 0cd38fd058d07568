//! Writers of one tenant wait for each other within this process, which avoids conflicts in the store. This
//! is only an optimization: other processes write, too, and every commit checks the tenant's revision.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use tenancy::TenantId;
use tokio::sync::{Mutex, MutexGuard};

/// The number of locks. Two tenants that share a lock wait for each other without need.
const LOCKS: usize = 64;

pub(super) struct TenantLocks(Vec<Mutex<()>>);

impl Default for TenantLocks {
    fn default() -> Self {
        Self((0..LOCKS).map(|_| Mutex::new(())).collect())
    }
}

impl TenantLocks {
    /// Waits for the tenant's lock, which is released when the guard is dropped.
    pub(super) async fn take(&self, tenant: &TenantId) -> MutexGuard<'_, ()> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(tenant);
        let index = usize::try_from(hash % LOCKS as u64).unwrap_or(0);
        self.0[index].lock().await
    }
}
