//! A failed request to Vault, and what can be done about it.

use rustify::errors::ClientError as HttpError;
use vaultrs::error::ClientError;

use crate::words::{on_one_line, root};

/// A request that failed, or was not sent because the program is not signed in.
pub(crate) enum Failed {
    Request {
        error: ClientError,
        /// The reason why there is no other token to try.
        token: Option<String>,
    },
    SignIn(NotSignedIn),
}

/// Why there is no token.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{why}")]
pub(crate) struct NotSignedIn {
    pub(crate) why: String,
    pub(crate) cause: Cause,
}

/// Whether a later sign-in may succeed with the same credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// It may: Vault sent no answer.
    Silent,
    Passing,
    /// It cannot.
    Lasting,
}

impl NotSignedIn {
    pub(super) fn from_error(error: &ClientError) -> Self {
        match status(error) {
            Some((status, said)) => {
                let is_passing = may_pass(error) || is_redirect(error);
                let cause = if is_passing { Cause::Passing } else { Cause::Lasting };
                Self { why: format!("the sign-in is refused with {status}: {said}"), cause }
            }
            None if is_nonsense(error) => Self::without_token(),
            None => {
                let cause = if may_pass(error) { Cause::Silent } else { Cause::Lasting };
                Self { why: format!("the sign-in has no answer: {}", root(error)), cause }
            }
        }
    }

    /// The answer to a sign-in has no token that can be sent.
    pub(super) fn without_token() -> Self {
        Self { why: "the answer to the sign-in has no token".to_owned(), cause: Cause::Passing }
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

/// Whether a later attempt may succeed: no answer, or Vault is sealed, on standby or over its limit.
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

/// Whether the request went to another address, which is not followed.
pub(crate) fn is_redirect(error: &ClientError) -> bool {
    status(error).is_some_and(|(status, _)| (300..400).contains(&status))
}

/// Whether there is an answer with a success status that cannot be understood.
pub(crate) fn is_nonsense(error: &ClientError) -> bool {
    matches!(
        error,
        ClientError::RestClientError { source: HttpError::ResponseParseError { .. } }
            | ClientError::ResponseDataEmptyError
            | ClientError::ResponseEmptyError
    )
}

/// The error in an unsuccessful answer.
pub(crate) fn status(error: &ClientError) -> Option<(u16, String)> {
    match error {
        ClientError::APIError { code, errors } => Some((*code, on_one_line(&errors.join("; ")))),
        ClientError::RestClientError { source: HttpError::ServerResponseError { code, .. } } => {
            // An answer that is not Vault's JSON comes from another server, such as a proxy.
            Some((*code, "no reason".to_owned()))
        }
        _ => None,
    }
}
