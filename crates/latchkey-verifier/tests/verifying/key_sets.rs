//! Tests key sets over HTTP: when they are fetched, and which tokens are accepted while they cannot be.

use std::future::Future as _;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use latchkey_verifier::{Caller, Reason, Refusal, TokenError, Trusted, Verifier};
use serde_json::{Value, json};

use crate::issuer::{ISSUER, Key, Page, Server, builder, key_set, outcome};
use crate::time::TestClock;
const JWKS: &str = "/jwks.json";
const CACHED: &str = "public, max-age=300, stale-while-revalidate=60";

/// A verifier that trusts one issuer, and the server that publishes the issuer's keys.
struct TestEnv {
    server: Server,
    clock: TestClock,
    verifier: Verifier,
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl TestEnv {
    async fn new() -> Self {
        let (server, clock) = (Server::start().await, TestClock::default());
        let trusted = Trusted::issuer(ISSUER).jwks_uri(format!("{}{JWKS}", server.origin)).tenant("acme");
        let verifier = builder(&clock).issuer(trusted).build().unwrap();
        Self { server, clock, verifier }
    }

    async fn with(keys: &[&Key]) -> Self {
        let env = Self::new().await;
        env.publish(keys);
        env
    }

    fn publish(&self, keys: &[&Key]) {
        self.server.publish(JWKS, Page::ok(CACHED, key_set(keys)));
    }

    fn token(&self, key: &Key) -> String {
        key.token(ISSUER, self.clock.seconds())
    }

    async fn verify(&self, token: &str) -> Result<Caller, Refusal> {
        self.verifier.verify(token).await
    }

    async fn accepts(&self, key: &Key) -> bool {
        self.verify(&self.token(key)).await.is_ok()
    }

    async fn error(&self, key: &Key) -> Reason {
        self.verify(&self.token(key)).await.unwrap_err().reason().clone()
    }

    /// Waits until the server has received this many requests and the verifier has stored the answers.
    async fn fetched(&self, requests: usize) {
        for _ in 0..400 {
            if self.server.requests() >= requests {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(self.server.requests(), requests);
    }
}

const UNKNOWN: Reason = Reason::Token(TokenError::UnknownKey);

fn is_not_ready(reason: &Reason) -> bool {
    matches!(reason, Reason::NotReady { .. })
}

#[tokio::test]
async fn keys_are_renewed_in_the_background() {
    let key = Key::new("k1");
    let env = TestEnv::with(&[&key]).await;
    assert!(!env.verifier.ready());
    for _ in 0..5 {
        assert!(env.accepts(&key).await);
    }
    assert!(env.verifier.ready());
    assert_eq!(env.server.requests(), 1);
    let head = env.server.last_head();
    assert!(head.contains("user-agent: latchkey-verifier/0.1.0\r\n"), "{head}");
    // No request waits for this slow fetch.
    env.server.publish(JWKS, Page { delay: seconds(1), ..Page::ok(CACHED, key_set(&[&key])) });
    env.clock.advance(seconds(301));
    let begun = std::time::Instant::now();
    for _ in 0..5 {
        assert!(env.accepts(&key).await);
    }
    assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
    env.fetched(2).await;
}

#[tokio::test]
async fn callers_of_a_cold_verifier_share_one_request() {
    let key = Key::new("k1");
    let env = TestEnv::with(&[&key]).await;
    let delay = Duration::from_millis(200);
    env.server.publish(JWKS, Page { delay, ..Page::ok(CACHED, key_set(&[&key])) });
    let token = env.token(&key);
    let spawn = |_| {
        let (verifier, token) = (env.verifier.clone(), token.clone());
        tokio::spawn(async move { verifier.verify::<Value>(&token).await.is_ok() })
    };
    let callers: Vec<_> = (0..200).map(spawn).collect();
    for (number, caller) in callers.into_iter().enumerate() {
        // Every second caller gives up. The others still get the keys.
        if number % 2 == 0 { caller.abort() } else { assert!(caller.await.unwrap()) }
    }
    assert_eq!(env.server.requests(), 1);
}

#[tokio::test]
async fn new_key_is_found_and_removed_key_is_refused() {
    let (old, new) = (Key::new("k1"), Key::new("k2"));
    let env = TestEnv::with(&[&old]).await;
    assert!(env.accepts(&old).await);
    env.publish(&[&old, &new]);
    assert_eq!(env.error(&new).await, UNKNOWN, "a fetch ended just now");
    env.clock.advance(seconds(10));
    assert!(env.accepts(&new).await);
    assert_eq!(env.server.requests(), 2);
    env.publish(&[&new]);
    env.clock.advance(seconds(361));
    // Beyond stale-while-revalidate a request waits for the new set.
    assert_eq!(env.error(&old).await, UNKNOWN);
    assert!(env.accepts(&new).await);
}

#[tokio::test]
async fn random_kids_cause_at_most_seven_fetches_per_minute() {
    let key = Key::new("k1");
    let env = TestEnv::with(&[&key]).await;
    let good = env.token(&key);
    let rest = good.split_once('.').unwrap().1;
    for tick in 0..600_u64 {
        for number in 0..1_000_u64 {
            let header = format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{tick}-{number}"}}"#);
            let token = format!("{}.{rest}", BASE64URL.encode(header));
            let refused = env.verify(&token).await.unwrap_err();
            assert!(matches!(refused.reason(), Reason::Token(TokenError::UnknownKey)));
        }
        assert!(env.verify(&good).await.is_ok(), "{tick}");
        env.clock.advance(Duration::from_millis(100));
    }
    assert!((2..=7).contains(&env.server.requests()), "{}", env.server.requests());
}

/// Counts allocations and polls, because times differ from run to run.
#[tokio::test]
async fn random_kid_flood_does_not_slow_good_tokens() {
    let key = Key::new("k1");
    let env = TestEnv::with(&[&key]).await;
    let good = env.token(&key);
    assert!(env.verify(&good).await.is_ok());
    let work = || {
        let verify = || drop(env.verifier.verify_now::<Value>(&good).unwrap());
        allocation_counter::measure(verify).count_total
    };
    let before = work();
    let rest = good.split_once('.').unwrap().1;
    let random = |number: u64| {
        let header = format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"random-{number}"}}"#);
        format!("{}.{rest}", BASE64URL.encode(header))
    };
    for number in 0..10_000 {
        assert!(env.verify(&random(number)).await.is_err());
    }
    assert_eq!(work(), before);
    // The fetch takes a minute. Only the caller that sent the random kid waits for it.
    env.server.publish(JWKS, Page { delay: seconds(60), ..Page::ok(CACHED, key_set(&[&key])) });
    env.clock.advance(seconds(11));
    let (verifier, token) = (env.verifier.clone(), random(0));
    let waiting = tokio::spawn(async move { verifier.verify::<Value>(&token).await.is_ok() });
    env.fetched(2).await;
    assert!(!waiting.is_finished());
    for _ in 0..100 {
        let verifying = std::pin::pin!(env.verify(&good));
        let polled = verifying.poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Ready(Ok(_))));
    }
    assert_eq!(work(), before);
    assert!(!waiting.await.unwrap());
}

