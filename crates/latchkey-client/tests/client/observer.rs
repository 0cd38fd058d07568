//! Tests the events that an observer gets.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use latchkey_client::{Fetched, Observer, Outcome, SendWith as _, Served};

use crate::builder;
use crate::refused_tokens::{issuing, takes};
use crate::stub::{Reply, Stub};

/// Records all events.
#[derive(Default)]
pub(crate) struct Noting(pub(crate) Mutex<Vec<String>>);

impl Noting {
    fn note(&self, line: String) {
        self.0.lock().expect("no panic").push(line);
    }

    fn lines(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observer for Noting {
    fn fetched(&self, fetched: &Fetched<'_>) {
        let Fetched { client_id, scope, attempt, took, outcome, .. } = fetched;
        assert!(*took < Duration::from_secs(5), "{fetched:?}");
        let rest = match outcome {
            Outcome::Granted { lifetime, .. } => format!("for {} s", lifetime.as_secs()),
            Outcome::Unavailable(error) | Outcome::Refused(error) => format!("{error:?}"),
            other => format!("{other:?}"),
        };
        self.note(format!("{client_id} {scope} {attempt} {} {rest}", outcome.name()));
    }

    fn served(&self, served: Served) {
        self.note(served.name().to_owned());
    }

    fn dropped(&self) {
        self.note("dropped".to_owned());
    }
}

#[tokio::test]
async fn observer_gets_fetches_and_served_callers() {
    let noting = Arc::new(Noting::default());
    let stub = Stub::start(|received| match received.number {
        0 => Reply::json(503, ""),
        1 => Reply::json(200, r#"{"access_token":"t","token_type":"Bearer","expires_in":2}"#),
        _ => Reply::rejected(401, "invalid_client"),
    });
    let tokens = builder(&stub.await).scope("a b").observer(Arc::clone(&noting)).build().unwrap();
    tokens.token().await.unwrap();
    tokens.authorization().await.unwrap();
    let lines = noting.lines();
    assert!(lines[0].starts_with("billing a b 1 unavailable Unavailable {"), "{lines:?}");
    assert_eq!(lines[1..], ["billing a b 2 granted for 2 s", "waited", "cache"]);
    tokio::time::sleep(Duration::from_millis(2100)).await;
    tokens.token().await.unwrap_err();
    let lines = noting.lines();
    assert_eq!(lines[1], "failed");
    assert!(lines[0].starts_with("billing a b 1 refused Rejected { code: \"invalid_client\""), "{lines:?}");
}

#[tokio::test]
async fn refused_token_is_reported_once() {
    let noting = Arc::new(Noting::default());
    let (issuer, service) = (issuing().await, Stub::start(takes("t1")).await);
    let tokens = builder(&issuer).observer(Arc::clone(&noting)).build().unwrap();
    let old = tokens.token().await.unwrap();
    noting.lines();
    reqwest::Client::new().get(service.url("/")).send_with(&tokens).await.unwrap();
    assert!(!tokens.invalidate(&old));
    let granted = "billing  1 granted for 3600 s";
    assert_eq!(noting.lines(), ["cache", "dropped", granted, "waited"]);
}

#[tokio::test]
async fn timer_is_not_reported_as_a_caller() {
    let noting = Arc::new(Noting::default());
    let issuer = issuing().await;
    let tokens = builder(&issuer).observer(Arc::clone(&noting)).build().unwrap();
    let _warm = tokens.keep_warm();
    while tokens.cached().is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(noting.lines(), ["billing  1 granted for 3600 s"]);
}
