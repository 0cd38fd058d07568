//! Tests that a verifier which remembers signatures still makes every other check each time.

use latchkey_verifier::{Reason, TokenError, Trusted};
use serde_json::{Value, json};

use crate::issuer::{ISSUER, Key, Page, builder, key_set, keys_of};
use crate::revocations::{JWKS, REVOKED, TestEnv};
use crate::time::TestClock;

async fn env() -> TestEnv {
    let env = TestEnv::with(|builder| builder.remember(100)).await;
    env.publish(&env.feed("tokens", json!([])));
    env
}

/// A token that was accepted twice.
async fn accepted(env: &TestEnv) -> String {
    let token = env.key.token(ISSUER, env.clock.seconds() - 10);
    for _ in 0..2 {
        assert_eq!(env.verify_token(&token).await, Ok(()));
    }
    token
}

fn refused(error: TokenError) -> Result<(), Reason> {
    Err(Reason::Token(error))
}

#[tokio::test]
async fn a_remembered_token_expires() {
    let env = env().await;
    let now = env.clock.seconds();
    let token = env.key.token_with(ISSUER, now, "exp", json!(now + 2));
    assert_eq!(env.verify_token(&token).await, Ok(()));
    env.pass(1);
    assert_eq!(env.verify_token(&token).await, Ok(()));
    env.pass(1);
    assert_eq!(env.verify_token(&token).await, refused(TokenError::Expired));
}

#[tokio::test]
async fn remembered_token_is_refused_after_its_key_changes() {
    for (next, error) in [("k2", TokenError::UnknownKey), ("k1", TokenError::SignatureInvalid)] {
        let env = env().await;
        let token = accepted(&env).await;
        let next = Key::new(next);
        env.server.publish(JWKS, Page::ok("max-age=3600", key_set(&[&next])));
        // By now the verifier may no longer use the old set during a fetch.
        env.pass(3_661);
        assert_eq!(env.verify_token(&token).await, refused(error), "{}", next.kid);
        assert_eq!(env.verify_token(&next.token(ISSUER, env.clock.seconds())).await, Ok(()));
    }
}

#[tokio::test]
async fn remembered_token_is_refused_after_revocation() {
    let env = env().await;
    let token = accepted(&env).await;
    env.pass(11);
    env.publish(&env.feed("tokens", json!(["1"])));
    // The first use starts the poll.
    let _ = env.verify_token(&token).await;
    assert_eq!(env.verify_token(&token).await, REVOKED);
}

#[test]
fn remembered_token_keeps_its_issuer_and_binding() {
    let (clock, key) = (TestClock::default(), Key::new("k1"));
    let other = ISSUER.replace("acme", "globex");
    // Both tenants have the same key, so only the issuer distinguishes their tokens.
    let [acme, globex] = [(ISSUER, "acme"), (other.as_str(), "globex")]
        .map(|(issuer, tenant)| Trusted::issuer(issuer).key_set(keys_of(&key)).tenant(tenant));
    let verifier = builder(&clock).issuer(acme).issuer(globex).remember(100).build().unwrap();
    for _ in 0..2 {
        for (issuer, tenant) in [(ISSUER, "acme"), (other.as_str(), "globex")] {
            let caller = verifier.verify_now::<Value>(&key.token(issuer, clock.seconds())).unwrap();
            assert_eq!(caller.tenant(), Some(tenant));
        }
        let bound = key.token_with(ISSUER, clock.seconds(), "cnf", json!({ "jkt": "A".repeat(43) }));
        let refusal = verifier.verify_now::<Value>(&bound).unwrap_err();
        assert!(matches!(refusal.reason(), Reason::Sender(_)), "{refusal}");
    }
}
