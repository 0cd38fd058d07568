//! Tests opaque tokens: the answers of introspection, and how long they are used.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use latchkey_verifier::{Introspection, Reason, SenderError, TokenError, Trusted, Verifier};
use serde_json::{Value, json};

use crate::issuer::{ISSUER, Key, Page, Server, builder, claims, keys_of, outcome};
use crate::time::TestClock;
const INTROSPECT: &str = "/introspect";
const TOKEN: &str = "lk_5f4dcc3b5aa765d61d8327deb882cf99";

struct TestEnv {
    server: Server,
    clock: TestClock,
    verifier: Verifier,
}

impl TestEnv {
    async fn new() -> Self {
        let (server, clock) = (Server::start().await, TestClock::default());
        let trusted = Trusted::issuer(ISSUER).key_set(keys_of(&Key::new("k1"))).tenant("acme");
        let url = format!("{}{INTROSPECT}", server.origin);
        let introspection = Introspection::new(url, "orders", "s:cret canary");
        let verifier = builder(&clock).issuer(trusted).introspection(introspection).build().unwrap();
        Self { server, clock, verifier }
    }

    fn publish(&self, members: &Value) {
        self.server.publish(INTROSPECT, Page::ok("no-store", members.to_string()));
    }

    fn active(&self) -> Value {
        let mut members = claims(ISSUER, self.clock.seconds());
        members["active"] = json!(true);
        members
    }

    async fn verify(&self, token: &str) -> Result<(), Reason> {
        outcome(self.verifier.verify::<Value>(token).await)
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn invalid(error: TokenError) -> Result<(), Reason> {
    Err(Reason::Token(error))
}

#[tokio::test]
async fn an_active_token_is_accepted_and_asked_for_once_in_ten_seconds() {
    let env = TestEnv::new().await;
    env.publish(&env.active());
    let caller = env.verifier.verify::<Value>(TOKEN).await.unwrap();
    assert_eq!((caller.client_id(), caller.tenant()), ("shipping", Some("acme")));
    // RFC 6749 §2.3.1.
    let credentials = format!("authorization: Basic {}", BASE64.encode("orders:s%3Acret+canary"));
    assert!(env.server.last_head().contains(&credentials), "{}", env.server.last_head());
    env.publish(&json!({ "active": false }));
    env.pass(9);
    assert_eq!(env.verify(TOKEN).await, Ok(()));
    assert_eq!(env.server.requests(), 1);
    env.pass(1);
    assert_eq!(env.verify(TOKEN).await, invalid(TokenError::Inactive));
    env.publish(&env.active());
    env.pass(4);
    assert_eq!(env.verify(TOKEN).await, invalid(TokenError::Inactive));
    env.pass(1);
    assert_eq!(env.verify(TOKEN).await, Ok(()));
    assert_eq!(env.server.requests(), 3);
}

#[tokio::test]
async fn an_answer_is_checked_like_a_token() {
    let env = TestEnv::new().await;
    let now = env.clock.seconds();
    let cases = [
        ("iss", json!("https://id.example.com/api/v1/tenant/globex"), invalid(TokenError::ForeignIssuer)),
        ("iss", Value::Null, invalid(TokenError::Malformed)),
        ("aud", json!("other"), invalid(TokenError::WrongAudience)),
        ("aud", Value::Null, invalid(TokenError::Malformed)),
        ("exp", json!(now), invalid(TokenError::Expired)),
        ("client_id", Value::Null, invalid(TokenError::Malformed)),
        ("cnf", json!({ "jkt": "A".repeat(43) }), Err(Reason::Sender(SenderError::NeedsDpopProof))),
        ("more", json!([1]), Ok(())),
    ];
    for (number, (name, value, expected)) in cases.into_iter().enumerate() {
        let mut members = env.active();
        members[name] = value;
        env.publish(&members);
        assert_eq!(env.verify(&format!("{TOKEN}{number}")).await, expected, "{name}");
    }
    let mut short = env.active();
    short["exp"] = json!(now + 3);
    env.publish(&short);
    assert_eq!(env.verify(TOKEN).await, Ok(()));
    env.pass(3);
    assert_eq!(env.verify(TOKEN).await, invalid(TokenError::Expired), "no answer outlives the token");
}

#[tokio::test]
async fn many_callers_with_one_token_make_one_request_and_an_outage_is_503() {
    let env = TestEnv::new().await;
    let delay = Duration::from_millis(200);
    env.server.publish(INTROSPECT, Page { delay, ..Page::ok("", env.active().to_string()) });
    let spawn = |_| {
        let verifier = env.verifier.clone();
        tokio::spawn(async move { verifier.verify::<Value>(TOKEN).await.is_ok() })
    };
    let callers: Vec<_> = (0..100).map(spawn).collect();
    for (number, caller) in callers.into_iter().enumerate() {
        if number % 2 == 1 { caller.abort() } else { assert!(caller.await.unwrap()) }
    }
    assert_eq!(env.server.requests(), 1);
    env.server.remove(INTROSPECT);
    assert_eq!(env.verify(TOKEN).await, Ok(()), "the answer is kept");
    env.pass(10);
    for page in [None, Some(Page { status: 401, ..Page::ok("", "{}") }), Some(Page::ok("", "no JSON"))] {
        if let Some(page) = page {
            env.server.publish(INTROSPECT, page);
        }
        assert!(matches!(env.verify(TOKEN).await, Err(Reason::NotReady { .. })));
    }
    env.publish(&env.active());
    assert_eq!(env.verify(TOKEN).await, Ok(()));
}

#[tokio::test]
async fn what_is_no_opaque_token_is_not_sent() {
    let env = TestEnv::new().await;
    env.publish(&env.active());
    let long = "a".repeat(16 * 1024 + 1);
    for token in ["", "a.b", "a.b.c", "a b", "\u{e9}", &long] {
        assert_eq!(env.verify(token).await.map_err(|_| ()), Err(()), "{token}");
    }
    assert_eq!(env.server.requests(), 0);
    assert_eq!(env.verifier.verify_now::<Value>(TOKEN).unwrap_err().status(), 503);
    assert_eq!(env.verify(TOKEN).await, Ok(()));
    assert!(env.verifier.verify_now::<Value>(TOKEN).is_ok());
    let shown = format!("{:?}", Introspection::new("https://a.example", "orders", "canary"));
    assert!(!shown.contains("canary"), "{shown}");
}
