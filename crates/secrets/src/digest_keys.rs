//! The key of each tenant's digests, derived from the pepper. A tenant that was imported from another
//! installation brings its own key, so that its secrets, passwords and refresh tokens stay valid. A key
//! reveals nothing about the pepper or about other tenants' keys.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use derive_more::Debug;
use parking_lot::RwLock;
use tenancy::TenantId;
use zeroize::Zeroizing;

use crate::keyed_digest::KeyedDigest;

pub type DigestKey = Zeroizing<[u8; 32]>;

/// The keys of all tenants. Clones share the imported keys.
#[derive(Clone, Debug)]
#[debug("DigestKeys([redacted])")]
pub struct DigestKeys(Arc<KeysByPurpose>);

struct KeysByPurpose {
    own: KeyedDigest,
    brought: RwLock<HashMap<TenantId, DigestKey>>,
    /// Whether there are any imported keys, which is rare.
    any: AtomicBool,
}

impl DigestKeys {
    pub(crate) fn new(pepper: &[u8; 32]) -> Self {
        let own = KeyedDigest::for_purpose(pepper, "latchkey tenant 1");
        Self(Arc::new(KeysByPurpose { own, brought: RwLock::default(), any: AtomicBool::new(false) }))
    }

    #[must_use]
    pub fn of(&self, tenant: &TenantId) -> DigestKey {
        if self.0.any.load(Ordering::Acquire) {
            // No code under the lock can panic.
            let brought = self.0.brought.read();
            if let Some(key) = brought.get(tenant) {
                return key.clone();
            }
        }
        self.own(tenant)
    }

    /// The key that is derived from the pepper.
    #[must_use]
    pub fn own(&self, tenant: &TenantId) -> DigestKey {
        Zeroizing::new(self.0.own.of([tenant.as_str().as_bytes()]))
    }

    /// The digest of these texts for one purpose, with the tenant's key.
    #[must_use]
    pub fn digest<const N: usize>(&self, tenant: &TenantId, purpose: &str, texts: [&[u8]; N]) -> [u8; 32] {
        KeyedDigest::new(&self.of(tenant)).of(std::iter::once(purpose.as_bytes()).chain(texts))
    }

    /// Replaces all imported keys.
    pub fn set_brought(&self, keys: HashMap<TenantId, DigestKey>) {
        let mut brought = self.0.brought.write();
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
    fn imported_digest_key_applies_only_to_its_tenant() {
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
