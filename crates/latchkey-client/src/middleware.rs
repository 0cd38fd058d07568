//! reqwest-middleware: a middleware that sends requests with a token.

use http::Extensions;
use reqwest::header::HeaderMap;
use reqwest::{Client, Request, Response, StatusCode};
use reqwest_middleware::{Error, Middleware, Next};

use crate::delivery::{Transport, deliver};
use crate::send_error::SendError;
use crate::source::TokenSource;

/// Adds a token to each request of a client, like [`crate::SendWith`]: a 401 about the token drops it, and
/// the request is sent once more with another one, if its body can be cloned. Middlewares that were added
/// after it see each of these requests.
///
/// A request that was not sent ends with [`Error::Middleware`], whose cause is a [`SendError`].
#[derive(Debug, Clone)]
pub struct AuthorizeMiddleware {
    tokens: TokenSource,
}

impl AuthorizeMiddleware {
    /// Tokens come from this source.
    #[must_use]
    pub const fn new(tokens: TokenSource) -> Self {
        Self { tokens }
    }
}

#[async_trait::async_trait]
impl Middleware for AuthorizeMiddleware {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response, Error> {
        deliver(&self.tokens, request, &mut Rest { next, extensions }).await.map_err(of_chain)
    }
}

/// The middlewares after this one.
struct Rest<'a> {
    next: Next<'a>,
    extensions: &'a mut Extensions,
}

impl Transport for Rest<'_> {
    type Request = Request;
    type Answer = Response;
    type Error = Error;

    const TAKES_CLIENT: bool = false;

    fn head(answer: &Response) -> (StatusCode, &HeaderMap) {
        (answer.status(), answer.headers())
    }

    async fn execute(&mut self, request: Request, _: Option<&Client>) -> Result<Response, Error> {
        self.next.clone().run(request, self.extensions).await
    }
}

fn of_chain(error: SendError<Error>) -> Error {
    let unsent: SendError = match error {
        SendError::Http(error) => return error,
        SendError::Token(error) => SendError::Token(error),
        SendError::Origin(origin) => SendError::Origin(origin),
        SendError::Certificate(origin) => SendError::Certificate(origin),
    };
    Error::middleware(unsent)
}
