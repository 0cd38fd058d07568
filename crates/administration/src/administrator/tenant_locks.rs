//! Writers of one tenant wait for each other within this process, which avoids conflicts in the store. This
//! is only an optimization: other processes write, too, and every commit checks the tenant's revision.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tenancy::{StoreError, TenantId};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::timeout;

/// While the store does not answer, each writer holds the lock until its own time is up. Without a limit, the
/// last of many writers would get its 503 minutes later.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Above this many locks, those without a writer are dropped.
const UNUSED: usize = 64;

#[derive(Default)]
pub(super) struct TenantLocks(parking_lot::Mutex<HashMap<TenantId, Arc<Mutex<()>>>>);

impl TenantLocks {
    /// Waits for the tenant's lock, which is released when the guard is dropped.
    pub(super) async fn take(&self, tenant: &TenantId) -> Result<OwnedMutexGuard<()>, StoreError> {
        let lock = {
            let mut locks = self.0.lock();
            if locks.len() > UNUSED {
                locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            }
            Arc::clone(locks.entry(tenant.clone()).or_default())
        };
        timeout(LONGEST_WAIT, lock.lock_owned()).await.map_err(StoreError::unavailable)
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
