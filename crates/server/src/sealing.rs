//! The server's own secrets: the sealing keys and the pepper. They are loaded or created before everything
//! else.

mod file;
mod pepper;
mod source;
mod tenant_keys;

use std::sync::Arc;

use administration::store::SealedItems as _;
use anyhow::bail;
use keys::{EnvelopeSealer, KeyEncryptionKey, KeySealer};
use secrets::Pepper;
use storage::Database;

use settings::SealingKeys;

pub use file::{MissingKey, create, generate};
pub use pepper::{existing_pepper, pepper};
pub(crate) use pepper::{is_outage, open_pepper, sealed_pepper};
pub(crate) use tenant_keys::UnsealedKeys;

/// Opens the sealing keys. A missing file of the current key is only created for a SQLite store in which
/// nothing is sealed yet. Otherwise a new key would make stored rows unreadable without an error at the
/// start. A PostgreSQL store may be older than this machine, and each replica would create a different key,
/// so an operator must create the key and give it to all replicas.
pub async fn sealer(settings: &SealingKeys, store: &Database) -> anyhow::Result<Arc<EnvelopeSealer>> {
    let writing = match source::open(&settings.writing).await? {
        Ok(key) => key,
        Err(path) if store.is_embedded() => Arc::new(file::first(path, store).await?),
        Err(path) => bail!(
            "the sealing key {} is missing. Create one with `latchkey key new-sealing-key --file`, and give it to every replica",
            path.display()
        ),
    };
    Ok(Arc::new(EnvelopeSealer::new(writing, former(settings).await?)))
}

/// Opens the sealing keys without creating one. Fails with [`MissingKey`] if the file of the current key is
/// missing.
pub async fn existing_sealer(settings: &SealingKeys) -> anyhow::Result<Arc<EnvelopeSealer>> {
    let writing = source::open(&settings.writing).await?.map_err(|path| MissingKey(path.to_owned()))?;
    Ok(Arc::new(EnvelopeSealer::new(writing, former(settings).await?)))
}

/// The sealing keys and the pepper for a program that only reads, so it must not create them. If they are
/// missing and nothing is sealed yet, temporary ones are used.
pub async fn for_reading(
    settings: &SealingKeys,
    store: &Database,
) -> anyhow::Result<(Arc<dyn KeySealer>, Arc<Pepper>)> {
    let sealer: Arc<dyn KeySealer> = match existing_sealer(settings).await {
        Err(error) if error.is::<MissingKey>() && !store.holds_sealed_rows().await? => Arc::new(generate()?),
        sealer => sealer?,
    };
    let pepper = existing_pepper(store, &*sealer).await?;
    Ok((sealer, pepper.unwrap_or_else(|| Arc::new(Pepper::generate()))))
}

/// A missing previous key only affects the values that it sealed, not the start.
async fn former(settings: &SealingKeys) -> anyhow::Result<Vec<Arc<dyn KeyEncryptionKey>>> {
    let mut former = Vec::with_capacity(settings.former.len());
    for setting in &settings.former {
        match source::open(setting).await? {
            Ok(key) => former.push(key),
            Err(path) => tracing::error!(
                file = %path.display(),
                "a former sealing key is missing, so the values that it sealed cannot be opened"
            ),
        }
    }
    Ok(former)
}
