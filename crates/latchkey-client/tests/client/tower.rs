//! Tests the layer of tower: it adds tokens, checks origins and repeats requests like `send_with`.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use http::{Request, Response};
use latchkey_client::{AuthorizeLayer, SendError, TokenSource};
use tower_layer::Layer as _;
use tower_service::Service;

use crate::builder;
use crate::stub::{Reply, Stub};

/// Answers 401 to the refused tokens, and records all tokens.
#[derive(Clone, Default)]
pub(crate) struct Api {
    refused: Vec<&'static str>,
    pub(crate) seen: Arc<Mutex<Vec<String>>>,
}

impl<B> Service<Request<B>> for Api {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let token = request.headers()["authorization"].to_str().unwrap().to_owned();
        let status = if self.refused.iter().any(|refused| token.ends_with(refused)) { 401 } else { 200 };
        self.seen.lock().unwrap().push(token);
        ready(Ok(Response::builder().status(status).body(()).unwrap()))
    }
}

async fn tokens() -> (TokenSource, Stub) {
    let stub = Stub::start(|received| Reply::token(&format!("t{}", received.number))).await;
    (builder(&stub).origin("https://api.example").build().unwrap(), stub)
}

fn request(url: &str) -> Request<&'static str> {
    Request::post(url).body("body").unwrap()
}

#[tokio::test]
async fn layer_repeats_refused_requests_if_configured() {
    for (repeating, status, sent) in
        [(true, 200, &["Bearer t0", "Bearer t1"][..]), (false, 401, &["Bearer t0"])]
    {
        let (tokens, _stub) = tokens().await;
        let api = Api { refused: vec!["t0"], ..Api::default() };
        let layer = AuthorizeLayer::new(tokens.clone());
        let request = request("https://api.example/orders");
        let answer = if repeating {
            layer.repeating().layer(api.clone()).call(request).await
        } else {
            layer.layer(api.clone()).call(request).await
        };
        assert_eq!(answer.unwrap().status(), status);
        assert_eq!(*api.seen.lock().unwrap(), sent);
        // The layer also deletes the refused token if it does not repeat the request.
        assert_eq!(tokens.token().await.unwrap().expose(), "t1");
    }
}

#[tokio::test]
async fn token_is_sent_only_to_its_origin() {
    let (tokens, stub) = tokens().await;
    let api = Api::default();
    let mut client = AuthorizeLayer::new(tokens).layer(api.clone());
    for url in ["https://other.example/orders", "/orders", "http://api.example/orders"] {
        let error = client.call(request(url)).await.unwrap_err();
        assert!(matches!(error, SendError::Origin(_)), "{url}: {error}");
    }
    assert_eq!((stub.requests(), api.seen.lock().unwrap().len()), (0, 0));
}
