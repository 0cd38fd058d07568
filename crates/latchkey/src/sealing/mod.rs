//! The server's own secrets, the sealing keys and the pepper, which are loaded or created before everything else.

mod error;
mod file;
mod pepper;
mod source;

use std::sync::Arc;

use administration::SealedItems;
use keys::{EnvelopeSealer, KeyEncryptionKey};

use crate::settings::{SealingKeySource, SealingKeys};

pub(crate) use error::SealingError;
pub(crate) use file::create;
pub(crate) use pepper::{existing_pepper, open_pepper, pepper, sealed_pepper};

/// Opens the sealing keys. Creates a missing file of the current key only for a store of this machine (`embedded`) in which nothing is
/// sealed yet. A new key beside old rows would make those unreadable without an error at the start, and each replica would create a
/// different one.
pub(crate) async fn sealer(
    settings: &SealingKeys,
    store: &dyn SealedItems,
    embedded: bool,
) -> Result<Arc<EnvelopeSealer>, SealingError> {
    let writing = match (source::open(&settings.writing).await?, &settings.writing) {
        (Some(key), _) => key,
        (None, SealingKeySource::File(path)) if embedded => Arc::new(file::first(path, store).await?),
        (None, setting) => return Err(SealingError::not_made(setting)),
    };
    Ok(Arc::new(EnvelopeSealer::new(writing, former(settings).await?)))
}

/// Opens the sealing keys without creating one; `None` where the file of the current key is missing.
pub(crate) async fn existing_sealer(
    settings: &SealingKeys,
) -> Result<Option<Arc<EnvelopeSealer>>, SealingError> {
    let Some(writing) = source::open(&settings.writing).await? else { return Ok(None) };
    Ok(Some(Arc::new(EnvelopeSealer::new(writing, former(settings).await?))))
}

/// A missing previous key fails only the values that it sealed, not the start.
async fn former(settings: &SealingKeys) -> Result<Vec<Arc<dyn KeyEncryptionKey>>, SealingError> {
    let mut former = Vec::with_capacity(settings.former.len());
    for setting in &settings.former {
        match (source::open(setting).await?, setting) {
            (Some(key), _) => former.push(key),
            (None, SealingKeySource::File(path)) => tracing::error!(
                file = %path.display(),
                "a former sealing key is missing; what it sealed cannot be opened"
            ),
            (
                None,
                SealingKeySource::Text(_) | SealingKeySource::Vault { .. } | SealingKeySource::AwsKms(_),
            ) => {}
        }
    }
    Ok(former)
}
