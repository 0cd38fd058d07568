//! A verifier that remembers signatures makes every other check each time.

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
async fn a_remembered_token_is_refused_when_its_key_has_left_the_set_or_became_another_one() {
    for (next, error) in [("k2", TokenError::UnknownKey), ("k1", TokenError::SignatureInvalid)] {
        let env = env().await;
        let token = accepted(&env).await;
        let next = Key::new(next);
        env.server.publish(JWKS, Page::ok("max-age=3600", key_set(&[&next])));
        // The time is after the end of the time in which the old set may be used during a fetch.
        env.pass(3_661);
        assert_eq!(env.verify_token(&token).await, refused(error), "{}", next.kid);
        assert_eq!(env.verify_token(&next.token(ISSUER, env.clock.seconds())).await, Ok(()));
    }
}

#[tokio::test]
async fn a_remembered_token_is_refused_when_it_is_revoked() {
    let env = env().await;
    let token = accepted(&env).await;
    env.pass(11);
    env.publish(&env.feed("tokens", json!(["1"])));
    // The first use starts the poll.
    let _ = env.verify_token(&token).await;
    assert_eq!(env.verify_token(&token).await, REVOKED);
}

#[test]
fn a_remembered_token_of_one_issuer_is_none_of_another_and_is_never_a_bearer_token_if_it_is_bound() {
    let (clock, key) = (TestClock::default(), Key::new("k1"));
    let other = ISSUER.replace("acme", "globex");
    // Both tenants have one key. Only the issuer of the token tells them apart.
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
