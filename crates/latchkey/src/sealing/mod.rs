//! The sealing keys and the pepper: the secrets of the server itself, found or made before anything else.

mod error;
mod file;
mod pepper;
mod source;

use std::sync::Arc;

use administration::SealedItems;
use keys::{EnvelopeSealer, KeyEncryptionKey, LocalKeyEncryptionKey};

use crate::settings::{SealingKeySource, SealingKeys};

pub(crate) use error::SealingError;
pub(crate) use file::create;
pub(crate) use pepper::{existing_pepper, open_pepper, pepper, sealed_pepper};

/// Opens the sealing keys. Where the file of the one that seals is missing it is made, but only for a store of this machine (`embedded`)
/// in which nothing is sealed yet: a new key beside old rows would look like a start and be a loss, and replicas would each make their
/// own.
pub(crate) async fn sealer(
    settings: &SealingKeys,
    store: &dyn SealedItems,
    embedded: bool,
) -> Result<Arc<EnvelopeSealer>, SealingError> {
    let writing = match (source::open(&settings.writing).await?, &settings.writing) {
        (Some(key), _) => key,
        (None, SealingKeySource::File(path)) if embedded => {
            Arc::new(LocalKeyEncryptionKey::new(file::first(path, store).await?))
        }
        (None, setting) => return Err(SealingError::not_made(setting)),
    };
    Ok(Arc::new(EnvelopeSealer::new(writing, former(settings).await?)))
}

/// Opens the sealing keys without making one; `None` where the file of the one that seals is missing.
pub(crate) async fn existing_sealer(
    settings: &SealingKeys,
) -> Result<Option<Arc<EnvelopeSealer>>, SealingError> {
    let Some(writing) = source::open(&settings.writing).await? else { return Ok(None) };
    Ok(Some(Arc::new(EnvelopeSealer::new(writing, former(settings).await?))))
}

/// A former key that is missing fails only those whose keys it sealed, not the start.
async fn former(settings: &SealingKeys) -> Result<Vec<Arc<dyn KeyEncryptionKey>>, SealingError> {
    let mut former = Vec::with_capacity(settings.former.len());
    for setting in &settings.former {
        match (source::open(setting).await?, setting) {
            (Some(key), _) => former.push(key),
            (None, SealingKeySource::File(path)) => tracing::error!(
                file = %path.display(),
                "a former sealing key is missing; what it sealed cannot be opened"
            ),
            (None, SealingKeySource::Text(_) | SealingKeySource::Vault(_) | SealingKeySource::AwsKms(_)) => {}
        }
    }
    Ok(former)
}
