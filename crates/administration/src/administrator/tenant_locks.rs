//! Writers of one tenant wait for each other within this process, which avoids conflicts in the store. This
//! is only an optimization: other processes write, too, and every commit checks the tenant's revision.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::time::Duration;

use tenancy::{StoreError, TenantId};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

/// The number of locks. Two tenants that share a lock wait for each other without need.
const LOCKS: usize = 64;

/// While the store does not answer, each writer holds the lock until its own time is up. Without a limit, the
/// last of many writers would get its 503 minutes later.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

pub(super) struct TenantLocks(Vec<Mutex<()>>);

impl Default for TenantLocks {
    fn default() -> Self {
        Self((0..LOCKS).map(|_| Mutex::new(())).collect())
    }
}

impl TenantLocks {
    /// Waits for the tenant's lock, which is released when the guard is dropped.
    pub(super) async fn take(&self, tenant: &TenantId) -> Result<MutexGuard<'_, ()>, StoreError> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(tenant);
        let index = usize::try_from(hash % LOCKS as u64).unwrap_or(0);
        timeout(LONGEST_WAIT, self.0[index].lock()).await.map_err(StoreError::unavailable)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn writer_waits_ten_seconds_for_its_own_tenant() {
        let locks = TenantLocks::default();
        let [acme, globex] = ["acme", "globex"].map(|name| TenantId::parse(name).unwrap());
        let (first, began) = (locks.take(&acme).await.unwrap(), Instant::now());
        let other = locks.take(&globex).await.unwrap();
        assert_eq!(began.elapsed(), Duration::ZERO, "another tenant's writer does not wait");
        for tenant in [&acme, &globex] {
            let began = Instant::now();
            let late = locks.take(tenant).await.unwrap_err();
            assert!(!late.may_be_done(), "{late:?}");
            assert!((10..11).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
        }
        drop(first);
        assert!(locks.take(&acme).await.is_ok() && locks.take(&globex).await.is_err());
        drop(other);
        assert!(locks.take(&globex).await.is_ok());
    }
}
