//! tower: a layer that sends requests with a token.

use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{HeaderMap, Request, Response, StatusCode};
use reqwest::{Client, Url};
use tower_layer::Layer;
use tower_service::Service;

use crate::delivery::{Outgoing, Transport, deliver};
use crate::send_error::SendError;
use crate::source::TokenSource;

/// Adds a token to each request of a client. A 401 about the token drops it; see
/// [`AuthorizeLayer::repeating`].
#[derive(Debug, Clone)]
pub struct AuthorizeLayer<R = Once> {
    tokens: TokenSource,
    repeats: PhantomData<fn() -> R>,
}

/// A client behind an [`AuthorizeLayer`].
#[derive(Debug, Clone)]
pub struct Authorize<S, R = Once> {
    inner: S,
    tokens: TokenSource,
    repeats: PhantomData<fn() -> R>,
}

/// Each request is sent once.
#[derive(Debug, Clone, Copy)]
pub enum Once {}

/// A request is sent once more if its token is refused. Its body must be `Clone`.
#[derive(Debug, Clone, Copy)]
pub enum Repeating {}

impl AuthorizeLayer {
    /// Tokens come from this source.
    #[must_use]
    pub const fn new(tokens: TokenSource) -> Self {
        Self { tokens, repeats: PhantomData }
    }

    /// Sends a request once more with another token if the service refuses this one, and with a nonce if the
    /// service demands one (RFC 9449 §9).
    #[must_use]
    pub fn repeating(self) -> AuthorizeLayer<Repeating> {
        AuthorizeLayer { tokens: self.tokens, repeats: PhantomData }
    }
}

impl<S, R> Layer<S> for AuthorizeLayer<R> {
    type Service = Authorize<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        Authorize { inner, tokens: self.tokens.clone(), repeats: PhantomData }
    }
}

/// Whether requests with this body are repeated.
pub trait Repeats<B>: 'static {
    /// A copy of the request.
    fn again(request: &Request<B>) -> Option<Request<B>>;
}

impl<B> Repeats<B> for Once {
    fn again(_: &Request<B>) -> Option<Request<B>> {
        None
    }
}

impl<B: Clone> Repeats<B> for Repeating {
    fn again(request: &Request<B>) -> Option<Request<B>> {
        Some(request.clone())
    }
}

impl<S, R, B, A> Service<Request<B>> for Authorize<S, R>
where
    S: Service<Request<B>, Response = Response<A>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
    R: Repeats<B>,
    B: Send + 'static,
    A: Send + 'static,
{
    type Response = Response<A>;
    type Error = SendError<S::Error>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // A request may be sent twice, so each attempt waits until the service is ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (inner, tokens) = (self.inner.clone(), self.tokens.clone());
        Box::pin(async move {
            let request = Carried { request, repeats: PhantomData };
            deliver(&tokens, request, &mut Over::<S, R, B> { inner, requests: PhantomData }).await
        })
    }
}

/// The client behind the layer, for the requests of one call.
struct Over<S, R, B> {
    inner: S,
    requests: PhantomData<fn(B) -> R>,
}

impl<S, R, B, A> Transport for Over<S, R, B>
where
    S: Service<Request<B>, Response = Response<A>> + Send,
    S::Future: Send,
    R: Repeats<B>,
    B: Send,
{
    type Request = Carried<B, R>;
    type Answer = Response<A>;
    type Error = S::Error;

    const TAKES_CLIENT: bool = false;

    fn head(answer: &Response<A>) -> (StatusCode, &HeaderMap) {
        (answer.status(), answer.headers())
    }

    async fn execute(&mut self, carried: Carried<B, R>, _: Option<&Client>) -> Result<Response<A>, S::Error> {
        poll_fn(|context| self.inner.poll_ready(context)).await?;
        self.inner.call(carried.request).await
    }
}

struct Carried<B, R> {
    request: Request<B>,
    repeats: PhantomData<fn() -> R>,
}

impl<B, R: Repeats<B>> Outgoing for Carried<B, R> {
    fn url(&self) -> Option<Url> {
        self.request.uri().to_string().parse().ok()
    }

    fn method(&self) -> &str {
        self.request.method().as_str()
    }

    fn headers_mut(&mut self) -> &mut HeaderMap {
        self.request.headers_mut()
    }

    fn again(&self) -> Option<Self> {
        R::again(&self.request).map(|request| Self { request, repeats: PhantomData })
    }
}
