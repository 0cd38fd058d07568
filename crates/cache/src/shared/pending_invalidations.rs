//! Tenants whose old rows Redis may still hold after a change of this replica. Until they are deleted or expired,
//! this replica reads the store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tenancy::TenantId;

/// The number of pending changes by tenant.
#[derive(Clone, Default)]
pub(crate) struct PendingInvalidations(Arc<Mutex<HashMap<TenantId, usize>>>);

/// While this guard lives, Redis is bypassed for these tenants.
pub(crate) struct PendingInvalidation {
    pending_invalidations: PendingInvalidations,
    tenants: Vec<TenantId>,
}

impl PendingInvalidations {
    pub(crate) fn begin(&self, tenants: Vec<TenantId>) -> PendingInvalidation {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for tenant in &tenants {
            *counts.entry(tenant.clone()).or_insert(0) += 1;
        }
        drop(counts);
        PendingInvalidation { pending_invalidations: self.clone(), tenants }
    }

    pub(crate) fn is_pending(&self, tenant: &TenantId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(tenant)
    }
}

impl Drop for PendingInvalidation {
    fn drop(&mut self) {
        let mut counts = self.pending_invalidations.0.lock().unwrap_or_else(PoisonError::into_inner);
        for tenant in &self.tenants {
            if let Some(count) = counts.get_mut(tenant) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(tenant);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_pending_until_its_last_change_is_published() {
        let pending_invalidations = PendingInvalidations::default();
        let [acme, globex] = ["acme", "globex"].map(|id| TenantId::parse(id).unwrap());
        let first = pending_invalidations.begin(vec![acme.clone(), globex.clone()]);
        let second = pending_invalidations.begin(vec![acme.clone()]);
        drop(first);
        assert!(pending_invalidations.is_pending(&acme) && !pending_invalidations.is_pending(&globex));
        drop(second);
        assert!(!pending_invalidations.is_pending(&acme));
    }
}
