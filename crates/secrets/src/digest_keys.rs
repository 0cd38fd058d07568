//! The key of each tenant's digests. It is derived from the pepper. If the tenant came from another
//! installation, its key came with it, so that secrets, passwords and refresh tokens from there stay valid. A
//! key reveals nothing about the pepper, or about another tenant's key.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use derive_more::Debug;
use tenancy::TenantId;
use zeroize::Zeroizing;

use crate::keyed_digest::KeyedDigest;

/// The key of one tenant.
pub type DigestKey = Zeroizing<[u8; 32]>;

/// The keys of all tenants. Clones share those that came from elsewhere.
#[derive(Clone, Debug)]
#[debug("DigestKeys([redacted])")]
pub struct DigestKeys(Arc<KeysByPurpose>);

struct KeysByPurpose {
    own: KeyedDigest,
    brought: RwLock<HashMap<TenantId, DigestKey>>,
    /// Whether any is brought, which is rare.
    any: AtomicBool,
}

impl DigestKeys {
    pub(crate) fn new(pepper: &[u8; 32]) -> Self {
        let own = KeyedDigest::for_purpose(pepper, "latchkey tenant 1");
        Self(Arc::new(KeysByPurpose { own, brought: RwLock::default(), any: AtomicBool::new(false) }))
    }

    /// The key of a tenant.
    #[must_use]
    pub fn of(&self, tenant: &TenantId) -> DigestKey {
        if self.0.any.load(Ordering::Acquire) {
            // No code under the lock can panic.
            let brought = self.0.brought.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(key) = brought.get(tenant) {
                return key.clone();
            }
        }
        self.own(tenant)
    }

    /// The key that a tenant has by the pepper.
    #[must_use]
    pub fn own(&self, tenant: &TenantId) -> DigestKey {
        Zeroizing::new(self.0.own.of([tenant.as_str().as_bytes()]))
    }

    /// The digest of these texts, for one purpose, under the tenant's key.
    #[must_use]
    pub fn digest<const N: usize>(&self, tenant: &TenantId, purpose: &str, texts: [&[u8]; N]) -> [u8; 32] {
        KeyedDigest::new(&self.of(tenant)).of(std::iter::once(purpose.as_bytes()).chain(texts))
    }

    /// The keys that came with their tenants from elsewhere: these, and no others.
    pub fn set_brought(&self, keys: HashMap<TenantId, DigestKey>) {
        let mut brought = self.0.brought.write().unwrap_or_else(PoisonError::into_inner);
        self.0.any.store(!keys.is_empty(), Ordering::Release);
        *brought = keys;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(keys: &DigestKeys, tenant: &str) -> [u8; 32] {
        keys.digest(&TenantId::parse(tenant).unwrap(), "a", [b"text".as_slice()])
    }

    #[test]
    fn a_brought_key_makes_the_digests_of_the_other_installation_for_its_tenant_alone() {
        let [here, there] = [1, 2].map(|byte| DigestKeys::new(&[byte; 32]));
        let acme = TenantId::parse("acme").unwrap();
        let [own, others] = ["acme", "globex"].map(|tenant| digest(&here, tenant));
        assert!(own != others && own != digest(&there, "acme"));
        let clone = here.clone();
        here.set_brought(HashMap::from([(acme.clone(), there.of(&acme))]));
        assert_eq!(["acme", "globex"].map(|tenant| digest(&clone, tenant)), [digest(&there, "acme"), others]);
        here.set_brought(HashMap::new());
        assert_eq!(digest(&clone, "acme"), own);
        assert_ne!(own, here.digest(&acme, "b", [b"text".as_slice()]));
    }
}
