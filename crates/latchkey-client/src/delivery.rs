//! The way of a request with a token: to its origin only, once more with a nonce, and once more with another token where this one is refused.

use std::future::Future;

use reqwest::header::HeaderMap;
use reqwest::{StatusCode, Url};

use crate::error::TokenError;
use crate::send::{SendError, refuses_token, wants_nonce};
use crate::source::TokenSource;
use crate::token::AccessToken;

/// A request of some HTTP library.
pub(crate) trait Outgoing: Sized {
    /// Where it goes; `None` for a URL without a host.
    fn url(&self) -> Option<Url>;
    fn method(&self) -> &str;
    fn headers_mut(&mut self) -> &mut HeaderMap;
    /// The same request once more, if it can be repeated.
    fn again(&self) -> Option<Self>;
}

/// Its answer.
pub(crate) trait Answered {
    fn status(&self) -> StatusCode;
    fn headers(&self) -> &HeaderMap;
}

pub(crate) async fn deliver<R, A, E, F>(
    tokens: &TokenSource,
    request: R,
    mut execute: impl FnMut(R) -> F,
) -> Result<A, SendError<E>>
where
    R: Outgoing,
    A: Answered,
    F: Future<Output = Result<A, E>>,
{
    let url = request.url().ok_or_else(|| SendError::Origin("a URL without a host".to_owned()))?;
    if !tokens.may_be_sent_to(&url) {
        return Err(SendError::Origin(url.origin().ascii_serialization()));
    }
    let authorized = |mut request: R, token: &AccessToken| -> Result<R, TokenError> {
        let method = request.method().to_owned();
        tokens.authorize(&method, &url, request.headers_mut(), token)?;
        Ok(request)
    };
    let again = request.again();
    let token = tokens.token().await?;
    let mut answer = execute(authorized(request, &token)?).await.map_err(SendError::Http)?;
    let has_new_nonce = tokens.note_nonce(&url, answer.headers());
    // RFC 9449 §9: the request is repeated with the nonce of the answer, and the same token.
    if has_new_nonce
        && wants_nonce(answer.status(), answer.headers())
        && let Some(with_nonce) = again.as_ref().and_then(R::again)
    {
        answer = execute(authorized(with_nonce, &token)?).await.map_err(SendError::Http)?;
        tokens.note_nonce(&url, answer.headers());
    }
    if !refuses_token(answer.status(), answer.headers()) {
        return Ok(answer);
    }
    tokens.invalidate(&token);
    let Some(again) = again else { return Ok(answer) };
    // Without another token the refusal is the answer.
    match tokens.token().await {
        Ok(other) if other.expose() != token.expose() => {
            execute(authorized(again, &other)?).await.map_err(SendError::Http)
        }
        _ => Ok(answer),
    }
}
