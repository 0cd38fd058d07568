//! Tests the revocation feed: which tokens it revokes, and which are accepted without it.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use latchkey_verifier::{Builder, Reason, Revocations, TokenError, Trusted, Verifier};
use serde_json::{Value, json};

use crate::issuer::{ISSUER, Key, Page, Server, builder, key_set, outcome};
use crate::time::TestClock;

pub(crate) const JWKS: &str = "/jwks.json";
const FEED: &str = "/revocations";
pub(crate) const REVOKED: Result<(), Reason> = Err(Reason::Token(TokenError::Revoked));

/// A verifier that trusts one issuer, and the server that publishes the issuer's keys and feed.
pub(crate) struct TestEnv {
    pub(crate) server: Server,
    pub(crate) clock: TestClock,
    pub(crate) key: Key,
    pub(crate) verifier: Verifier,
}

impl TestEnv {
    async fn new(revocations: Revocations) -> Self {
        Self::with(|builder| builder.revocations(revocations)).await
    }

    pub(crate) async fn with(more: impl FnOnce(Builder) -> Builder) -> Self {
        let (server, clock, key) = (Server::start().await, TestClock::default(), Key::new("k1"));
        server.publish(JWKS, Page::ok("max-age=3600", key_set(&[&key])));
        let at = |path: &str| format!("{}{path}", server.origin);
        let trusted = Trusted::issuer(ISSUER).jwks_uri(at(JWKS)).revocations_uri(at(FEED));
        let verifier = more(builder(&clock).issuer(trusted)).build().unwrap();
        Self { server, clock, key, verifier }
    }

    pub(crate) fn feed(&self, member: &str, value: Value) -> Value {
        let now = self.clock.seconds();
        let mut feed =
            json!({ "iss": ISSUER, "iat": now, "exp": now + 180, "clients": {}, "keys": {}, "tokens": [] });
        feed[member] = value;
        feed
    }

    pub(crate) fn publish(&self, feed: &Value) {
        self.publish_by(&self.key, "latchkey-revocations+jwt", feed);
    }

    fn publish_by(&self, key: &Key, typ: &str, feed: &Value) {
        self.server.publish(FEED, Page::ok("public, max-age=10", key.sign_as(typ, feed)));
    }

    async fn verify(&self) -> Result<(), Reason> {
        let token = self.key.token(ISSUER, self.clock.seconds() - 10);
        self.verify_token(&token).await
    }

