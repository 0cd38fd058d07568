//! No endpoint accepts a token that is signed with an announced key before the key is active.
//! Otherwise somebody who has the private key of an imported key could sign with it immediately.

use keys::{KeyRecord, SigningKeyStore as _};

use crate::applications::{assertion, declare_admin};
use crate::prelude::*;

/// Seconds until the announced key becomes active.
const ACTIVATION: u64 = 600;

/// Announces the key `oauth2-key-2`. The attacker has its private key.
async fn announce(app: &TestApp, tenant: &str) {
    let id = fixtures::tenant_id(tenant);
    let active_from = fixtures::NOW + Lifetime::from_seconds(ACTIVATION);
    let record = attacker(tenant).record_as(2, &id, &app.sealing_key);
    assert!(app.store.add_key(&id, &KeyRecord { active_from, ..record }).await.unwrap());
}

fn attacker(tenant: &str) -> Forge {
    if tenant == PLATFORM { Forge::other_foreign() } else { Forge::foreign() }
}

/// A token of the tenant that the attacker has signed.
fn sign(tenant: &str, typ: &str, claims: &Value) -> String {
    attacker(tenant).token_with(&but(header(), json!({ "kid": "oauth2-key-2", "typ": typ })), claims)
}

/// The endpoints that accept tokens of the announced key.
async fn opened(test_env: &TestEnv, tenant: &str, assertion: &Value) -> Vec<&'static str> {
    let app = &test_env.app;
    let mut opened = Vec::new();
    let token = sign(tenant, "at+jwt", &claims(tenant));
    if app.get_with(&token, RESOURCE).await.status == 200 {
        opened.push("protected resource");
    }
    if app.is_active(tenant, &token).await {
        opened.push("introspection");
    }
    let boss = sign(tenant, "at+jwt", &admin_claims(tenant, BOSS, "latchkey:clients"));
    if test_env.get(&boss, &clients_path(tenant)).await.status == 200 {
        opened.push("administration of the tenant");
    }
    let ops = sign(PLATFORM, "at+jwt", &admin_claims(PLATFORM, OPS, "latchkey:tenants"));
    if test_env.get(&ops, TENANTS).await.status == 200 {
        opened.push("administration");
    }
    if test_env.get(&sign(tenant, "latchkey-admin+jwt", assertion), "/applications").await.status == 200 {
        opened.push("applications");
    }
    opened
}

// [found 1]
#[tokio::test]
async fn announced_key_is_accepted_only_once_active() {
    for tenant in [ACME, GLOBEX] {
        let test_env = TestEnv::over(TestApp::start_with(&options(tenant)));
        let app = &test_env.app;
        declare_admin(app);
        let assertion = claims_of(&assertion(app, "admin").await);
        for id in [tenant, PLATFORM] {
            announce(app, id).await;
        }
        let skew = crate::client_fixtures::tenant(tenant).signing.skew.seconds();
        let nothing: [&str; 0] = [];
        assert_eq!(opened(&test_env, tenant, &assertion).await, nothing);
        let both = ["oauth2-key-1", "oauth2-key-2"];
        assert_eq!(published(&test_env, tenant).await, both, "others see it coming");
        app.pass(ACTIVATION - skew - 1);
        assert_eq!(opened(&test_env, tenant, &assertion).await, nothing);
        app.pass(1);
        let all = [
            "protected resource",
            "introspection",
            "administration of the tenant",
            "administration",
            "applications",
        ];
        assert_eq!(opened(&test_env, tenant, &assertion).await, all, "a clock may be ahead by the skew");
        assert!(Timestamp::from_seconds(app.now()) < fixtures::NOW + Lifetime::from_seconds(ACTIVATION));
    }
}
