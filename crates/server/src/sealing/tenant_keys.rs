//! The digest keys of tenants from other installations, which are sealed in the store. Every server checks
//! for new keys every second.

use std::collections::HashMap;

use administration::store::{SealedItems, tenant_key_name};
use anyhow::Context as _;
use keys::{KeySealer, SealingContext};
use secrets::DigestKeys;
use tenancy::TenantId;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

/// The sealed keys that were read last. They are only unsealed again after a change.
#[derive(Default)]
pub(crate) struct UnsealedKeys(Mutex<Vec<(TenantId, Vec<u8>)>>);

impl UnsealedKeys {
    /// Reads the keys. Digests then use them.
    ///
    /// # Errors
    /// If the store does not answer or a key cannot be unsealed. The previous keys then stay in use.
    pub(crate) async fn read(
        &self,
        store: &dyn SealedItems,
        sealer: &dyn KeySealer,
        keys: &DigestKeys,
    ) -> anyhow::Result<()> {
        let sealed = store.tenant_keys().await?;
        let mut known = self.0.lock().await;
        if *known == sealed {
            return Ok(());
        }
        let mut opened = HashMap::new();
        for (tenant, sealed) in &sealed {
            let name = tenant_key_name(tenant);
            let key = sealer.unseal(&SealingContext::Named(&name), sealed).await;
            let key = key.with_context(|| format!("cannot open the digest key of tenant {tenant}"))?;
            let key = <[u8; 32]>::try_from(key.as_slice()).context("a digest key has the wrong length")?;
            opened.insert(tenant.clone(), Zeroizing::new(key));
        }
        keys.set_brought(opened);
        *known = sealed;
        Ok(())
    }
}
