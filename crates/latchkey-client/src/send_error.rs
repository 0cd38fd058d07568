//! Why a request with a token has no answer.

use crate::error::TokenError;

/// Why a request with a token has no answer. `E` is the error of the HTTP library.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError<E = reqwest::Error> {
    /// There is no token. The request was not sent.
    #[error("there is no token, so the request was not sent")]
    Token(#[from] TokenError),
    /// The token is not for this place. The request was not sent.
    #[error("tokens of this source are not for {0}: add `origin` or `resource` to the source")]
    Origin(String),
    /// The token belongs to a client certificate that the request would not present. The request was not
    /// sent.
    #[error(
        "the token belongs to a client certificate, which a request to {0} would not present: send it with `send_with`, to an https URL"
    )]
    Certificate(String),
    /// The service cannot be reached, or the request cannot be built.
    #[error("the request failed")]
    Http(#[source] E),
}
