//! The meaning of Vault's refusals. Only their text distinguishes the causes, so an unknown text counts as a temporary
//! refusal, never as damage: damage would be permanent.

use keys::SealError;
use rustify::errors::ClientError as HttpError;
use vaultrs::error::ClientError;

use super::VaultTransit;
use crate::service_error::on_one_line;

/// A failed request.
pub(super) struct Failed {
    pub(super) error: ClientError,
    /// The reason why there is no other token to try.
    pub(super) token: Option<String>,
}

const NO_SUCH_KEY: &str = "encryption key not found";
const NO_SUCH_MOUNT: &str = "no handler for route";
/// The key is another one, or older than the ciphertext, as after a restored backup.
const NO_SUCH_VERSION: &str = "version is too new";
/// The ciphertext was altered, or wrapped for another context.
const NOT_AUTHENTIC: [&str; 2] = ["message authentication failed", "invalid ciphertext"];

impl VaultTransit {
    pub(super) fn wrap_error(&self, failed: &Failed) -> SealError {
        match status(&failed.error) {
            Some((_, said)) if said.contains(NO_SUCH_KEY) || said.contains(NO_SUCH_MOUNT) => {
                self.service.key_gone()
            }
            _ => self.error(failed),
        }
    }

    pub(super) fn unwrap_error(&self, failed: &Failed, version: u64) -> SealError {
        match status(&failed.error) {
            Some((400, said)) if said.contains(NO_SUCH_VERSION) => {
                SealError::KeyGone { name: format!("{} version {version}", self.service.name) }
            }
            Some((400, said)) if NOT_AUTHENTIC.iter().any(|words| said.contains(words)) => SealError::Corrupt,
            _ => self.wrap_error(failed),
        }
    }

    /// The error contains nothing of an answer that should hold a data key.
    fn error(&self, Failed { error, token }: &Failed) -> SealError {
        if let Some((status, mut said)) = status(error) {
            if let Some(why) = token {
                said = format!("{said}; {why}");
            }
            return self.service.refuses(&status.to_string(), &said);
        }
        match error {
            ClientError::RestClientError { source: HttpError::ResponseParseError { .. } }
            | ClientError::ResponseDataEmptyError => {
                self.service.not_understood("no JSON of a transit engine")
            }
            error => self.service.silent(error),
        }
    }
}

impl From<ClientError> for Failed {
    fn from(error: ClientError) -> Self {
        Self { error, token: None }
    }
}

/// Whether another token could help.
pub(super) fn is_denied(error: &ClientError) -> bool {
    status(error).is_some_and(|(status, _)| status == 403)
}

/// Whether a later attempt may succeed: no answer, or Vault is sealed, on standby or over its limit.
pub(super) fn may_pass(error: &ClientError) -> bool {
    match error {
        ClientError::RestClientError { source } => match source {
            HttpError::RequestError { .. } | HttpError::ResponseError { .. } => true,
            HttpError::ServerResponseError { code, .. } => is_passing(*code),
            _ => false,
        },
        ClientError::APIError { code, .. } => is_passing(*code),
        _ => false,
    }
}

fn is_passing(status: u16) -> bool {
    status == 429 || status == 412 || status >= 500
}

/// The error in an unsuccessful answer.
fn status(error: &ClientError) -> Option<(u16, String)> {
    match error {
        ClientError::APIError { code, errors } => Some((*code, on_one_line(&errors.join("; ")))),
        ClientError::RestClientError { source: HttpError::ServerResponseError { code, .. } } => {
            // Not JSON of Vault, so it is of another server, such as a proxy's page.
            Some((*code, "no reason".to_owned()))
        }
        _ => None,
    }
}
