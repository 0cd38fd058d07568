//! A cache of verified secrets, so that argon2id is computed only for the first check of a chosen secret. It
//! contains keyed digests, never secrets.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use parking_lot::Mutex;
use tenancy::TenantId;
use values::Secret;

use crate::SecretId;
use crate::authentication::verification::Candidates;
use secrets::{KeyedDigest, random_bytes};

/// The maximum number of entries. The least used entries are evicted first.
const CAPACITY: usize = 100_000;
/// How long an unused entry is kept.
const IDLE: Duration = Duration::from_secs(3600);

/// The cache of one process. Its key is random and never stored.
///
/// When the cache is nearly full, a tenant with an equal share of the entries gets no new ones, so that it
/// cannot evict the secrets of other tenants.
pub struct VerifiedCache {
    key: KeyedDigest,
    secrets: Cache<VerifiedKey, Arc<VerifiedEntry>>,
    held: Arc<EntryCounts>,
    capacity: usize,
}

#[derive(Debug)]
struct VerifiedEntry {
    tenant: TenantId,
    secret: SecretId,
}

#[derive(Default)]
struct EntryCounts(Mutex<HashMap<TenantId, usize>>);

/// A keyed digest of a presented secret and of everything that it was checked against: tenant, client and the
/// client's valid secrets with their hashes. So a cached result becomes unreachable as soon as a secret
/// expires or changes, and an entry of one client is useless for another. The digest is also the key of the
/// hash job: equal keys mean equal secrets and salts.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct VerifiedKey(pub(crate) [u8; 32]);

impl VerifiedCache {
    #[must_use]
    pub fn generate() -> Self {
        Self::with_key(&random_bytes())
    }

    /// `key` must be random and not stored anywhere.
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
    ) -> VerifiedKey {
        let fixed = [tenant.as_str().as_bytes(), client.as_bytes(), presented.expose().as_bytes()];
        let stored = candidates.passwords().flat_map(|(id, phc)| [id.as_str().as_bytes(), phc.as_bytes()]);
        VerifiedKey(self.key.of(fixed.into_iter().chain(stored)))
    }

    /// The secret that was verified under this key, if it is cached.
    pub(crate) fn find(&self, key: VerifiedKey) -> Option<SecretId> {
        self.secrets.get(&key).map(|verified| verified.secret.clone())
    }

    /// Adds a verified secret, unless its tenant has too many entries.
    pub(crate) fn insert(&self, tenant: &TenantId, key: VerifiedKey, secret: SecretId) {
        if self.held.add(tenant, self.capacity) {
            self.secrets.insert(key, Arc::new(VerifiedEntry { tenant: tenant.clone(), secret }));
        }
    }
}

impl EntryCounts {
    fn add(&self, tenant: &TenantId, capacity: usize) -> bool {
        let mut tenants = self.0.lock();
        let own = tenants.get(tenant).copied().unwrap_or_default();
        let others = tenants.len() - usize::from(own > 0);
        // The sum is only computed for tenants with at least their share.
        if own >= capacity / (others + 1) && tenants.values().sum::<usize>() >= capacity / 16 * 15 {
            return false;
        }
        tenants.insert(tenant.clone(), own + 1);
        true
    }

    fn remove(&self, tenant: &TenantId) {
        let mut tenants = self.0.lock();
        if let Some(own) = tenants.get_mut(tenant) {
            *own -= 1;
            if *own == 0 {
                tenants.remove(tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use values::Timestamp;

    use super::*;

    fn verified_secrets() -> VerifiedCache {
        VerifiedCache::with_key(&[1; 32])
    }

    fn key(cache: &VerifiedCache, tenant: &str, client: &str, presented: &str) -> VerifiedKey {
        let (tenant, presented) = (TenantId::parse(tenant).unwrap(), Secret::new(presented.to_owned()));
        cache.key(&tenant, client, &presented, Candidates::new(None, Timestamp::from_seconds(1)))
    }

    #[test]
    fn verified_secret_is_found_only_by_its_key() {
        let verified_secrets = verified_secrets();
        let right = key(&verified_secrets, "acme", "billing", "secret");
        assert_eq!(verified_secrets.find(right), None);
        verified_secrets.insert(&TenantId::parse("acme").unwrap(), right, SecretId::new("1"));
        assert_eq!(verified_secrets.find(right), Some(SecretId::new("1")));
        assert_eq!(verified_secrets.find(key(&verified_secrets, "acme", "billing", "other")), None);
    }

    #[test]
    fn tenant_never_evicts_secrets_of_another_tenant() {
        let cache = VerifiedCache::with_capacity(&[1; 32], 160);
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
        // A single tenant may use nearly the whole cache, and evicted entries are not counted any more.
        assert_eq!(cache.secrets.entry_count(), 150);
        for number in 40..80 {
            let late = insert("acme", number);
            assert!(cache.find(late).is_some() || cache.secrets.entry_count() >= 160);
        }
        let counted = cache.held.0.lock().values().sum::<usize>();
        assert_eq!(u64::try_from(counted).unwrap(), cache.secrets.entry_count());
    }

    #[test]
    fn cache_key_depends_on_tenant_client_secret_and_process() {
        let verified_secrets = verified_secrets();
        let own = key(&verified_secrets, "acme", "billing", "secret");
        assert!(own == key(&verified_secrets, "acme", "billing", "secret"));
        for (tenant, client, presented) in
            [("other", "billing", "secret"), ("acme", "billin", "gsecret"), ("acme", "billing", "secres")]
        {
            assert!(own != key(&verified_secrets, tenant, client, presented), "{tenant} {client}");
        }
        assert!(own != key(&VerifiedCache::generate(), "acme", "billing", "secret"));
    }
}
