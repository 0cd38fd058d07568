//! Tests that the request of the chapter about client credentials works with the header as printed.

use serde_json::Value;

use crate::answer::Answer;
use crate::foreign::example;
use crate::jwt;
use crate::program::Program;
use crate::quick_start::compact;
use crate::thunder_api;

#[tokio::test]
async fn the_printed_request_gets_the_printed_response() {
    let (_folder, program) = Program::serving_in(thunder_api::folder());
    let printed = example("chapter/token.http");
    let (head, body) = printed.split_once("\n\n").unwrap();
    // The remark is part of the document's text, not of the request.
    let head = head.replace(" (Base64 encoded ID:Secret)", "").replace('\n', "\r\n");
    let body = body.trim_end();
    let request = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    assert!(request.contains("\r\nAuthorization: Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW\r\n"));
    let answer = Answer::to_bytes(program.address(), request.as_bytes()).await;
    let token = answer.token();
    let printed = example("chapter/token.json");
    let document: Value = serde_json::from_str(&printed).unwrap();
    let opaque = document["access_token"].as_str().unwrap();
    assert_eq!(answer.body.replace(&token, opaque), compact(&printed));
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
}

/// The chapter says: "check the token and see `sub` (Subject) = `client_id`, indicating the caller is a
/// machine".
#[tokio::test]
async fn the_subject_is_the_client() {
    let (_folder, program) = Program::serving_in(thunder_api::folder());
    let claims = jwt::claims(&program.token("test-tenant", "s6BhdRkqt3", "gX1fBat3bV").await);
    assert_eq!((&claims["sub"], &claims["client_id"]), (&"s6BhdRkqt3".into(), &"s6BhdRkqt3".into()));
    assert_eq!(claims["aud"], "s6BhdRkqt3", "nothing else is configured for this client");
}
