//! Tests the events that an observer gets.

use std::sync::{Arc, Mutex};

use latchkey_verifier::{Accepted, Fetched, Observer, Reason, RequestFacts};
use serde_json::{Value, json};

use crate::issuer::{ISSUER, Page};
use crate::revocations::{JWKS, TestEnv};

/// Records a line for each call.
#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Lines {
    fn add(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observer for Lines {
    fn fetched(&self, fetched: &Fetched<'_>) {
        let Fetched { issuer, document, succeeded, .. } = *fetched;
        assert_eq!(issuer, ISSUER);
        self.add(format!("fetched {} {succeeded}", document.name()));
    }

    fn accepted(&self, accepted: &Accepted<'_>) {
        assert_eq!(accepted.issuer, ISSUER);
        self.add(format!("accepted {}", accepted.client_id));
    }

    fn refused(&self, reason: &Reason) {
        self.add(format!("refused: {reason}"));
    }
}

#[tokio::test]
async fn observer_gets_fetches_acceptances_and_refusals() {
    let lines = Arc::new(Lines::default());
    let env = TestEnv::with(|builder| builder.observer(Arc::clone(&lines))).await;
    env.publish(&env.feed("tokens", json!([])));
    let token = env.key.token(ISSUER, env.clock.seconds());
    env.verify_token(&token).await.unwrap();
    assert_eq!(lines.take(), ["fetched key_set true", "fetched revocations true", "accepted shipping"]);
    env.verify_token(&format!("{}AAAA", &token[..token.len() - 4])).await.unwrap_err();
    assert_eq!(lines.take(), ["refused: Token signature is invalid"]);
    let nothing = env.verifier.verify_request::<Value>(&RequestFacts::new("GET", "/")).await;
    assert!(nothing.is_err());
    assert_eq!(lines.take(), ["refused: the request has no access token"]);
    let authorization = format!("Bearer {token}");
    let facts = RequestFacts::new("GET", "/").authorization(authorization.as_bytes());
    assert!(env.verifier.verify_request::<Value>(&facts).await.is_ok());
    assert_eq!(lines.take(), ["accepted shipping"]);
    // The verifier keeps using the keys while fetches fail.
    env.server.publish(JWKS, Page::ok("", "no key set".to_owned()));
    env.pass(3_601);
    env.verify_token(&token).await.unwrap();
    assert!(lines.take().contains(&"fetched key_set false".to_owned()));
}
