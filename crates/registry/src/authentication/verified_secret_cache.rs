//! A cache of verified secrets, so that only the first check of a chosen secret computes argon2id. It holds
//! keyed digests, never secrets.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moka::sync::Cache;
use tenancy::TenantId;
use values::Secret;

use crate::SecretId;
use crate::authentication::verification::Candidates;
use secrets::{KeyedDigest, random_bytes};

/// The number of entries; beyond it the least used are evicted.
const CAPACITY: usize = 100_000;
/// The lifetime of an unused entry.
const IDLE: Duration = Duration::from_secs(3600);

/// The cache of one process, under a random key that is never stored.
///
/// When the cache is nearly full, a tenant that has its equal share of it gets no further entry, so that the
/// secrets of others stay.
pub struct VerifiedSecretCache {
    key: KeyedDigest,
    secrets: Cache<VerifiedSecretKey, Arc<VerifiedEntry>>,
    held: Arc<EntryCounts>,
    capacity: usize,
}

#[derive(Debug)]
struct VerifiedEntry {
    tenant: TenantId,
    secret: SecretId,
}

/// The number of entries of each tenant that has some.
#[derive(Default)]
struct EntryCounts(Mutex<HashMap<TenantId, usize>>);

/// A digest of a presented secret and everything that it was checked against.
///
/// This includes tenant, client and the client's live secrets with their hashes. So a secret that expires, is
/// revoked or is replaced leaves the cache by that change, and an entry of one client is useless for another.
/// The bytes are the key of the hash job, too: equal keys have equal secrets and salts.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct VerifiedSecretKey(pub(crate) [u8; 32]);

impl VerifiedSecretCache {
    /// Creates a cache under a random key.
    #[must_use]
    pub fn generate() -> Self {
        Self::with_key(&random_bytes())
    }

    /// Creates a cache under this key, which must be random and not stored anywhere.
    #[must_use]
    pub fn with_key(key: &[u8; 32]) -> Self {
        Self::with_capacity(key, CAPACITY)
    }

    fn with_capacity(key: &[u8; 32], capacity: usize) -> Self {
        let held = Arc::new(EntryCounts::default());
        let removed = Arc::clone(&held);
        let secrets = Cache::builder()
            .max_capacity(capacity as u64)
            .time_to_idle(IDLE)
            .eviction_listener(move |_, verified: Arc<VerifiedEntry>, _| removed.remove(&verified.tenant))
            .build();
        Self { key: KeyedDigest::for_purpose(key, "latchkey remembered secret 1"), secrets, held, capacity }
    }

    pub(crate) fn key(
        &self,
        tenant: &TenantId,
        client: &str,
        presented: &Secret,
        candidates: Candidates<'_>,
    ) -> VerifiedSecretKey {
        let fixed = [tenant.as_str().as_bytes(), client.as_bytes(), presented.expose().as_bytes()];
        let stored = candidates.passwords().flat_map(|(id, phc)| [id.as_str().as_bytes(), phc.as_bytes()]);
        VerifiedSecretKey(self.key.of(fixed.into_iter().chain(stored)))
    }

    /// The verified secret of this key, if it is cached.
    pub(crate) fn find(&self, key: VerifiedSecretKey) -> Option<SecretId> {
        self.secrets.get(&key).map(|verified| verified.secret.clone())
    }

    /// Adds a verified secret, if its tenant has room.
    pub(crate) fn insert(&self, tenant: &TenantId, key: VerifiedSecretKey, secret: SecretId) {
        if self.held.add(tenant, self.capacity) {
            self.secrets.insert(key, Arc::new(VerifiedEntry { tenant: tenant.clone(), secret }));
        }
    }
}

impl EntryCounts {
    fn add(&self, tenant: &TenantId, capacity: usize) -> bool {
        let mut tenants = self.tenants();
        let own = tenants.get(tenant).copied().unwrap_or_default();
        let others = tenants.len() - usize::from(own > 0);
        // A tenant with less than its share needs no sum.
        if own >= capacity / (others + 1) && tenants.values().sum::<usize>() >= capacity / 16 * 15 {
            return false;
        }
        tenants.insert(tenant.clone(), own + 1);
        true
    }

    fn remove(&self, tenant: &TenantId) {
        let mut tenants = self.tenants();
        if let Some(own) = tenants.get_mut(tenant) {
            *own -= 1;
            if *own == 0 {
                tenants.remove(tenant);
            }
        }
    }

    fn tenants(&self) -> MutexGuard<'_, HashMap<TenantId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use values::Timestamp;

    use super::*;

    fn verified_secrets() -> VerifiedSecretCache {
        VerifiedSecretCache::with_key(&[1; 32])
    }

    fn key(cache: &VerifiedSecretCache, tenant: &str, client: &str, presented: &str) -> VerifiedSecretKey {
        let (tenant, presented) = (TenantId::parse(tenant).unwrap(), Secret::new(presented.to_owned()));
        cache.key(&tenant, client, &presented, Candidates::new(None, Timestamp::from_seconds(1)))
    }

    #[test]
    fn a_verified_secret_is_found_under_its_key_alone() {
        let verified_secrets = verified_secrets();
        let right = key(&verified_secrets, "acme", "billing", "secret");
        assert_eq!(verified_secrets.find(right), None);
        verified_secrets.insert(&TenantId::parse("acme").unwrap(), right, SecretId::new("1"));
        assert_eq!(verified_secrets.find(right), Some(SecretId::new("1")));
        assert_eq!(verified_secrets.find(key(&verified_secrets, "acme", "billing", "other")), None);
    }

    #[test]
    fn a_tenant_with_very_many_secrets_pushes_out_none_of_another() {
        let cache = VerifiedSecretCache::with_capacity(&[1; 32], 160);
        let insert = |tenant: &str, number: usize| {
            let key = key(&cache, tenant, &format!("client-{number}"), "secret");
            cache.insert(&TenantId::parse(tenant).unwrap(), key, SecretId::new("1"));
            cache.secrets.run_pending_tasks();
            key
        };
        let own: Vec<_> = (0..40).map(|number| insert("acme", number)).collect();
        for number in 0..1_600 {
            insert("globex", number);
        }
        for key in own {
            assert!(cache.find(key).is_some());
        }
        // Alone it has nearly all of it, and what was removed is counted no more.
        assert_eq!(cache.secrets.entry_count(), 150);
        for number in 40..80 {
            let late = insert("acme", number);
            assert!(cache.find(late).is_some() || cache.secrets.entry_count() >= 160);
        }
        let counted = cache.held.tenants().values().sum::<usize>();
        assert_eq!(u64::try_from(counted).unwrap(), cache.secrets.entry_count());
    }

    #[test]
    fn another_tenant_client_text_or_process_has_another_key() {
        let verified_secrets = verified_secrets();
        let own = key(&verified_secrets, "acme", "billing", "secret");
        assert!(own == key(&verified_secrets, "acme", "billing", "secret"));
        for (tenant, client, presented) in
            [("other", "billing", "secret"), ("acme", "billin", "gsecret"), ("acme", "billing", "secres")]
        {
            assert!(own != key(&verified_secrets, tenant, client, presented), "{tenant} {client}");
        }
        assert!(own != key(&VerifiedSecretCache::generate(), "acme", "billing", "secret"));
    }
}