#[tokio::test]
async fn key_outage_gives_503_after_an_hour() {
    let key = Key::new("k1");
    let env = TestEnv::with(&[&key]).await;
    assert!(env.accepts(&key).await);
    let mut faults = [
        None,
        Some(Page::ok(CACHED, "{\"keys\":[")),
        Some(Page::ok(CACHED, "{\"keys\":[]}")),
        Some(Page { status: 500, ..Page::ok(CACHED, key_set(&[&key])) }),
        Some(Page { is_torn: true, ..Page::ok(CACHED, key_set(&[&key])) }),
        Some(Page { status: 302, headers: "location: /other\r\n".to_owned(), ..Page::ok("", "") }),
        Some(Page::ok(CACHED, " ".repeat(300 * 1024))),
    ]
    .into_iter()
    .cycle();
    env.clock.advance(seconds(300));
    // The test covers 58 min in steps of 12 s, each with the next fault. The server is down for the first ten
    // minutes.
    for step in 0..290_u64 {
        match faults.next().filter(|_| step >= 50).flatten() {
            Some(page) => env.server.publish(JWKS, page),
            None => env.server.remove(JWKS),
        }
        assert!(env.accepts(&key).await, "{step}");
        // Lets the background fetch finish.
        tokio::time::sleep(Duration::from_millis(5)).await;
        env.clock.advance(seconds(12));
    }
    assert!(env.server.requests() > 10, "{}", env.server.requests());
    env.clock.advance(seconds(200));
    env.server.remove(JWKS);
    let refusal = env.verify(&env.token(&key)).await.unwrap_err();
    assert_eq!((refusal.status(), is_not_ready(refusal.reason())), (503, true));
    assert!(!env.verifier.ready());
    // The verifier still distinguishes errors that need no key from those that do.
    assert_eq!(env.verify("no token").await.unwrap_err().status(), 401);
    env.publish(&[&key]);
    env.clock.advance(seconds(31));
    assert!(env.accepts(&key).await, "it recovers by itself");
}

#[tokio::test]
async fn unknown_key_during_an_outage_gives_503() {
    let (known, other) = (Key::new("k1"), Key::new("k2"));
    let env = TestEnv::with(&[&known]).await;
    assert!(env.accepts(&known).await);
    env.server.remove(JWKS);
    env.clock.advance(seconds(11));
    assert!(is_not_ready(&env.error(&other).await));
    assert!(is_not_ready(&env.error(&other).await), "also without a further fetch");
    assert!(env.accepts(&known).await);
    assert_eq!(env.server.requests(), 2);
}

