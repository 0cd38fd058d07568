//! Sends a request with a token: to its origin only, once more with a nonce, and once more with another token
//! if this one is refused.

use std::future::Future;

use reqwest::header::HeaderMap;
use reqwest::{Client, StatusCode, Url};

use crate::challenge::{refuses_token, wants_nonce};
use crate::send_error::SendError;
use crate::source::TokenSource;
use crate::token::AccessToken;

/// A request of some HTTP library.
pub(crate) trait Outgoing: Sized {
    /// The URL of the request. `None` if it has no host.
    fn url(&self) -> Option<Url>;
    fn method(&self) -> &str;
    fn headers_mut(&mut self) -> &mut HeaderMap;
    /// A copy of the request, if it can be repeated.
    fn again(&self) -> Option<Self>;
}

/// Sends requests and returns their answers.
pub(crate) trait Transport {
    type Request: Outgoing;
    type Answer;
    type Error;

    /// Whether a request can use another client. Otherwise no token is sent that needs the connections of its
    /// client.
    const TAKES_CLIENT: bool;

    /// The status of an answer, and its headers.
    fn head(answer: &Self::Answer) -> (StatusCode, &HeaderMap);

    /// Sends a request, with this client if there is one.
    fn execute(
        &mut self,
        request: Self::Request,
        client: Option<&Client>,
    ) -> impl Future<Output = Result<Self::Answer, Self::Error>> + Send;
}

pub(crate) async fn deliver<T: Transport>(
    tokens: &TokenSource,
    request: T::Request,
    transport: &mut T,
) -> Result<T::Answer, SendError<T::Error>> {
    let url = request.url().ok_or_else(|| SendError::Origin("a URL without a host".to_owned()))?;
    if !tokens.may_be_sent_to(&url) {
        return Err(SendError::Origin(url.origin().ascii_serialization()));
    }
    let again = request.again();
    let token = tokens.token().await?;
    let mut call = Call { tokens, url, transport };
    let mut answer = call.send(request, &token).await?;
    let (status, headers) = T::head(&answer);
    // RFC 9449 §9: the request is repeated with the nonce of the answer, and the same token.
    if tokens.note_nonce(&call.url, headers)
        && wants_nonce(status, headers)
        && let Some(with_nonce) = again.as_ref().and_then(Outgoing::again)
    {
        answer = call.send(with_nonce, &token).await?;
        tokens.note_nonce(&call.url, T::head(&answer).1);
    }
    let (status, headers) = T::head(&answer);
    if !refuses_token(status, headers) {
        return Ok(answer);
    }
    tokens.invalidate(&token);
    let Some(again) = again else { return Ok(answer) };
    // If there is no other token, the refusal is the answer.
    match tokens.token().await {
        Ok(other) if other.expose() != token.expose() => call.send(again, &other).await,
        _ => Ok(answer),
    }
}

struct Call<'a, T> {
    tokens: &'a TokenSource,
    url: Url,
    transport: &'a mut T,
}

impl<T: Transport> Call<'_, T> {
    async fn send(
        &mut self,
        mut request: T::Request,
        token: &AccessToken,
    ) -> Result<T::Answer, SendError<T::Error>> {
        let client = token.http_client();
        // A certificate is presented by connections of its client, and by those with TLS alone.
        if client.is_some() && !(T::TAKES_CLIENT && self.url.scheme() == "https") {
            return Err(SendError::Certificate(self.url.origin().ascii_serialization()));
        }
        let method = request.method().to_owned();
        self.tokens.authorize(&method, &self.url, request.headers_mut(), token)?;
        self.transport.execute(request, client).await.map_err(SendError::Http)
    }
}
