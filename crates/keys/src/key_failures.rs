//! The tenants whose keys cannot be loaded, for the readiness check and the log.

use std::collections::HashMap;

use parking_lot::Mutex;
use tenancy::TenantId;
use values::{Lifetime, Timestamp};

use crate::KeyError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnopenedKeys {
    /// The number of these tenants that were used in the last minute, up to a maximum.
    pub tenants: usize,
    /// Whether at least one may recover without an operator, for example when the key service is available
    /// again.
    pub waiting: bool,
}

#[derive(Default)]
pub(crate) struct KeyFailures(Mutex<HashMap<TenantId, KeyFailure>>);

struct KeyFailure {
    at: Timestamp,
    waits: bool,
    /// The failures as they were last logged.
    logged: Vec<String>,
}

/// How long a tenant counts after its last attempt. Keys of an unused tenant are not loaded again.
const LATELY: Lifetime = Lifetime::from_seconds(60);
/// The maximum number of tenants that are counted.
const MOST: usize = 10_000;

impl KeyFailures {
    /// Records the failures of the last attempt. Logs them only when they start or change.
    pub(crate) fn note<'e>(
        &self,
        tenant: &TenantId,
        found: impl Iterator<Item = &'e KeyError>,
        now: Timestamp,
    ) {
        let found: Vec<_> = found.collect();
        let mut failures = self.0.lock();
        if found.is_empty() {
            if failures.remove(tenant).is_some() {
                tracing::info!(%tenant, "Latchkey can open the keys of tenant {tenant} again");
            }
            return;
        }
        if failures.len() >= MOST && !failures.contains_key(tenant) {
            return;
        }
        let waits = found.iter().any(|error| !error.needs_operator());
        let logged: Vec<_> = found.into_iter().map(KeyError::in_full).collect();
        let before = failures.insert(tenant.clone(), KeyFailure { at: now, waits, logged: logged.clone() });
        let before = before.map_or_else(Vec::new, |before| before.logged);
        for failure in logged.iter().filter(|failure| !before.contains(failure)) {
            tracing::error!(%tenant, "cannot use a key of tenant {tenant}: {failure}");
        }
    }

    pub(crate) fn lately(&self, now: Timestamp) -> Option<UnopenedKeys> {
        let mut failures = self.0.lock();
        failures.retain(|_, failure| failure.at + LATELY > now);
        let waiting = failures.values().any(|failure| failure.waits);
        (!failures.is_empty()).then_some(UnopenedKeys { tenants: failures.len(), waiting })
    }
}
