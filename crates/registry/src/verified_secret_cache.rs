//! A cache of verified secrets, so that only the first check of a chosen secret computes argon2id. It holds keyed
//! digests, never secrets.

use std::time::Duration;

use moka::future::Cache;
use protocol::Secret;
use tenancy::TenantId;

use crate::SecretId;
use crate::verification::Candidates;
use secrets::{KeyedDigest, random_bytes};

/// The number of entries; beyond it the least used are evicted.
const CAPACITY: u64 = 100_000;
/// The lifetime of an entry that is not used.
const IDLE: Duration = Duration::from_secs(3600);

/// The cache of one process, under a random key that is never stored.
pub struct VerifiedSecretCache {
    key: KeyedDigest,
    secrets: Cache<VerifiedSecretKey, SecretId>,
}

/// A digest of a presented secret and everything that it was checked against.
///
/// This includes tenant, client and the client's live secrets with their hashes. So a secret that expires, is revoked
/// or is replaced leaves the cache by that change, and an entry of one client is useless for another. The bytes are the key of the hash
/// job, too: equal keys have equal secrets and salts.
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
        let secrets = Cache::builder().max_capacity(CAPACITY).time_to_idle(IDLE).build();
        Self { key: KeyedDigest::for_purpose(key, "latchkey remembered secret 1"), secrets }
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
    pub(crate) async fn find(&self, key: VerifiedSecretKey) -> Option<SecretId> {
        self.secrets.get(&key).await
    }

    /// Adds a verified secret.
    pub(crate) async fn insert(&self, key: VerifiedSecretKey, secret: SecretId) {
        self.secrets.insert(key, secret).await;
    }
}

#[cfg(test)]
mod tests {
    use protocol::Timestamp;

    use super::*;

    fn verified_secrets() -> VerifiedSecretCache {
        VerifiedSecretCache::with_key(&[1; 32])
    }

    fn key(
        verified_secrets: &VerifiedSecretCache,
        tenant: &str,
        client: &str,
        presented: &str,
    ) -> VerifiedSecretKey {
        let none = Candidates::of(None, Timestamp::from_seconds(1));
        verified_secrets.key(
            &TenantId::parse(tenant).unwrap(),
            client,
            &Secret::new(presented.to_owned()),
            none,
        )
    }

    #[tokio::test]
    async fn a_verified_secret_is_found_under_its_key_alone() {
        let verified_secrets = verified_secrets();
        let right = key(&verified_secrets, "acme", "billing", "secret");
        assert_eq!(verified_secrets.find(right).await, None);
        verified_secrets.insert(right, SecretId::new("1")).await;
        assert_eq!(verified_secrets.find(right).await, Some(SecretId::new("1")));
        assert_eq!(verified_secrets.find(key(&verified_secrets, "acme", "billing", "other")).await, None);
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
