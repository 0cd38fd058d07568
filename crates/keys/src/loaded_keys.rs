//! A loaded key ring, and the keys that could not be unsealed. A failed key is not replaced by another key,
//! and it is not unsealed again on every request. The tenant's other keys stay usable.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tenancy::Tenant;
use values::Timestamp;

use crate::key_record::row_in_use;
use crate::{KeyAlgorithm, KeyError, KeyId, KeyRecord, KeyRecords, KeyRing, KeyStage, TenantKey};

pub(crate) struct LoadedKeys {
    pub(crate) ring: Arc<KeyRing>,
    /// The published keys that failed to load, and the first key if it could not be sealed.
    failures: Vec<(KeyId, KeyError)>,
    /// The time of the last attempt in seconds.
    tried_at: AtomicU64,
}

impl LoadedKeys {
    pub(crate) fn new(ring: KeyRing, failures: Vec<(KeyId, KeyError)>, at: Timestamp) -> Self {
        Self { ring: Arc::new(ring), failures, tried_at: AtomicU64::new(at.seconds()) }
    }

    pub(crate) fn add_failure(&mut self, error: KeyError) {
        self.failures.push((self.ring.records.next, error));
    }

    pub(crate) fn has_failed(&self) -> bool {
        !self.failures.is_empty()
    }

    /// Whether all keys are loaded and the tenant needs no first key of this use.
    pub(crate) fn serves(&self, tenant: &Tenant, wanted: KeyAlgorithm, now: Timestamp) -> bool {
        !self.has_failed() && !self.needs_key(tenant, wanted, now)
    }

    /// Whether this caller must try the failed keys again. At most one caller in each second does.
    pub(crate) fn try_again(&self, now: Timestamp) -> bool {
        let (tried_at, now) = (self.tried_at.load(Ordering::Relaxed), now.seconds());
        // A caller whose request is a second older must not set the time back.
        let lately = tried_at == now || tried_at == now + 1;
        let claim = || self.tried_at.compare_exchange(tried_at, now, Ordering::Relaxed, Ordering::Relaxed);
        self.has_failed() && !lately && claim().is_ok()
    }

    /// The ring for publishing and verifying, without the keys that only an operator can fix. Fails while
    /// another key may still load: otherwise the published key set would lack that key, and its tokens would
    /// count as unknown. Also fails if no key is left, because an empty key set would break every verifier.
    pub(crate) fn ring(&self, now: Timestamp) -> Result<Arc<KeyRing>, KeyError> {
        // A key that does not exist yet has no tokens.
        let exists = |id: &KeyId| *id < self.ring.records.next;
        let passing = self.failures.iter().find(|(id, error)| exists(id) && !error.needs_operator());
        let nothing = || self.failures.first().filter(|_| self.ring.published(now).next().is_none());
        match passing.or_else(nothing) {
            Some((_, error)) => Err(error.clone()),
            None => Ok(self.ring.clone()),
        }
    }

    /// The key that signs, or encrypts opaque tokens. Failures of other keys do not matter, and no other key
    /// replaces it.
    pub(crate) fn key(
        &self,
        tenant: &Tenant,
        wanted: KeyAlgorithm,
        now: Timestamp,
    ) -> Result<TenantKey, KeyError> {
        if let Some(key) = self.ring.in_use(wanted, tenant.signing.skew, now) {
            return Ok(key.clone());
        }
        let id = in_use(&self.ring.records, tenant, wanted, now).map_or(self.ring.records.next, |row| row.id);
        let failure = self.failures.iter().find(|(failed, _)| *failed == id).map(|(_, error)| error.clone());
        Err(failure.unwrap_or_else(|| {
            let tenant = tenant.id.clone();
            if self.begins_later(wanted, now) {
                KeyError::Contended { tenant }
            } else {
                KeyError::NoSigningKey { tenant }
            }
        }))
    }

    /// Whether the tenant needs a first key of this use. A suspended tenant does not.
    pub(crate) fn needs_key(&self, tenant: &Tenant, wanted: KeyAlgorithm, now: Timestamp) -> bool {
        let is_used = || in_use(&self.ring.records, tenant, wanted, now).is_some();
        tenant.is_active() && !is_used() && !self.begins_later(wanted, now)
    }

    /// Whether a key of this use begins after `now`, which is the time when the request arrived. While the
    /// request waited, another replica may have created the first key. Verifiers that have fetched that key
    /// would not know a second first key.
    fn begins_later(&self, wanted: KeyAlgorithm, now: Timestamp) -> bool {
        let rows = openable(&self.ring.records.keys, now).filter(|row| row.algorithm.has_use_of(wanted));
        rows.into_iter().any(|row| row.active_from > now)
    }

    /// The estimated size in memory, rounded up. A parsed RSA key takes about eight times its sealed
    /// document, and the published form of a key a few KiB.
    pub(crate) fn bytes(&self) -> u32 {
        const RING: usize = 1 << 10;
        const KEY: usize = 3 << 10;
        let keys = self.ring.records.keys.iter().map(|row| KEY + 8 * row.sealed_private_key.len());
        u32::try_from(RING + keys.sum::<usize>()).unwrap_or(u32::MAX)
    }

    /// The failures, for an operator.
    pub(crate) fn errors(&self) -> impl Iterator<Item = &KeyError> {
        self.failures.iter().map(|(_, error)| error)
    }
}

/// The rows whose private key is needed.
pub fn openable(records: &[KeyRecord], now: Timestamp) -> impl Iterator<Item = &KeyRecord> {
    let there = |row: &&KeyRecord| !row.sealed_private_key.is_empty();
    records.iter().filter(there).filter(move |row| row.state(now) != KeyStage::Removed)
}

/// The row of the key that signs or encrypts, even if the key failed to load.
pub(crate) fn in_use<'a>(
    records: &'a KeyRecords,
    tenant: &Tenant,
    wanted: KeyAlgorithm,
    now: Timestamp,
) -> Option<&'a KeyRecord> {
    row_in_use(|| openable(&records.keys, now), wanted, tenant.signing.skew, now)
}
