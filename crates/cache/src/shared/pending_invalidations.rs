//! Tenants for which Redis may still contain old rows after a change of this replica. This replica does not
//! use Redis for these tenants until the rows are deleted or have expired.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tenancy::TenantId;

/// One token for each tenant. The table has one reference to it, and each pending invalidation another.
#[derive(Default)]
pub(crate) struct PendingInvalidations(Mutex<HashMap<TenantId, Arc<()>>>);

impl PendingInvalidations {
    /// Begins an invalidation. While the returned tokens exist, Redis is bypassed for these tenants.
    pub(crate) fn begin<'a>(&self, tenants: impl Iterator<Item = &'a TenantId>) -> Vec<Arc<()>> {
        let mut tokens = self.0.lock();
        tokens.retain(|_, token| is_held(token));
        tenants.map(|tenant| tokens.entry(tenant.clone()).or_default().clone()).collect()
    }

    pub(crate) fn is_pending(&self, tenant: &TenantId) -> bool {
        self.0.lock().get(tenant).is_some_and(is_held)
    }
}

fn is_held(token: &Arc<()>) -> bool {
    Arc::strong_count(token) > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenant_is_pending_until_its_last_change_is_published() {
        let pending_invalidations = PendingInvalidations::default();
        let [acme, globex] = ["acme", "globex"].map(|id| TenantId::parse(id).unwrap());
        let first = pending_invalidations.begin([&acme, &globex].into_iter());
        let second = pending_invalidations.begin([&acme].into_iter());
        drop(first);
        assert!(pending_invalidations.is_pending(&acme) && !pending_invalidations.is_pending(&globex));
        drop(second);
        assert!(!pending_invalidations.is_pending(&acme));
    }
}
