//! Tests the middleware of reqwest: it adds tokens, checks origins and repeats requests like `send_with`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Extensions;
use latchkey_client::{AuthorizeMiddleware, SendError, TokenSource};
use reqwest::{Body, Request, Response};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error, Middleware, Next};

use crate::refused_tokens::{issuing, takes};
use crate::stub::{Reply, Stub};
use crate::{builder, source};

/// Counts the requests that come after the token was added.
#[derive(Clone, Default)]
struct Count(Arc<AtomicUsize>);

#[async_trait::async_trait]
impl Middleware for Count {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response, Error> {
        assert!(request.headers()["authorization"].is_sensitive());
        self.0.fetch_add(1, Ordering::SeqCst);
        next.run(request, extensions).await
    }
}

fn client(tokens: &TokenSource) -> (ClientWithMiddleware, Count) {
    let (count, http) = (Count::default(), reqwest::Client::builder().no_proxy().build().unwrap());
    let builder = ClientBuilder::new(http).with(AuthorizeMiddleware::new(tokens.clone()));
    (builder.with(count.clone()).build(), count)
}

#[tokio::test]
async fn refused_token_is_replaced_and_request_repeated_once() {
    let (issuer, service) = (issuing().await, Stub::start(takes("t1")).await);
    let (http, count) = client(&source(&issuer));
    let answer = http.post(service.url("/")).body("whole body").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, "whole body"));
    assert_eq!((issuer.requests(), service.requests(), count.0.load(Ordering::SeqCst)), (2, 2, 2));
}

#[tokio::test]
async fn uncloneable_body_is_sent_once() {
    let (issuer, service) = (issuing().await, Stub::start(takes("t1")).await);
    let tokens = source(&issuer);
    let (http, _) = client(&tokens);
    let body = Body::wrap(Body::from("once"));
    let answer = http.post(service.url("/")).body(body).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), service.requests()), (401, 1));
    // The refused token is still deleted.
    assert_eq!(tokens.token().await.unwrap().expose(), "t1");
}

#[tokio::test]
async fn unsent_request_is_reported_with_its_cause() {
    let (issuer, other) = (issuing().await, Stub::start(takes("t0")).await);
    let elsewhere = builder(&issuer).origin("https://api.example").build().unwrap();
    let refusing = Stub::start(|_| Reply::rejected(401, "invalid_client")).await;
    for (tokens, is_expected) in [
        (elsewhere, (|error| matches!(error, SendError::Origin(_))) as fn(&SendError) -> bool),
        (source(&refusing), |error| matches!(error, SendError::Token(_))),
    ] {
        let error = client(&tokens).0.get(other.url("/")).send().await.unwrap_err();
        let Error::Middleware(error) = error else { panic!("{error:?}") };
        assert!(error.downcast_ref().is_some_and(is_expected), "{error:?}");
    }
    assert_eq!(other.requests(), 0);
}
