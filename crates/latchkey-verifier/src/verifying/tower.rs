//! tower: a layer that passes only verified requests on, with the [`Caller`] in their extensions.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use serde::de::{DeserializeOwned, IgnoredAny};
use tower_layer::Layer;
use tower_service::Service;

use crate::verifying::bearer::ClientCertificate;
use crate::verifying::http_request::{answer, facts};
use crate::{Caller, Verifier};

/// Refuses requests without a valid token. A handler finds the `Caller<C>` in the extensions of its request.
#[derive(Debug)]
pub struct VerifyLayer<C = IgnoredAny> {
    verifier: Verifier,
    claims: PhantomData<fn() -> C>,
}

/// A service behind a [`VerifyLayer`].
#[derive(Debug)]
pub struct Verified<S, C = IgnoredAny> {
    inner: S,
    verifier: Verifier,
    claims: PhantomData<fn() -> C>,
}

impl<C> VerifyLayer<C> {
    /// Requests are verified by this verifier.
    #[must_use]
    pub const fn new(verifier: Verifier) -> Self {
        Self { verifier, claims: PhantomData }
    }
}

impl<C> Clone for VerifyLayer<C> {
    fn clone(&self) -> Self {
        Self::new(self.verifier.clone())
    }
}

impl<S: Clone, C> Clone for Verified<S, C> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), verifier: self.verifier.clone(), claims: PhantomData }
    }
}

impl<S, C> Layer<S> for VerifyLayer<C> {
    type Service = Verified<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        Verified { inner, verifier: self.verifier.clone(), claims: PhantomData }
    }
}

impl<S, C, B, A> Service<Request<B>> for Verified<S, C>
where
    S: Service<Request<B>, Response = Response<A>> + Clone + Send + 'static,
    S::Future: Send,
    C: DeserializeOwned + Clone + Send + Sync + 'static,
    B: Send + 'static,
    A: From<String>,
{
    type Response = Response<A>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<A>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The ready service is used for this request, and its clone stays here.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let verifier = self.verifier.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let certificate = parts.extensions.get::<ClientCertificate>();
            let facts = facts(&parts.method, parts.uri.path(), &parts.headers, certificate);
            let caller: Caller<C> = match verifier.verify_request(&facts).await {
                Ok(caller) => caller,
                Err(refusal) => return Ok(answer(&refusal)),
            };
            parts.extensions.insert(caller);
            inner.call(Request::from_parts(parts, body)).await
        })
    }
}
