//! The pepper: random, generated once per store, and stored sealed.

use std::sync::Arc;

use administration::SealedItems;
use keys::{KeySealer, SealingContext};
use protocol::Timestamp;
use secrets::Pepper;
use tenancy::StoreError;
use zeroize::Zeroizing;

use super::SealingError;

/// The name of the stored value.
const PEPPER: &str = "pepper";

/// Opens the pepper, generating it for a new store.
pub(crate) async fn pepper(
    store: &dyn SealedItems,
    sealer: &dyn KeySealer,
    now: Timestamp,
) -> Result<Arc<Pepper>, SealingError> {
    if let Some(pepper) = existing_pepper(store, sealer).await? {
        return Ok(pepper);
    }
    let sealed = sealer.seal(&SealingContext::Named(PEPPER), Pepper::generate().expose()).await;
    let sealed = sealed.map_err(SealingError::Unusable)?;
    // Another process may have been faster: the stored pepper counts.
    store.put_sealed_if_absent(PEPPER, &sealed, now).await?;
    existing_pepper(store, sealer).await?.ok_or(SealingError::PepperLength)
}

/// Opens the pepper if it exists.
pub(crate) async fn existing_pepper(
    store: &dyn SealedItems,
    sealer: &dyn KeySealer,
) -> Result<Option<Arc<Pepper>>, SealingError> {
    let Some(sealed) = sealed_pepper(store).await? else { return Ok(None) };
    Ok(Some(Arc::new(open_pepper(sealer, &sealed).await?)))
}

/// The stored, sealed pepper.
pub(crate) async fn sealed_pepper(store: &dyn SealedItems) -> Result<Option<Vec<u8>>, StoreError> {
    store.find_sealed(PEPPER).await
}

/// Unseals the stored pepper.
pub(crate) async fn open_pepper(sealer: &dyn KeySealer, sealed: &[u8]) -> Result<Pepper, SealingError> {
    let bytes = sealer.unseal(&SealingContext::Named(PEPPER), sealed).await;
    let bytes = bytes.map_err(SealingError::opening)?;
    let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| SealingError::PepperLength)?;
    Ok(Pepper::from_bytes(Zeroizing::new(bytes)))
}
