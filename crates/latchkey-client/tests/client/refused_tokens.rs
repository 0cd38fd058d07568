//! Tests requests with a token: which addresses may get it, and what happens when a service refuses it.

use latchkey_client::{SendError, SendWith as _, TokenSource};
use tokio::task::JoinSet;

use crate::stub::{Received, Reply, Stub};
use crate::{builder, source};

const REFUSED: &str = r#"Bearer error="invalid_token""#;

pub(crate) async fn issuing() -> Stub {
    Stub::start(|received| Reply::token(&format!("t{}", received.number))).await
}

/// A service that knows only this token.
pub(crate) fn takes(token: &'static str) -> impl Fn(&Received) -> Reply {
    move |received| match received.header("authorization") {
        Some(header) if header == format!("Bearer {token}") => Reply::json(200, received.body.clone()),
        Some(_) => Reply::json(401, "").with("www-authenticate", REFUSED),
        None => Reply::json(400, "no token"),
    }
}

#[tokio::test]
async fn refused_token_is_replaced_and_request_repeated_once() {
    let (issuer, service) = (issuing().await, Stub::start(takes("t1")).await);
    let tokens = source(&issuer);
    let request = reqwest::Client::new().post(service.url("/")).body("whole body");
    let answer = request.send_with(&tokens).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, "whole body"));
    assert_eq!((issuer.requests(), service.requests()), (2, 2));
}

#[tokio::test]
async fn service_refusing_all_tokens_causes_one_fetch() {
    let (issuer, service) = (issuing().await, Stub::start(takes("none")).await);
    let tokens = source(&issuer);
    for _ in 0..50 {
        let answer = reqwest::Client::new().get(service.url("/")).send_with(&tokens).await.unwrap();
        assert_eq!(answer.status().as_u16(), 401);
    }
    assert_eq!((issuer.requests(), service.requests()), (2, 51));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_parallel_refusals_make_one_request() {
    let issuer = issuing().await;
    let service = Stub::held(takes("t1")).await;
    let tokens = source(&issuer);
    tokens.token().await.unwrap();
    let http = reqwest::Client::new();
    let mut tasks = JoinSet::new();
    for _ in 0..1000 {
        let (tokens, request) = (tokens.clone(), http.get(service.url("/")));
        tasks.spawn(async move { request.send_with(&tokens).await.unwrap().status().as_u16() });
    }
    while service.requests() < 1000 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    service.release();
    while let Some(status) = tasks.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
    assert_eq!((issuer.requests(), service.requests()), (2, 2000));
}

#[tokio::test]
async fn other_refusals_keep_the_token() {
    for (status, challenge) in [
        (401, r#"Bearer error="insufficient_scope""#),
        (403, r#"Bearer error="insufficient_scope""#),
        (403, r#"Bearer error="invalid_token""#),
    ] {
        let issuer = issuing().await;
        let service = Stub::start(move |_| Reply::json(status, "").with("www-authenticate", challenge)).await;
        let tokens = source(&issuer);
        let answer = reqwest::Client::new().get(service.url("/")).send_with(&tokens).await.unwrap();
        let found = (answer.status().as_u16(), tokens.cached().is_some(), service.requests());
        assert_eq!(found, (status, true, 1));
    }
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let issuer = Stub::start(|_| Reply::rejected(401, "invalid_client")).await;
    let service = Stub::start(takes("t0")).await;
    let sent = reqwest::Client::new().get(service.url("/")).send_with(&source(&issuer)).await;
    assert!(matches!(sent, Err(SendError::Token(_))));
    assert_eq!(service.requests(), 0);
}

#[tokio::test]
async fn token_is_sent_only_to_its_origin() {
    let (issuer, service, other) =
        (issuing().await, Stub::start(takes("t0")).await, Stub::start(takes("t0")).await);
    let tokens = builder(&issuer).resource(service.url("/")).build().unwrap();
    let http = reqwest::Client::new();
    assert_eq!(http.get(service.url("/x")).send_with(&tokens).await.unwrap().status().as_u16(), 200);
    let refused = http.get(other.url("/x")).send_with(&tokens).await.unwrap_err();
    let what_to_do = "add `origin` or `resource` to the source";
    let expected = format!("tokens of this source are not for {}: {what_to_do}", other.url(""));
    assert_eq!(refused.to_string(), expected);
    assert_eq!(other.requests(), 0);
}

#[tokio::test]
async fn redirect_to_another_origin_drops_the_token() {
    // The other server answers 500 if a request has a token.
    let other = Stub::start(|received| {
        let has_token = received.header("authorization").is_some();
        Reply::json(if has_token { 500 } else { 200 }, "")
    })
    .await;
    let target = other.url("/elsewhere");
    let service = Stub::start(move |_| Reply::json(302, "").with("location", target.clone())).await;
    let tokens: TokenSource = source(&issuing().await);
    let answer = reqwest::Client::new().get(service.url("/")).send_with(&tokens).await.unwrap();
    assert_eq!((other.requests(), answer.status().as_u16()), (1, 200));
}
