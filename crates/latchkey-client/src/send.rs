//! Sends a request with a token, and once more with another one where the service refuses the token.

use std::future::Future;

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};

use crate::binding::USE_DPOP_NONCE;
use crate::delivery::{Outgoing, Transport, deliver};
use crate::error::TokenError;
use crate::source::TokenSource;

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
    /// The token belongs to a client certificate, which the request would not present. The request was not sent.
    #[error(
        "the token belongs to a client certificate, which a request to {0} would not present: send it with `send_with`, to an https URL"
    )]
    Certificate(String),
    /// The service cannot be reached, or the request cannot be built.
    #[error("the request failed")]
    Http(#[source] E),
}

/// Requests of reqwest that are sent with a token.
pub trait SendWith {
    /// Sends the request with a token. A 401 that is about the token drops the token, and the request is sent once more with another one, if
    /// its body can be cloned. The second answer is returned, whatever it is.
    ///
    /// A token that was requested with a client certificate goes over the client that presents it ([`crate::AccessToken::http_client`]), whichever client made the
    /// request: what that one is configured with has no effect then.
    fn send_with(self, tokens: &TokenSource) -> impl Future<Output = Result<Response, SendError>> + Send;
}

impl SendWith for RequestBuilder {
    async fn send_with(self, tokens: &TokenSource) -> Result<Response, SendError> {
        let (mut http, request) = self.build_split();
        deliver(tokens, request.map_err(SendError::Http)?, &mut http).await
    }
}

impl Transport for Client {
    type Request = reqwest::Request;
    type Answer = Response;
    type Error = reqwest::Error;

    const TAKES_CLIENT: bool = true;

    fn head(answer: &Response) -> (StatusCode, &HeaderMap) {
        (answer.status(), answer.headers())
    }

    fn execute(
        &mut self,
        request: reqwest::Request,
        client: Option<&Client>,
    ) -> impl Future<Output = Result<Response, reqwest::Error>> + Send {
        let client: &Client = client.unwrap_or(self);
        client.execute(request)
    }
}

impl Outgoing for reqwest::Request {
    fn url(&self) -> Option<Url> {
        Some(self.url().clone())
    }

    fn method(&self) -> &str {
        self.method().as_str()
    }

    fn headers_mut(&mut self) -> &mut HeaderMap {
        self.headers_mut()
    }

    fn again(&self) -> Option<Self> {
        self.try_clone()
    }
}

/// Whether an answer says that the token is not valid: 401 with `invalid_token`, or without an error code. Another code, such as
/// `insufficient_scope`, would be the same with another token. For callers that send requests with another library: they call
/// [`TokenSource::invalidate`] and repeat the request once.
pub fn refuses_token(status: StatusCode, headers: &HeaderMap) -> bool {
    let mut codes = error_codes(headers).peekable();
    status == StatusCode::UNAUTHORIZED
        && (codes.peek().is_none() || codes.any(|code| code == "invalid_token"))
}

/// Whether an answer asks for its nonce in the proof (RFC 9449 §9).
pub(crate) fn wants_nonce(status: StatusCode, headers: &HeaderMap) -> bool {
    status == StatusCode::UNAUTHORIZED && error_codes(headers).any(|code| code == USE_DPOP_NONCE)
}

/// The error codes of all challenges.
fn error_codes(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let challenges = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    challenges.filter_map(error_code)
}

/// The parameter `error` of a challenge (RFC 6750 §3).
fn error_code(challenge: &str) -> Option<&str> {
    let mut rest = challenge;
    loop {
        let at = rest.find("error")?;
        let begins = rest[..at].chars().next_back().is_none_or(|before| matches!(before, ' ' | ',' | '\t'));
        rest = &rest[at + "error".len()..];
        if let Some(value) = rest.trim_start().strip_prefix('=').filter(|_| begins) {
            let value = value.trim_start();
            return match value.strip_prefix('"') {
                Some(quoted) => quoted.split('"').next(),
                None => value.split([',', ' ']).next(),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_401_about_the_token_is_told_from_others() {
        for (status, challenge, refuses) in [
            (401, Some(r#"Bearer realm="x", error="invalid_token", error_description="the error=x""#), true),
            (401, Some("Bearer error=invalid_token"), true),
            (401, Some("Bearer realm=\"x\""), true),
            (401, Some("Bearer error_description=\"no error\", error=\"invalid_token\""), true),
            (401, None, true),
            (401, Some(r#"Bearer error="insufficient_scope""#), false),
            (401, Some(r#"Bearer error="invalid_request""#), false),
            (403, Some(r#"Bearer error="invalid_token""#), false),
            (200, None, false),
        ] {
            let headers =
                challenge.map(|text| (WWW_AUTHENTICATE, text.parse().unwrap())).into_iter().collect();
            assert_eq!(
                refuses_token(StatusCode::from_u16(status).unwrap(), &headers),
                refuses,
                "{challenge:?}"
            );
        }
    }

    #[test]
    fn one_of_several_challenges_is_enough() {
        let mut headers = HeaderMap::new();
        headers.append(WWW_AUTHENTICATE, "DPoP error=\"invalid_request\"".parse().unwrap());
        headers.append(WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"".parse().unwrap());
        assert!(refuses_token(StatusCode::UNAUTHORIZED, &headers));
    }
}
