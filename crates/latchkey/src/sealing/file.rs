//! A sealing key in a file: 32 bytes in base64 that only their owner may read.

use std::io::{self, Write as _};
use std::path::Path;

use administration::SealedItems;
use keys::SealingKey as Key;
use protocol::Secret;

use super::SealingError;
use crate::files;

/// Creates a sealing key in a new file that only its owner may read. The file is renamed into place when it is complete, so that a killed
/// program leaves no partial key for the next start.
pub(crate) fn create(path: &Path) -> Result<Key, SealingError> {
    let key = Key::generate()?;
    let unwritable = |error| SealingError::Unwritable(path.to_owned(), error);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(unwritable)?;
    let mut file =
        tempfile::Builder::new().prefix(".sealing-key-").tempfile_in(folder).map_err(unwritable)?;
    writeln!(file, "{}", key.to_base64().expose()).map_err(unwritable)?;
    file.as_file().sync_all().map_err(unwritable)?;
    file.persist_noclobber(path).map_err(|error| unwritable(error.error))?;
    Ok(key)
}

/// Creates the first key, unless another program on the same folder is faster; then uses that program's key.
pub(super) async fn first(path: &Path, store: &dyn SealedItems) -> Result<Key, SealingError> {
    if !store.holds_sealed_rows().await? {
        match create(path) {
            Err(SealingError::Unwritable(_, error)) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made,
        }
    }
    read(path)?.ok_or_else(|| SealingError::Missing(path.to_owned()))
}

pub(super) fn read(path: &Path) -> Result<Option<Key>, SealingError> {
    match files::read_secret_text(path) {
        Ok(mut text) => Ok(Some(Key::from_base64(&Secret::new(std::mem::take(&mut text)))?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(SealingError::Unreadable(path.to_owned(), error)),
    }
}
