//! Tests secrets: how they are sent, and what happens after one was replaced.

use std::sync::Arc;

use latchkey_client::Secret;
use tokio::sync::Mutex;

use crate::builder;
use crate::stub::{Reply, Stub};

#[tokio::test]
async fn replaced_secret_is_read_again_after_refusal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, "old").unwrap();
    // `billing:new` as Basic credentials; all others are refused.
    let stub = Stub::start(|received| match received.header("authorization") {
        Some("Basic YmlsbGluZzpuZXc=") => Reply::token("new"),
        Some("Basic YmlsbGluZzpvbGQ=") if received.number == 0 => Reply::token("old"),
        _ => Reply::rejected(401, "invalid_client"),
    })
    .await;
    let tokens = builder(&stub).credential(Secret::file(&path)).build().unwrap();
    let first = tokens.token().await.unwrap();
    std::fs::write(&path, "new").unwrap();
    assert!(tokens.invalidate(&first));
    assert_eq!(tokens.token().await.unwrap().expose(), "new");
    assert_eq!(stub.requests(), 3);
}

#[tokio::test]
async fn the_same_secret_is_not_sent_twice() {
    let stub = Stub::start(|_| Reply::rejected(401, "invalid_client")).await;
    let tokens = builder(&stub).build().unwrap();
    assert_eq!(tokens.token().await.unwrap_err().code(), Some("invalid_client"));
    assert_eq!(stub.requests(), 1);
}

#[tokio::test]
async fn secret_is_sent_in_header_or_form() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let stub = Stub::start(move |received| {
        let header = received.header("authorization").unwrap_or_default().to_owned();
        noted.try_lock().unwrap().push((header, received.body.clone()));
        Reply::token("t")
    })
    .await;
    for secret in [Secret::value("a:b"), Secret::value("a:b").in_body()] {
        let tokens = builder(&stub).scope("a").credential(secret).build().unwrap();
        tokens.token().await.unwrap();
    }
    let form = "grant_type=client_credentials&scope=a";
    let in_body = format!("{form}&client_id=billing&client_secret=a%3Ab");
    let basic = "Basic YmlsbGluZzphJTNBYg==".to_owned();
    assert_eq!(*seen.lock().await, [(basic, form.to_owned()), (String::new(), in_body)]);
}
