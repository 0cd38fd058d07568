//! A sealing key in a file that only its owner may read: 32 bytes in base64.

use std::io;
use std::path::{Path, PathBuf};

use administration::store::SealedItems;
use anyhow::{Context as _, bail};
use keys::SealingKey;
use values::Secret;
use zeroize::Zeroizing;

use settings::files;
use settings::owner::unreadable;

/// The file of the current key is missing and must not be created, because stored rows need the key.
#[derive(Debug, thiserror::Error)]
#[error(
    "the sealing key {} is missing, but the store has rows that only this key can open. Restore the key. `latchkey key \
         new-sealing-key` creates a new key, but a new key cannot open these rows",
    .0.display()
)]
pub struct MissingKey(pub(super) PathBuf);

pub fn generate() -> anyhow::Result<SealingKey> {
    SealingKey::generate().context("cannot generate a sealing key")
}

/// Creates a sealing key in a new file that only its owner may read.
pub fn create(path: &Path) -> anyhow::Result<SealingKey> {
    let key = generate()?;
    let text = Zeroizing::new([key.to_base64().expose(), "\n"].concat());
    files::create(path, text.as_bytes(), 0o600)
        .with_context(|| format!("cannot write the sealing key {}", path.display()))?;
    Ok(key)
}

/// Folders that a restart of the machine empties. A key that the program created there would be lost.
const TEMPORARY: [&str; 3] = ["/run", "/var/run", "/dev/shm"];

/// Creates the first key. If another program has just created the file, uses that program's key.
pub(super) async fn first(path: &Path, store: &dyn SealedItems) -> anyhow::Result<SealingKey> {
    if let Some(folder) = TEMPORARY.iter().find(|folder| path.starts_with(folder)) {
        bail!(
            "the sealing key {} is missing, and Latchkey does not create one there, because {folder} is empty after a reboot. \
                 Create the key elsewhere with `latchkey key new-sealing-key --file`. A systemd credential only exists while the \
                 service runs, so start the service first",
            path.display()
        );
    }
    let exists = |error: &io::Error| error.kind() == io::ErrorKind::AlreadyExists;
    if !store.holds_sealed_rows().await? {
        match create(path) {
            Err(error) if error.downcast_ref().is_some_and(exists) => {}
            made => return made,
        }
    }
    read(path)?.ok_or_else(|| MissingKey(path.to_owned()).into())
}

pub(super) fn read(path: &Path) -> anyhow::Result<Option<SealingKey>> {
    let mut text = match files::read_secret_text(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            bail!("no permission to read the sealing key {}: {}", path.display(), unreadable(path))
        }
        read => read.with_context(|| format!("cannot read the sealing key {}", path.display()))?,
    };
    parse(&Secret::new(std::mem::take(&mut text))).map(Some)
}

pub(super) fn parse(text: &Secret) -> anyhow::Result<SealingKey> {
    SealingKey::from_base64(text).context("cannot use the sealing key")
}
