//! The token for Vault: fixed, or in a file that another program updates.

use std::error::Error;
use std::io;
use std::path::Path;

use tokio::task::spawn_blocking;
use values::Secret;
use zeroize::Zeroizing;

use crate::{OptionsError, ReadFile, VaultToken};

impl VaultToken {
    pub(super) fn find(&self) -> Result<Secret, OptionsError> {
        match self {
            Self::Text(token) => sound(token.expose()),
            Self::File { path, read } => trimmed(path, read(path)),
        }
    }

    /// The current token, or the reason why there is none.
    pub(super) async fn current(&self) -> Result<Secret, String> {
        match self {
            Self::Text(token) => sound(token.expose()).map_err(|error| error.to_string()),
            Self::File { path, read: function } => {
                read(path, *function).await.map_err(|error| unusable(path, &error))
            }
        }
    }
}

pub(super) async fn read(path: &Path, read: ReadFile) -> Result<Secret, OptionsError> {
    let owned = path.to_owned();
    let bytes = spawn_blocking(move || read(&owned)).await;
    trimmed(path, bytes.unwrap_or_else(|error| Err(io::Error::other(error))))
}

/// Why the content of the file is unusable.
pub(super) fn unusable(path: &Path, error: &OptionsError) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => format!("in {}: {error}", path.display()),
    }
}

pub(super) fn trimmed(path: &Path, bytes: io::Result<Zeroizing<Vec<u8>>>) -> Result<Secret, OptionsError> {
    let bytes = bytes.map_err(|error| OptionsError::TokenFile(path.to_owned(), error))?;
    sound(str::from_utf8(&bytes).unwrap_or_default().trim())
}

/// Checks that the token can be a header value, because the library panics otherwise.
pub(super) fn sound(token: &str) -> Result<Secret, OptionsError> {
    let fits = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(Secret::new(token.to_owned())) } else { Err(OptionsError::Token) }
}
