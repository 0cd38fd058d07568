//! What Vault's refusals mean. It tells causes apart by words only, so what is not known by its words is taken for a refusal that may
//! pass, never for damage: damage would be for good.

use keys::SealError;
use rustify::errors::ClientError as HttpError;
use vaultrs::error::ClientError;

use crate::service_error::{ServiceError, on_one_line, root};

/// Reads answers on behalf of one key.
pub(super) struct Answers {
    pub(super) name: String,
}

/// What came of asking, where it is not what was asked for.
pub(super) struct Failed {
    pub(super) error: ClientError,
    /// Why there was no other token to come with.
    pub(super) token: Option<String>,
}

const NO_SUCH_KEY: &str = "encryption key not found";
const NO_SUCH_MOUNT: &str = "no handler for route";
/// The key is another one, or older than the ciphertext, as after a restored backup.
const NO_SUCH_VERSION: &str = "version is too new";
/// Altered, or wrapped for another context.
const NOT_AUTHENTIC: [&str; 2] = ["message authentication failed", "invalid ciphertext"];

impl Answers {
    pub(super) fn to_wrap(&self, failed: &Failed) -> SealError {
        match status(&failed.error) {
            Some((_, said)) if said.contains(NO_SUCH_KEY) || said.contains(NO_SUCH_MOUNT) => {
                SealError::KeyGone { name: self.name.clone() }
            }
            _ => self.service_error(failed).into(),
        }
    }

    pub(super) fn to_unwrap(&self, failed: &Failed, version: u64) -> SealError {
        match status(&failed.error) {
            Some((400, said)) if said.contains(NO_SUCH_VERSION) => {
                SealError::KeyGone { name: format!("{} version {version}", self.name) }
            }
            Some((400, said)) if NOT_AUTHENTIC.iter().any(|words| said.contains(words)) => SealError::Corrupt,
            _ => self.to_wrap(failed),
        }
    }

    pub(super) fn not_understood(&self, what: &'static str) -> SealError {
        ServiceError::NotUnderstood { service: self.name.clone(), what }.into()
    }

    /// Nothing of an answer that should have held a data key goes into it.
    fn service_error(&self, Failed { error, token }: &Failed) -> ServiceError {
        let service = self.name.clone();
        if let Some((status, mut said)) = status(error) {
            if let Some(why) = token {
                said = format!("{said}; {why}");
            }
            return ServiceError::Refused { service, status: status.to_string(), said };
        }
        match error {
            ClientError::RestClientError { source: HttpError::ResponseParseError { .. } }
            | ClientError::ResponseDataEmptyError => {
                ServiceError::NotUnderstood { service, what: "no JSON of a transit engine" }
            }
            error => ServiceError::Silent { service, cause: root(error) },
        }
    }
}

impl From<ClientError> for Failed {
    fn from(error: ClientError) -> Self {
        Self { error, token: None }
    }
}

/// Whether another token may be what it takes.
pub(super) fn is_denied(error: &ClientError) -> bool {
    status(error).is_some_and(|(status, _)| status == 403)
}

/// Whether the same request may be answered a moment later: nobody answered, or Vault is sealed, on standby or over its limit.
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

/// What was answered instead of success.
fn status(error: &ClientError) -> Option<(u16, String)> {
    match error {
        ClientError::APIError { code, errors } => Some((*code, on_one_line(&errors.join("; ")))),
        ClientError::RestClientError { source: HttpError::ServerResponseError { code, .. } } => {
            // No JSON of Vault's, so somebody else's, such as a proxy's page.
            Some((*code, "no reason".to_owned()))
        }
        _ => None,
    }
}
