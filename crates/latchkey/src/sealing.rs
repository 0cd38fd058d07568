//! The sealing key and the pepper: the two secrets of the server itself, found or made before anything else.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use administration::AdministrationStore;
use keys::{
    GenerationError, InvalidSealingKey, KeySealer, LocalSealer, SealError, SealingContext, SealingKey as Key,
};
use protocol::{Secret, Timestamp};
use registry::Pepper;
use tenancy::StoreError;
use zeroize::Zeroizing;

use crate::settings::SealingKey as Setting;

/// The name under which the pepper is stored.
const PEPPER: &str = "pepper";

/// Why the server's own secrets are not at hand.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealingError {
    #[error("the sealing key {} cannot be read", .0.display())]
    Unreadable(PathBuf, #[source] io::Error),
    #[error("the sealing key {} cannot be written", .0.display())]
    Unwritable(PathBuf, #[source] io::Error),
    #[error("the sealing key cannot be used")]
    Invalid(#[from] InvalidSealingKey),
    #[error(
        "the sealing key {} is missing, and the store holds rows that only it can open; put it back. \
         A new one is made by `latchkey key new-sealing-key`, but cannot open them",
        .0.display()
    )]
    Missing(PathBuf),
    #[error(
        "the sealing key {} is missing; make one with `latchkey key new-sealing-key --file` and give it to every replica",
        .0.display()
    )]
    NotMade(PathBuf),
    #[error("no sealing key could be made")]
    Generation(#[from] GenerationError),
    #[error("the pepper cannot be opened; keys.sealing_key is probably not the key that sealed it")]
    Seal(#[from] SealError),
    #[error("the pepper has the wrong length")]
    PepperLength,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SealingError {
    /// The key is not where the settings say, and rows need it. A key from the environment is never missing: its variable was read.
    pub(crate) fn missing(setting: &Setting) -> Self {
        match setting {
            Setting::File(path) => Self::Missing(path.clone()),
            Setting::Text(_) => Self::PepperLength,
        }
    }
}

/// Reads the sealing key. Where its file is missing it is made, but only for a store of this machine (`embedded`) in which nothing is
/// sealed yet: a new key beside old rows would look like a start and be a loss, and replicas would each make their own.
pub(crate) async fn sealer(
    setting: &Setting,
    store: &dyn AdministrationStore,
    embedded: bool,
) -> Result<Arc<dyn KeySealer>, SealingError> {
    let key = match setting {
        Setting::Text(text) => Key::from_base64(text)?,
        Setting::File(path) => match read(path)? {
            Some(key) => key,
            None if embedded => first(path, store).await?,
            None => return Err(SealingError::NotMade(path.clone())),
        },
    };
    Ok(Arc::new(LocalSealer::new(key)))
}

/// Reads the sealing key without making one; `None` where its file is missing.
pub(crate) fn existing_sealer(setting: &Setting) -> Result<Option<Arc<dyn KeySealer>>, SealingError> {
    let key = match setting {
        Setting::Text(text) => Some(Key::from_base64(text)?),
        Setting::File(path) => read(path)?,
    };
    Ok(key.map(|key| Arc::new(LocalSealer::new(key)) as Arc<dyn KeySealer>))
}

/// Opens the pepper, which is made once in the life of a store.
pub(crate) async fn pepper(
    store: &dyn AdministrationStore,
    sealer: &dyn KeySealer,
    now: Timestamp,
) -> Result<Arc<Pepper>, SealingError> {
    if let Some(pepper) = existing_pepper(store, sealer).await? {
        return Ok(pepper);
    }
    let sealed = sealer.seal(&SealingContext::Named(PEPPER), Pepper::generate().expose()).await?;
    // Another process may have been faster: what is stored counts.
    store.put_sealed_if_absent(PEPPER, &sealed, now).await?;
    existing_pepper(store, sealer).await?.ok_or(SealingError::PepperLength)
}

/// Opens the pepper if there is one.
pub(crate) async fn existing_pepper(
    store: &dyn AdministrationStore,
    sealer: &dyn KeySealer,
) -> Result<Option<Arc<Pepper>>, SealingError> {
    let Some(sealed) = store.find_sealed(PEPPER).await? else { return Ok(None) };
    let bytes = sealer.unseal(&SealingContext::Named(PEPPER), &sealed).await?;
    let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| SealingError::PepperLength)?;
    Ok(Some(Arc::new(Pepper::from_bytes(Zeroizing::new(bytes)))))
}

/// Makes a sealing key in a new file that only its owner may read. The file takes its name when it is whole: a program that is killed
/// meanwhile leaves no half of a key where the next start would read one.
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

/// Makes the first key, unless another program on the same folder is faster: then its key is the one.
async fn first(path: &Path, store: &dyn AdministrationStore) -> Result<Key, SealingError> {
    if !store.holds_sealed_rows().await? {
        match create(path) {
            Err(SealingError::Unwritable(_, error)) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made,
        }
    }
    read(path)?.ok_or_else(|| SealingError::Missing(path.to_owned()))
}

fn read(path: &Path) -> Result<Option<Key>, SealingError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(Key::from_base64(&Secret::new(text))?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(SealingError::Unreadable(path.to_owned(), error)),
    }
}