    pub(crate) async fn verify_token(&self, token: &str) -> Result<(), Reason> {
        let verified = self.verifier.verify::<Value>(token).await;
        // Lets the background fetch finish.
        tokio::time::sleep(Duration::from_millis(100)).await;
        outcome(verified)
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn is_not_ready(verified: &Result<(), Reason>) -> bool {
    matches!(verified, Err(Reason::NotReady { .. }))
}

#[tokio::test]
async fn revoked_token_is_refused_and_later_one_accepted() {
    let env = TestEnv::new(Revocations::Preferred).await;
    env.publish(&env.feed("tokens", json!([])));
    assert_eq!(env.verify().await, Ok(()));
    let until = env.clock.seconds() - 10;
    let client = BASE64URL.encode(digest(&SHA256, b"shipping"));
    for (member, value) in [
        ("tokens", json!(["1"])),
        ("issued_until", json!(until)),
        ("keys", json!({ "k1": until })),
        ("clients", json!({ client: { "issued_until": until } })),
    ] {
        let env = TestEnv::new(Revocations::Preferred).await;
        env.publish(&env.feed(member, value));
        assert_eq!(env.verify().await, REVOKED, "{member}");
        let later = env.key.token_with(ISSUER, env.clock.seconds(), "jti", json!("2"));
        assert_eq!(env.verify_token(&later).await, Ok(()), "{member}");
    }
}

#[tokio::test]
async fn revocation_takes_effect_with_the_next_poll() {
    let env = TestEnv::new(Revocations::Within(Duration::from_secs(60))).await;
    env.publish(&env.feed("tokens", json!([])));
    assert_eq!(env.verify().await, Ok(()));
    env.pass(1);
    env.publish(&env.feed("tokens", json!(["1"])));
    assert_eq!(env.verify().await, Ok(()), "the feed is fresh");
    env.pass(10);
    let _ = env.verify().await;
    assert_eq!(env.verify().await, REVOKED);
}

#[tokio::test]
async fn invalid_or_outdated_feed_is_ignored() {
    let env = TestEnv::new(Revocations::Preferred).await;
    env.publish(&env.feed("tokens", json!(["1"])));
    assert_eq!(env.verify().await, REVOKED);
    let nothing = |env: &TestEnv| env.feed("tokens", json!([]));
    for fault in 0..6 {
        env.pass(60);
        match fault {
            0 => env.publish_by(&Key::new("k1"), "latchkey-revocations+jwt", &nothing(&env)),
            1 => env.publish_by(&env.key, "at+jwt", &nothing(&env)),
            2 => env.publish(&env.feed("iss", json!("https://id.example.com/api/v1/tenant/globex"))),
            3 => env.publish(&env.feed("exp", json!(env.clock.seconds()))),
            4 => env.publish(&env.feed("iat", json!(1))),
            _ => env.server.remove(FEED),
        }
        let requests = env.server.requests();
        let _ = env.verify().await;
        assert!(env.server.requests() > requests, "it is polled: {fault}");
        assert_eq!(env.verify().await, REVOKED, "{fault}");
    }
    env.pass(60);
    env.publish(&nothing(&env));
    let _ = env.verify().await;
    assert_eq!(env.verify().await, Ok(()));
}

#[tokio::test]
async fn revocation_setting_decides_without_a_feed() {
    for revocations in [Revocations::Off, Revocations::Preferred] {
        let env = TestEnv::new(revocations).await;
        assert_eq!(env.verify().await, Ok(()), "{revocations:?}");
        let requests = if revocations == Revocations::Off { 1 } else { 2 };
        assert_eq!(env.server.requests(), requests, "{revocations:?}");
    }
    let env = TestEnv::new(Revocations::Within(Duration::from_secs(60))).await;
    assert!(is_not_ready(&env.verify().await), "never fetched");
    env.pass(1);
    env.publish(&env.feed("tokens", json!([])));
    assert_eq!(env.verify().await, Ok(()));
    env.server.remove(FEED);
    for passed in [20, 20, 19] {
        env.pass(passed);
        assert_eq!(env.verify().await, Ok(()), "within the time");
    }
    env.pass(1);
    assert!(is_not_ready(&env.verify().await), "beyond it");
    env.publish(&env.feed("tokens", json!([])));
    env.pass(30);
    assert_eq!(env.verify().await, Ok(()), "it recovers by itself");
}

#[tokio::test]
async fn feed_url_comes_from_metadata() {
    let (server, clock, key) = (Server::start().await, TestClock::default(), Key::new("k1"));
    let at = |path: &str| format!("{}{path}", server.origin);
    let issuer = at("/acme");
    let now = clock.seconds();
    let feed =
        json!({ "iss": issuer, "iat": now, "exp": now + 180, "clients": {}, "keys": {}, "tokens": ["1"] });
    server.publish(JWKS, Page::ok("", key_set(&[&key])));
    server.publish(FEED, Page::ok("", key.sign_as("latchkey-revocations+jwt", &feed)));
    let metadata = json!({ "issuer": issuer, "jwks_uri": at(JWKS), "revocations_uri": at(FEED) });
    server.publish("/.well-known/oauth-authorization-server/acme", Page::ok("", metadata.to_string()));
    let verifier = builder(&clock).issuer(Trusted::issuer(issuer.as_str())).build().unwrap();
    assert_eq!(outcome(verifier.verify::<Value>(&key.token(&issuer, now)).await), REVOKED);
}
