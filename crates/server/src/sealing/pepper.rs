//! The pepper: random bytes, generated once for each store, and stored sealed.

use std::sync::Arc;

use administration::store::SealedItems;
use anyhow::{Context as _, anyhow};
use keys::{KeySealer, SealError, SealingContext};
use secrets::Pepper;
use tenancy::Stored;
use values::Timestamp;
use zeroize::Zeroizing;

use super::tenant_keys::UnsealedKeys;

const PEPPER: &str = "pepper";
const UNUSABLE: &str = "cannot use the sealing key";
const NOT_OPENED: &str = "cannot open the pepper. Probably neither keys.sealing_key nor keys.former_sealing_keys contains the key that sealed it";
const WRONG_LENGTH: &str = "the pepper has the wrong length";

/// Opens the pepper, or generates it for a new store.
pub async fn pepper(
    store: &dyn SealedItems,
    sealer: &dyn KeySealer,
    now: Timestamp,
) -> anyhow::Result<Arc<Pepper>> {
    if let Some(pepper) = existing_pepper(store, sealer).await? {
        return Ok(pepper);
    }
    let sealed = sealer.seal(&SealingContext::Named(PEPPER), Pepper::generate().expose()).await;
    // If another process has just stored a pepper, that one is used.
    store.put_sealed_if_absent(PEPPER, &sealed.context(UNUSABLE)?, now).await?;
    existing_pepper(store, sealer).await?.context(WRONG_LENGTH)
}

/// Opens the pepper if it exists, and the digest keys of tenants from other installations.
pub async fn existing_pepper(
    store: &dyn SealedItems,
    sealer: &dyn KeySealer,
) -> anyhow::Result<Option<Arc<Pepper>>> {
    let Some(sealed) = sealed_pepper(store).await? else { return Ok(None) };
    let pepper = open_pepper(sealer, &sealed).await?;
    UnsealedKeys::default().read(store, sealer, &pepper.tenants).await?;
    Ok(Some(Arc::new(pepper)))
}

pub(crate) async fn sealed_pepper(store: &dyn SealedItems) -> Stored<Option<Vec<u8>>> {
    store.find_sealed(PEPPER).await
}

pub(crate) async fn open_pepper(sealer: &dyn KeySealer, sealed: &[u8]) -> anyhow::Result<Pepper> {
    let bytes = sealer.unseal(&SealingContext::Named(PEPPER), sealed).await.map_err(|error| {
        let why = if is_outage(&error) { UNUSABLE } else { NOT_OPENED };
        anyhow!(error).context(why)
    })?;
    let bytes = <[u8; 32]>::try_from(bytes.as_slice()).ok().context(WRONG_LENGTH)?;
    Ok(Pepper::from_bytes(Zeroizing::new(bytes)))
}

/// Whether the key service does not answer, refuses, or no longer has the key. The pepper itself may be
/// intact.
pub(crate) fn is_outage(error: &SealError) -> bool {
    matches!(error, SealError::Unavailable(_) | SealError::KeyGone { .. })
}
