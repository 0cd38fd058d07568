//! A ring as it was opened, with the keys that would not open: a key that fails must neither be replaced by another one, nor be asked
//! for on every request, nor stop the tenant's other keys.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use protocol::Timestamp;
use tenancy::Tenant;

use crate::key_record::signing_row;
use crate::{KeyError, KeyId, KeyRecord, KeyRing, KeyStage, SigningKey};

/// What one attempt to open a tenant's keys came to.
pub(crate) struct LoadedKeys {
    pub(crate) ring: Arc<KeyRing>,
    /// The published keys that could not be opened, and the first key if it could not be sealed.
    failures: Vec<(KeyId, KeyError)>,
    /// Seconds: when the last attempt was made.
    tried_at: AtomicU64,
}

impl LoadedKeys {
    pub(crate) fn new(ring: KeyRing, failures: Vec<(KeyId, KeyError)>, at: Timestamp) -> Self {
        Self { ring: Arc::new(ring), failures, tried_at: AtomicU64::new(at.seconds()) }
    }

    pub(crate) fn add_failure(&mut self, error: KeyError) {
        self.failures.push((self.ring.records().next, error));
    }

    /// Whether anything failed.
    pub(crate) fn has_failed(&self) -> bool {
        !self.failures.is_empty()
    }

    /// Whether the caller is to try again to open what failed: one does in a second, whatever comes of it.
    pub(crate) fn try_again(&self, now: Timestamp) -> bool {
        let (tried_at, now) = (self.tried_at.load(Ordering::Relaxed), now.seconds());
        // Of two callers around a second's end, one says it is a second earlier.
        let lately = tried_at == now || tried_at == now + 1;
        let claim = || self.tried_at.compare_exchange(tried_at, now, Ordering::Relaxed, Ordering::Relaxed);
        self.has_failed() && !lately && claim().is_ok()
    }

    /// The ring, to publish and to verify with. Keys that only an operator can mend are missing in it, but while one may open the next
    /// moment, neither is a key set without it given away nor a token called unknown that it may have signed; and an empty key set
    /// would break every verifier.
    pub(crate) fn ring(&self, now: Timestamp) -> Result<Arc<KeyRing>, KeyError> {
        let passing = self.failures.iter().find(|(_, error)| !error.needs_operator());
        let nothing = || self.failures.first().filter(|_| self.ring.published(now).next().is_none());
        match passing.or_else(nothing) {
            Some((_, error)) => Err(error.clone()),
            None => Ok(self.ring.clone()),
        }
    }

    /// The key that signs. Whether another one failed does not matter, and no other one takes its place.
    pub(crate) fn signing_key(&self, tenant: &Tenant, now: Timestamp) -> Result<Arc<SigningKey>, KeyError> {
        if let Some(key) = self.ring.signing_key(&tenant.signing, now) {
            return Ok(key.clone());
        }
        let wanted = signs(&self.ring, tenant, now).map_or(self.ring.records().next, |row| row.id);
        let failure = self.failures.iter().find(|(id, _)| *id == wanted).map(|(_, error)| error.clone());
        Err(failure.unwrap_or_else(|| KeyError::NoSigningKey { tenant: tenant.id.clone() }))
    }

    /// Whether the tenant has nothing to sign with and is to be given something; a suspended one signs nothing.
    pub(crate) fn needs_key(&self, tenant: &Tenant, now: Timestamp) -> bool {
        tenant.is_active() && signs(&self.ring, tenant, now).is_none()
    }

    /// What it keeps in memory, estimated rather too high than too low: parsed, an RSA key takes some eight times its sealed document,
    /// and what is published and remembered of each key a few KiB.
    pub(crate) fn bytes(&self) -> u32 {
        const RING: usize = 1 << 10;
        const KEY: usize = 3 << 10;
        let keys = self.ring.records().keys.iter().map(|row| KEY + 8 * row.sealed_private_key.len());
        u32::try_from(RING + keys.sum::<usize>()).unwrap_or(u32::MAX)
    }

    /// What is wrong, for an operator.
    pub(crate) fn errors(&self) -> impl Iterator<Item = &KeyError> {
        self.failures.iter().map(|(_, error)| error)
    }
}

/// The rows whose private half is there and wanted.
pub fn openable(records: &[KeyRecord], now: Timestamp) -> impl Iterator<Item = &KeyRecord> {
    let there = |row: &&KeyRecord| !row.sealed_private_key.is_empty();
    records.iter().filter(there).filter(move |row| row.state(now) != KeyStage::Removed)
}

/// The row that signs, whether or not its key opens.
fn signs<'a>(ring: &'a KeyRing, tenant: &Tenant, now: Timestamp) -> Option<&'a KeyRecord> {
    signing_row(|| openable(&ring.records().keys, now), &tenant.signing, now)
}