#[tokio::test]
async fn unchanged_key_set_is_revalidated_by_etag() {
    let key = Key::new("k1");
    let env = TestEnv::new().await;
    let mut page = Page::ok(CACHED, key_set(&[&key]));
    page.headers.push_str("etag: \"1\"\r\n");
    env.server.publish(JWKS, page);
    assert!(env.accepts(&key).await);
    env.clock.advance(seconds(400));
    assert!(env.accepts(&key).await);
    assert!(env.server.last_head().contains("if-none-match: \"1\"\r\n"), "{}", env.server.last_head());
    env.clock.advance(seconds(200));
    assert!(env.accepts(&key).await);
    assert_eq!(env.server.requests(), 2, "a 304 makes the keys fresh again");
}

#[tokio::test]
async fn verify_now_gives_503_until_keys_are_fetched() {
    let key = Key::new("k1");
    let env = TestEnv::with(&[&key]).await;
    let token = env.token(&key);
    let now = || env.verifier.verify_now::<Value>(&token).map(|_| ()).map_err(|refusal| refusal.status());
    assert_eq!(now(), Err(503));
    env.fetched(1).await;
    assert_eq!(now(), Ok(()));
    let verifier = env.verifier.clone();
    let outside = std::thread::spawn(move || verifier.verify_now::<Value>(&token).is_ok());
    assert!(outside.join().unwrap(), "without a runtime");
    env.clock.advance(seconds(10_000));
    let token = env.token(&key);
    assert_eq!(env.verifier.verify_now::<Value>(&token).unwrap_err().status(), 503);
}

#[tokio::test]
async fn caller_waits_at_most_two_seconds_for_keys() {
    let key = Key::new("k1");
    let env = TestEnv::new().await;
    env.server.publish(JWKS, Page { delay: seconds(60), ..Page::ok(CACHED, key_set(&[&key])) });
    let begun = std::time::Instant::now();
    assert!(is_not_ready(&env.error(&key).await));
    assert!(begun.elapsed() < Duration::from_millis(2_900), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn keys_are_found_only_through_matching_metadata() {
    let key = Key::new("k1");
    let (server, clock) = (Server::start().await, TestClock::default());
    server.publish(JWKS, Page::ok(CACHED, key_set(&[&key])));
    let issuer = format!("{}/api/v1/tenant/acme", server.origin);
    let metadata =
        |name: &str| json!({ "issuer": name, "jwks_uri": format!("{}{JWKS}", server.origin) }).to_string();
    let verifier = || builder(&clock).issuer(Trusted::issuer(issuer.as_str())).build().unwrap();
    let token = key.token(&issuer, clock.seconds());
    const INSERTED: &str = "/.well-known/oauth-authorization-server/api/v1/tenant/acme";
    const APPENDED: &str = "/api/v1/tenant/acme/.well-known/oauth-authorization-server";
    for place in [INSERTED, APPENDED] {
        server.publish(place, Page::ok("", metadata(&issuer)));
        assert!(verifier().verify::<Value>(&token).await.is_ok(), "{place}");
        server.publish(place, Page::ok("", metadata(&format!("{issuer}/"))));
        assert_eq!(verifier().verify::<Value>(&token).await.unwrap_err().status(), 503, "{place}");
        server.remove(place);
    }
}

#[tokio::test]
async fn tenants_of_a_platform_have_their_own_keys() {
    let (acme, globex) = (Key::new("oauth2-key-1"), Key::new("oauth2-key-1"));
    let (server, clock) = (Server::start().await, TestClock::default());
    for (tenant, key) in [("acme", &acme), ("globex", &globex), ("initech", &globex)] {
        let path = format!("/api/v1/tenant/{tenant}/.well-known/jwks.json");
        server.publish(&path, Page::ok(CACHED, key_set(&[key])));
    }
    let is_known = |tenant: &str| ["acme", "globex"].contains(&tenant);
    let verifier = builder(&clock).platform(server.origin.as_str(), is_known).build().unwrap();
    let issuer = |tenant: &str| format!("{}/api/v1/tenant/{tenant}", server.origin);
    let verify = async |token: String| verifier.verify::<Value>(&token).await;
    let (at, invalid) = (clock.seconds(), |error| Err(Reason::Token(error)));
    for (tenant, own, other) in [("acme", &acme, &globex), ("globex", &globex, &acme)] {
        let caller = verify(own.token(&issuer(tenant), at)).await.unwrap();
        assert_eq!(caller.tenant(), Some(tenant));
        let of_other = outcome(verify(other.token(&issuer(tenant), at)).await);
        assert_eq!(of_other, invalid(TokenError::SignatureInvalid), "{tenant}");
    }
    let requests = server.requests();
    for name in [issuer("initech"), issuer("../acme"), issuer("acme/"), issuer("ACME"), server.origin.clone()]
    {
        let found = outcome(verify(globex.token(&name, at)).await);
        assert_eq!(found, invalid(TokenError::ForeignIssuer), "{name}");
    }
    assert_eq!(server.requests(), requests, "nothing is fetched for an issuer that is not trusted");
}
