//! Which tenants' keys do not open, for readiness and for the log.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::{Lifetime, Timestamp};
use tenancy::TenantId;

use crate::KeyError;

/// Tenants whose keys do not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnopenedKeys {
    /// How many were asked for lately; of very many not all are counted.
    pub tenants: usize,
    /// Whether one of them waits for something that may pass by itself, such as a sealing service that does not answer.
    pub waiting: bool,
}

#[derive(Default)]
pub(crate) struct Troubles(Mutex<HashMap<TenantId, Trouble>>);

struct Trouble {
    at: Timestamp,
    waits: bool,
    /// As the log was told.
    told: Vec<String>,
}

/// For so long after the last attempt a tenant counts: nobody asks again for one that is not in use.
const LATELY: Lifetime = Lifetime::from_seconds(60);
/// More are not counted.
const MOST: usize = 10_000;

impl Troubles {
    /// Takes down what the last attempt found. It is logged when it begins or changes, not at each attempt.
    pub(crate) fn note<'e>(
        &self,
        tenant: &TenantId,
        found: impl Iterator<Item = &'e KeyError>,
        now: Timestamp,
    ) {
        let found: Vec<_> = found.collect();
        let mut troubles = self.lock();
        if found.is_empty() {
            if troubles.remove(tenant).is_some() {
                tracing::info!(%tenant, "the keys of tenant {tenant} open again");
            }
            return;
        }
        if troubles.len() >= MOST && !troubles.contains_key(tenant) {
            return;
        }
        let waits = found.iter().any(|error| !error.needs_operator());
        let told: Vec<_> = found.into_iter().map(KeyError::in_full).collect();
        let before = troubles.insert(tenant.clone(), Trouble { at: now, waits, told: told.clone() });
        let before = before.map_or_else(Vec::new, |before| before.told);
        for trouble in told.iter().filter(|trouble| !before.contains(trouble)) {
            tracing::error!(%tenant, "a key of tenant {tenant} cannot be used: {trouble}");
        }
    }

    pub(crate) fn lately(&self, now: Timestamp) -> Option<UnopenedKeys> {
        let mut troubles = self.lock();
        troubles.retain(|_, trouble| trouble.at + LATELY > now);
        let waiting = troubles.values().any(|trouble| trouble.waits);
        (!troubles.is_empty()).then_some(UnopenedKeys { tenants: troubles.len(), waiting })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TenantId, Trouble>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
