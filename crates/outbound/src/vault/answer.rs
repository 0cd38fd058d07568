//! How Vault's refusals are interpreted. Only their text distinguishes the causes. An unknown text counts as
//! temporary, never as damage, because damage would count as permanent.

use keys::SealError;

use super::VaultTransit;
use super::failed::{Failed, is_nonsense, status};

const NO_SUCH_KEY: &str = "encryption key not found";
const NO_SUCH_MOUNT: &str = "no handler for route";
/// The key is a different one, or older than the ciphertext, for example after a backup was restored.
const NO_SUCH_VERSION: &str = "version is too new";
/// The ciphertext was changed, or wrapped for another context.
const NOT_AUTHENTIC: [&str; 2] = ["message authentication failed", "invalid ciphertext"];

impl VaultTransit {
    pub(super) fn wrap_error(&self, failed: &Failed) -> SealError {
        match refusal(failed) {
            Some((_, said)) if said.contains(NO_SUCH_KEY) || said.contains(NO_SUCH_MOUNT) => {
                self.service.key_gone()
            }
            _ => self.error(failed),
        }
    }

    pub(super) fn unwrap_error(&self, failed: &Failed, version: u64) -> SealError {
        match refusal(failed) {
            Some((400, said)) if said.contains(NO_SUCH_VERSION) => {
                SealError::KeyGone { name: format!("{} version {version}", self.service.name) }
            }
            Some((400, said)) if NOT_AUTHENTIC.iter().any(|words| said.contains(words)) => SealError::Corrupt,
            _ => self.wrap_error(failed),
        }
    }

    /// The error never quotes a response that may contain a data key.
    fn error(&self, failed: &Failed) -> SealError {
        let (error, token) = match failed {
            Failed::Request { error, token } => (error, token),
            Failed::SignIn(failed) => return self.service.silent(failed),
        };
        if let Some((status, mut said)) = status(error) {
            if let Some(why) = token {
                said = format!("{said}; {why}");
            }
            return self.service.refuses(&status.to_string(), &said);
        }
        if is_nonsense(error) {
            return self.service.not_understood("not a JSON response of a transit engine");
        }
        self.service.silent(error)
    }
}

/// The status and the error of a refusal.
fn refusal(failed: &Failed) -> Option<(u16, String)> {
    match failed {
        Failed::Request { error, .. } => status(error),
        Failed::SignIn(_) => None,
    }
}
