//! Tenants of which Redis may still hold what was before a change of ours: until it is deleted there, or has expired, this
//! replica reads the store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tenancy::TenantId;

/// How many changes of each tenant Redis does not know of yet.
#[derive(Clone, Default)]
pub(crate) struct Doubts(Arc<Mutex<HashMap<TenantId, usize>>>);

/// As long as this lives, Redis is not asked about these tenants.
pub(crate) struct Doubt {
    doubts: Doubts,
    tenants: Vec<TenantId>,
}

impl Doubts {
    pub(crate) fn about(&self, tenants: Vec<TenantId>) -> Doubt {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for tenant in &tenants {
            *counts.entry(tenant.clone()).or_insert(0) += 1;
        }
        drop(counts);
        Doubt { doubts: self.clone(), tenants }
    }

    pub(crate) fn is_doubted(&self, tenant: &TenantId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(tenant)
    }
}

impl Drop for Doubt {
    fn drop(&mut self) {
        let mut counts = self.doubts.0.lock().unwrap_or_else(PoisonError::into_inner);
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
    fn a_tenant_is_doubted_until_the_last_change_is_known() {
        let doubts = Doubts::default();
        let [acme, globex] = ["acme", "globex"].map(|id| TenantId::parse(id).unwrap());
        let first = doubts.about(vec![acme.clone(), globex.clone()]);
        let second = doubts.about(vec![acme.clone()]);
        drop(first);
        assert!(doubts.is_doubted(&acme) && !doubts.is_doubted(&globex));
        drop(second);
        assert!(!doubts.is_doubted(&acme));
    }
}
