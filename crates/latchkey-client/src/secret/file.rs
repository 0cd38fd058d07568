//! Reads a secret's file after a change.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use zeroize::Zeroizing;

use super::Text;
use crate::credential::CredentialError;

const LARGEST: u64 = 64 * 1024;

/// The properties that change with a file's content: length, time, and the identity of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

impl Stamp {
    fn from_metadata(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Self { length: metadata.len(), modified: metadata.modified().ok(), inode }
    }
}

/// The text of a file without the newline at its end, or `None` if it has not changed.
pub(super) async fn read(
    path: PathBuf,
    before: Option<Stamp>,
) -> Result<Option<(Text, Stamp)>, CredentialError> {
    let name = path.display().to_string();
    let outcome = tokio::task::spawn_blocking(move || read_now(&path, before)).await;
    let outcome = outcome.unwrap_or_else(|error| Err(io::Error::other(error)));
    outcome.map_err(|error| CredentialError::new(format!("{name} cannot be read")).caused_by(error))
}

fn read_now(path: &Path, before: Option<Stamp>) -> io::Result<Option<(Text, Stamp)>> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    let stamp = Stamp::from_metadata(&metadata);
    if before.is_some_and(|before| before == stamp) {
        return Ok(None);
    }
    if stamp.length > LARGEST {
        return Err(io::Error::other(format!("it is larger than {LARGEST} bytes")));
    }
    // The string has room for the whole file: a growing string leaves copies in memory.
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(LARGEST).unwrap_or_default() + 1));
    file.by_ref().take(LARGEST + 1).read_to_string(&mut text)?;
    Ok(Some((without_newline(&text), stamp)))
}

/// The text without the byte order mark and the newlines at its end, which editors and shells add.
pub(super) fn without_newline(text: &str) -> Text {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned())
}
