//! Tests each kind of failure: which is tried again, which is remembered, and what the error says.

use std::error::Error as _;
use std::time::{Duration, Instant};

use latchkey_client::{Secret, TokenError};

use crate::stub::{Reply, Stub};
use crate::{builder, source};

#[tokio::test]
async fn transient_failures_are_retried() {
    for first in [
        || Reply::json(503, ""),
        || Reply::json(500, ""),
        || Reply::json(429, ""),
        || Reply::json(408, ""),
        || Reply::json(425, ""),
        || Reply::Torn(""),
        || Reply::Torn("HTTP/1.1 200 OK\r\ncontent-le"),
        || Reply::Torn("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"access_token\":\"half"),
        || Reply::Torn("no HTTP at all\r\n\r\n"),
    ] {
        let stub = Stub::good_after(first).await;
        let token = source(&stub).token().await.unwrap();
        assert_eq!((token.expose(), stub.requests()), ("good", 2));
    }
}

#[tokio::test]
async fn request_is_attempted_four_times() {
    let stub = Stub::start(|_| Reply::json(503, "")).await;
    let tokens = source(&stub);
    let error = tokens.token().await.unwrap_err();
    assert!(error.is_transient() && error.retry_after().is_none(), "{error:?}");
    assert_eq!(stub.requests(), 4);
    assert_eq!(error.source().unwrap().to_string(), format!("{}: it answered 503", stub.url("/token")));
    // No error is permanent: the next call asks again.
    tokens.token().await.unwrap_err();
    assert_eq!(stub.requests(), 8);
}

#[tokio::test]
async fn retry_after_is_obeyed() {
    let stub = Stub::good_after(|| Reply::json(503, "").with("retry-after", "1")).await;
    let begun = Instant::now();
    source(&stub).token().await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());

    let stub = Stub::start(|_| Reply::json(429, "").with("retry-after", "120")).await;
    let tokens = source(&stub);
    for _ in 0..100 {
        let error = tokens.token().await.unwrap_err();
        let rest = error.retry_after().unwrap();
        assert!(rest > Duration::from_secs(110) && rest <= Duration::from_secs(120), "{rest:?}");
    }
    assert_eq!(stub.requests(), 1);
}

#[tokio::test]
async fn a_rejection_is_remembered_for_a_second() {
    let stub = Stub::start(|_| Reply::rejected(400, "invalid_scope")).await;
    let tokens = source(&stub);
    for _ in 0..100 {
        let error = tokens.token().await.unwrap_err();
        assert_eq!(error.to_string(), "the token endpoint refused the request: invalid_scope (said so)");
        assert!(!error.is_transient() && error.retry_after().unwrap() <= Duration::from_secs(1));
    }
    assert_eq!(stub.requests(), 1);
    tokio::time::sleep(Duration::from_millis(1010)).await;
    assert_eq!(tokens.token().await.unwrap_err().code(), Some("invalid_scope"));
    assert_eq!(stub.requests(), 2);
    assert!(tokens.status().retry_in.unwrap() > Duration::from_secs(1));
}

#[tokio::test]
async fn unusable_answer_is_not_retried() {
    let long = format!(r#"{{"access_token":"{}","token_type":"Bearer"}}"#, "x".repeat(65_536));
    let blank = r#"{"access_token":"a b","token_type":"Bearer"}"#;
    let dpop = r#"{"access_token":"t","token_type":"DPoP"}"#;
    let negative = r#"{"access_token":"t","token_type":"Bearer","expires_in":-1}"#;
    for (status, body, why) in [
        (200, "<html>", "it is no token answer in JSON (RFC 6749 §5.1)"),
        (200, long.as_str(), "it is longer than 65536 bytes"),
        (200, blank, "`access_token` holds a character that no header has"),
        (200, dpop, "`token_type` is `DPoP`, which was not requested"),
        (200, negative, "`expires_in` is no whole number of seconds"),
        (404, "", "it answered 404"),
    ] {
        let body = body.to_owned();
        let stub = Stub::start(move |_| Reply::json(status, body.clone())).await;
        let error = source(&stub).token().await.unwrap_err();
        assert_eq!(error.to_string(), format!("the answer of {} cannot be used: {why}", stub.url("/token")));
        assert_eq!(stub.requests(), 1);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let other = Stub::start(|_| Reply::token("stolen")).await;
    let target = other.url("/token");
    let stub = Stub::start(move |_| Reply::json(307, "").with("location", target.clone())).await;
    assert!(matches!(source(&stub).token().await, Err(TokenError::Unusable { .. })));
    assert_eq!(other.requests(), 0);
}

#[tokio::test]
async fn silent_server_causes_a_timeout() {
    let stub = Stub::start(|_| Reply::Silence).await;
    let tokens = builder(&stub).timeout(Duration::from_millis(200)).build().unwrap();
    let begun = Instant::now();
    assert!(matches!(tokens.token().await, Err(TokenError::TimedOut { .. })));
    assert!(begun.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn unreadable_credential_is_reported_without_a_request() {
    let stub = Stub::start(|_| Reply::token("t")).await;
    let tokens = builder(&stub).credential(Secret::file("/nonexistent/secret")).build().unwrap();
    let error = tokens.token().await.unwrap_err();
    assert_eq!(error.to_string(), "the client's credential cannot be used");
    assert_eq!(error.source().unwrap().to_string(), "/nonexistent/secret cannot be read");
    assert_eq!(stub.requests(), 0);
}
