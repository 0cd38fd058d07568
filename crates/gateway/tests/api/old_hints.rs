//! After its signing key is removed, an ID token stays a valid hint for the maximum duration of a
//! session and 30 days. The key verifies nothing else.

use crate::admin_key_commands::rotate;
use crate::admin_keys::{PUBLICATION, one};
use crate::prelude::*;

const DAY: u64 = 86_400;
/// How long a removed key verifies hints: the longest session of this test, and 30 days.
const KEPT: u64 = (40 + 30) * DAY;

/// Two tenants with sessions of up to 40 days, and the secrets of their clients.
fn two_tenants() -> (TestEnv, [String; 2]) {
    let test_env = TestEnv::start();
    let secrets = [ACME, GLOBEX].map(|tenant| {
        let secret = furnish(&test_env.app, tenant, |_| ());
        test_env.app.change_provider(tenant, |tenant| {
            let span = Lifetime::from_seconds(40 * DAY);
            (tenant.sign_in.session.idle, tenant.sign_in.session.absolute) = (span, span);
        });
        secret
    });
    (test_env, secrets)
}

async fn sign_in(browser: &mut Browser<'_>, app: &TestApp, tenant: &str, secret: &str) -> Value {
    let code = browser.code(tenant, &[]).await;
    redeem(app, tenant, secret, &code).await.json()
}

fn id_token(tokens: &Value) -> &str {
    tokens["id_token"].as_str().unwrap()
}

/// Rotates the key. Afterwards the previous key is retired; it is removed after the same time
/// again.
async fn replace_key(test_env: &TestEnv, tenant: &str) {
    assert_eq!(rotate(test_env, &test_env.token(tenant, KEEPER).await, tenant, json!({})).await.status, 200);
    test_env.app.pass(PUBLICATION);
}

/// Whether the tenant accepts the hint.
async fn is_hint(test_env: &TestEnv, tenant: &str, hint: &str) -> bool {
    let answer = Browser::new(&test_env.app).authorize(tenant, &[("id_token_hint", hint)]).await;
    assert!(matches!(answer.status, 200 | 400), "{} {}", answer.status, answer.body);
    answer.status == 200
}

/// Tokens that the tenant's removed key 1 signs now, of a client and of this person.
fn signed_now(test_env: &TestEnv, tenant: &str, access_token: &Value) -> [String; 2] {
    let now = test_env.app.now();
    let times = json!({ "iat": now, "nbf": now, "exp": now + 600 });
    let of_person = claims_of(access_token.as_str().unwrap());
    [claims(tenant), of_person].map(|claims| Forge::from_tenant(tenant).token(&but(claims, times.clone())))
}

// [sign-out Logout §2 d]
#[tokio::test]
async fn id_token_stays_a_hint_after_key_removal() {
    let (test_env, secrets) = two_tenants();
    let app = &test_env.app;
    for ([own, other], secret) in [([ACME, GLOBEX], &secrets[0]), ([GLOBEX, ACME], &secrets[1])] {
        let mut browser = Browser::new(app);
        let tokens = sign_in(&mut browser, app, own, secret).await;
        let hint = id_token(&tokens);
        assert!(part(hint, 0).contains("oauth2-key-1"));
        let accepted = async |[machine, person]: [String; 2]| {
            (test_env.app.is_active(own, &machine).await, app.userinfo(own, &person).await.status)
        };
        assert_eq!(accepted(signed_now(&test_env, own, &tokens["access_token"])).await, (true, 200));

        replace_key(&test_env, own).await;
        app.pass(PUBLICATION);
        assert_eq!(published(&test_env, own).await, ["oauth2-key-2"]);
        assert_eq!(accepted(signed_now(&test_env, own, &tokens["access_token"])).await, (false, 401));
        let granted = location(&browser.authorize(own, &[("prompt", "none"), ("id_token_hint", hint)]).await);
        assert!(granted.as_str().starts_with(CALLBACK) && !parameter(&granted, "code").is_empty());
        assert!(!is_hint(&test_env, other, hint).await);

        // The private key is destroyed. Only hints still use the row.
        replace_key(&test_env, own).await;
        let keeper = test_env.token(own, KEEPER).await;
        let first = &test_env.get(&keeper, &keys_path(own)).await.json()["items"][0];
        assert_eq!((&first["kid"], &first["destroyed"]), (&json!("oauth2-key-1"), &json!(true)));
        let reads = app.store.calls().find_key;
        assert!(is_hint(&test_env, own, hint).await);
        assert_eq!(app.store.calls().find_key - reads, 1);
        let [header, claims] = [0, 1].map(|nth| serde_json::from_str::<Value>(&part(hint, nth)).unwrap());
        assert!(!is_hint(&test_env, own, &Forge::foreign().token_with(&header, &claims)).await);
        let claims = but(claims, json!({ "iss": issuer(other) }));
        assert!(!is_hint(&test_env, other, &Forge::from_tenant(own).token_with(&header, &claims)).await);
        assert!(is_hint(&test_env, other, &Forge::from_tenant(other).token_with(&header, &claims)).await);
        let out = format!("/oauth/logout?id_token_hint={hint}&post_logout_redirect_uri={SIGNED_OUT}");
        assert_eq!(location(&browser.get(&tenant_path(own, &out)).await).as_str(), SIGNED_OUT);
        assert_eq!(browser.authorize(own, &[]).await.status, 200, "the person is signed out");
    }
}

// [V6 6.2.10]: 2 | A password does not expire | No rule reads its age; the test signs in with one that is 70
//   days old
// [sign-out Logout §2 d]
#[tokio::test]
async fn removed_key_eventually_verifies_no_hints() {
    let (test_env, secrets) = two_tenants();
    for (tenant, secret) in [ACME, GLOBEX].into_iter().zip(&secrets) {
        // This key was created by a rotation.
        replace_key(&test_env, tenant).await;
        let tokens = sign_in(&mut Browser::new(&test_env.app), &test_env.app, tenant, secret).await;
        replace_key(&test_env, tenant).await;
        let key = test_env.get(&test_env.token(tenant, KEEPER).await, &one(tenant, 2)).await.json();
        // The key is retired for the lifetime of tokens (an hour), the clock skew, and the cache
        // time of the key set.
        assert_eq!(key["state"], "retiring", "{key}");
        test_env.app.pass(3_600 + 60 + 300);
        assert_eq!(published(&test_env, tenant).await, ["oauth2-key-3"]);
        test_env.app.pass(KEPT - 1);
        assert!(is_hint(&test_env, tenant, id_token(&tokens)).await);
        test_env.app.pass(1);
        assert!(!is_hint(&test_env, tenant, id_token(&tokens)).await);
    }
}
