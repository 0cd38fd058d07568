//! Sends a request with a token, and once more with another one if the service refuses the token.

use std::future::Future;

use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};

use crate::delivery::{Outgoing, Transport, deliver};
use crate::send_error::SendError;
use crate::source::TokenSource;

/// Requests of reqwest that are sent with a token.
pub trait SendWith {
    /// Sends the request with a token. A 401 about the token drops the token, and the request is sent once
    /// more with another one, if its body can be cloned. The second answer is returned, whatever it is.
    ///
    /// A token that was requested with a client certificate is sent with the client that presents it
    /// ([`crate::AccessToken::http_client`]), whichever client created the request. The configuration of that
    /// client then has no effect.
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
