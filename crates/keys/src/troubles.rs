//! Which tenants' keys do not open, for readiness and for the log.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::{Lifetime, Timestamp};
use tenancy::TenantId;

/// Tenants whose keys do not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnopenedKeys {
    /// How many were asked for lately; of very many not all are counted.
    pub tenants: usize,
    /// What was wrong with the last of them.
    pub last: String,
}

#[derive(Default)]
pub(crate) struct Troubles(Mutex<HashMap<TenantId, (Timestamp, String)>>);

/// For so long after the last attempt a tenant counts: nobody asks again for one that is not in use.
const LATELY: Lifetime = Lifetime::from_seconds(60);
/// More are not counted.
const MOST: usize = 10_000;

impl Troubles {
    /// Takes down what the last attempt found. It is logged when it begins or changes, not at each attempt.
    pub(crate) fn note(&self, tenant: &TenantId, trouble: Option<String>, now: Timestamp) {
        let mut troubles = self.lock();
        let Some(trouble) = trouble else {
            if troubles.remove(tenant).is_some() {
                tracing::info!(%tenant, "the keys of tenant {tenant} open again");
            }
            return;
        };
        if troubles.len() >= MOST && !troubles.contains_key(tenant) {
            return;
        }
        let before = troubles.insert(tenant.clone(), (now, trouble.clone()));
        if before.is_none_or(|(_, before)| before != trouble) {
            tracing::error!(%tenant, "a key of tenant {tenant} cannot be used: {trouble}");
        }
    }

    pub(crate) fn lately(&self, now: Timestamp) -> Option<UnopenedKeys> {
        let mut troubles = self.lock();
        troubles.retain(|_, (at, _)| *at + LATELY > now);
        let (_, last) = troubles.values().max_by_key(|(at, _)| *at)?;
        Some(UnopenedKeys { tenants: troubles.len(), last: last.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TenantId, (Timestamp, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
