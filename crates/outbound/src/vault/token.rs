//! The token that Vault is asked with: said once, or kept in a file by somebody else, who puts the next one there before or after this one
//! has ended.

use std::io;
use std::path::{Path, PathBuf};

use protocol::Secret;
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use crate::OptionsError;

/// Reads a file whole, or says why that file is not read.
pub type ReadFile = fn(&Path) -> io::Result<Zeroizing<Vec<u8>>>;

/// Where the token is.
#[derive(Debug)]
pub enum VaultToken {
    /// Here. Whoever has made it sees to it that it lives.
    Text(Secret),
    /// In a file, as a Vault agent writes it. It is read again whenever Vault refuses what stood in it.
    File {
        /// Which.
        path: PathBuf,
        /// How it is read.
        read: ReadFile,
    },
}

impl VaultToken {
    /// The token as it is now.
    pub(super) fn find(&self) -> Result<Secret, OptionsError> {
        match self {
            Self::Text(token) => sound(token.expose()),
            Self::File { path, read } => trimmed(path, read(path)),
        }
    }
}

/// As it stands in the file now.
pub(super) async fn read(path: &Path, read: ReadFile) -> Result<Secret, OptionsError> {
    let owned = path.to_owned();
    let bytes = spawn_blocking(move || read(&owned)).await;
    trimmed(path, bytes.unwrap_or_else(|error| Err(io::Error::other(error))))
}

fn trimmed(path: &Path, bytes: io::Result<Zeroizing<Vec<u8>>>) -> Result<Secret, OptionsError> {
    let bytes = bytes.map_err(|error| OptionsError::TokenFile(path.to_owned(), error))?;
    sound(str::from_utf8(&bytes).unwrap_or_default().trim())
}

/// It becomes a header's value, and the library panics over what cannot be one.
fn sound(token: &str) -> Result<Secret, OptionsError> {
    let fits = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(Secret::new(token.to_owned())) } else { Err(OptionsError::Token) }
}
