//! The token that Vault is asked with: said once, or kept in a file by somebody else, who puts the next one there before or after this one
//! has ended.

use std::io;
use std::path::{Path, PathBuf};

use protocol::Secret;
use zeroize::Zeroizing;

use crate::OptionsError;

/// Where the token is.
#[derive(Debug)]
pub enum VaultToken {
    /// Here. Whoever has made it sees to it that it lives.
    Text(Secret),
    /// In a file, as a Vault agent writes it. It is read again whenever Vault refuses what stood in it.
    File(PathBuf),
}

impl VaultToken {
    /// The token as it is now.
    pub(super) fn find(&self) -> Result<Secret, OptionsError> {
        match self {
            Self::Text(token) => sound(token.expose()),
            Self::File(path) => trimmed(path, std::fs::read_to_string(path)),
        }
    }
}

/// As it stands in the file now.
pub(super) async fn read(path: &Path) -> Result<Secret, OptionsError> {
    trimmed(path, tokio::fs::read_to_string(path).await)
}

fn trimmed(path: &Path, text: io::Result<String>) -> Result<Secret, OptionsError> {
    let text = text.map_err(|error| OptionsError::TokenFile(path.to_owned(), error))?;
    sound(Zeroizing::new(text).trim())
}

/// It becomes a header's value, and the library panics over what cannot be one.
fn sound(token: &str) -> Result<Secret, OptionsError> {
    let fits = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(Secret::new(token.to_owned())) } else { Err(OptionsError::Token) }
}
