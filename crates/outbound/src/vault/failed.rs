//! A failed request to Vault, and whether another attempt can help.

use rustify::errors::ClientError as HttpError;
use vaultrs::error::ClientError;

use crate::words::{on_one_line, root};

/// A request that failed, or that was not sent because the sign-in failed.
pub(crate) enum Failed {
    Request {
        error: ClientError,
        /// Why there is no other token to try.
        token: Option<String>,
    },
    SignIn(NotSignedIn),
}

#[derive(Clone, Debug, thiserror::Error)]
#[error("{why}")]
pub(crate) struct NotSignedIn {
    pub(crate) why: String,
    pub(crate) cause: Cause,
}

/// Whether a later sign-in with the same credentials may succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Vault did not answer. A later sign-in may succeed.
    Silent,
    Passing,
    /// A later sign-in cannot succeed.
    Lasting,
}

impl NotSignedIn {
    pub(super) fn from_error(error: &ClientError) -> Self {
        match status(error) {
            Some((status, said)) => {
                let is_passing = may_pass(error) || is_redirect(error);
                let cause = if is_passing { Cause::Passing } else { Cause::Lasting };
                Self { why: format!("Vault refused the sign-in with {status}: {said}"), cause }
            }
            None if is_nonsense(error) => Self::without_token(),
            None => {
                let cause = if may_pass(error) { Cause::Silent } else { Cause::Lasting };
                Self { why: format!("Vault did not respond to the sign-in: {}", root(error)), cause }
            }
        }
    }

    /// The response to a sign-in contains no usable token.
    pub(super) fn without_token() -> Self {
        Self { why: "Vault's response to the sign-in has no token".to_owned(), cause: Cause::Passing }
    }

    /// The credentials cannot be read.
    pub(super) fn credentials(why: String) -> Self {
        Self { why, cause: Cause::Lasting }
    }
}

impl From<ClientError> for Failed {
    fn from(error: ClientError) -> Self {
        Self::Request { error, token: None }
    }
}

impl From<NotSignedIn> for Failed {
    fn from(failed: NotSignedIn) -> Self {
        Self::SignIn(failed)
    }
}

/// Whether another token could help.
pub(super) fn is_denied(error: &ClientError) -> bool {
    status(error).is_some_and(|(status, _)| status == 403)
}

/// Whether a later attempt may succeed: no answer, or Vault is sealed, a standby or over its limit.
pub(crate) fn may_pass(error: &ClientError) -> bool {
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

/// Whether Vault redirects to another address. Redirects are not followed.
pub(crate) fn is_redirect(error: &ClientError) -> bool {
    status(error).is_some_and(|(status, _)| (300..400).contains(&status))
}

/// Whether a response has a success status but cannot be understood.
pub(crate) fn is_nonsense(error: &ClientError) -> bool {
    matches!(
        error,
        ClientError::RestClientError { source: HttpError::ResponseParseError { .. } }
            | ClientError::ResponseDataEmptyError
            | ClientError::ResponseEmptyError
    )
}

/// The status and the error of a refusal.
pub(crate) fn status(error: &ClientError) -> Option<(u16, String)> {
    match error {
        ClientError::APIError { code, errors } => Some((*code, on_one_line(&errors.join("; ")))),
        ClientError::RestClientError { source: HttpError::ServerResponseError { code, .. } } => {
            // A response that is not Vault's JSON comes from another server, such as a proxy.
            Some((*code, "no reason".to_owned()))
        }
        _ => None,
    }
}
