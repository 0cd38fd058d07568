//! A revocation by an administrator invalidates the tokens issued before it, in one tenant only.

use crate::device::authorize_device;
use crate::prelude::*;

async fn actions(test_env: &TestEnv, boss: &str, tenant: &str) -> Vec<(Value, Value)> {
    let records = test_env.get(boss, &tenant_path(tenant, "/audit")).await.json();
    let record = |record: &Value| (record["action"].clone(), record["subject"].clone());
    records["items"].as_array().unwrap().iter().map(record).collect()
}

#[tokio::test]
async fn revoking_a_clients_tokens_keeps_its_next_token_valid() {
    let test_env = TestEnv::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let boss = test_env.token(tenant, BOSS).await;
        let (token, theirs) = (test_env.app.token(tenant).await, test_env.app.token(other).await);
        let of_plain = test_env.app.token_of(tenant, PLAIN).await;
        let path = format!("{}/{SVC}/tokens/revoke", clients_path(tenant));
        let foreign = format!("{}/{SVC}/tokens/revoke", clients_path(other));
        assert_eq!(test_env.step(&boss, &foreign).await.status, 401);
        assert!(test_env.app.is_active(tenant, &token).await);
        assert_eq!(test_env.step(&boss, &path).await.json_of(200)["status"], "active");
        assert!(!test_env.app.is_active(tenant, &token).await);
        assert!(test_env.app.is_active(tenant, &of_plain).await);
        assert!(test_env.app.is_active(other, &theirs).await);
        assert!(test_env.app.is_active(tenant, &test_env.app.token(tenant).await).await);
        assert_eq!(actions(&test_env, &boss, tenant).await[0], (json!("client.tokens_revoked"), json!(SVC)));
        let missing = format!("{}/nobody/tokens/revoke", clients_path(tenant));
        test_env.step(&boss, &missing).await.assert_problem(404, "not-found");
        test_env.app.pass(2);
    }
}

#[tokio::test]
async fn revoking_a_tenants_tokens_includes_its_administrators() {
    let test_env = TestEnv::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let (ops, boss) = (test_env.token(PLATFORM, OPS).await, test_env.token(tenant, BOSS).await);
        let (token, theirs) = (test_env.app.token(tenant).await, test_env.app.token(other).await);
        let path = format!("{TENANTS}/{tenant}/tokens/revoke");
        test_env.step(&boss, &path).await.assert_problem(401, "invalid-token");
        assert!(test_env.app.is_active(tenant, &token).await);
        assert_eq!(test_env.step(&ops, &path).await.json_of(200)["status"], "active");
        test_env.get(&boss, &clients_path(tenant)).await.assert_problem(401, "invalid-token");
        assert!(!test_env.app.is_active(tenant, &token).await);
        assert!(test_env.app.is_active(other, &theirs).await);
        let boss = test_env.token(tenant, BOSS).await;
        assert_eq!(test_env.get(&boss, &clients_path(tenant)).await.status, 200);
        let expected = (json!("tenant.tokens_revoked"), json!(tenant));
        assert_eq!(actions(&test_env, &boss, tenant).await[0], expected);
        test_env.app.pass(2);
    }
}

// [introspection RFC 7662 §4 b]
#[tokio::test]
async fn revoked_secret_revokes_only_its_own_tokens() {
    let test_env = TestEnv::start();
    for (tenant, boss) in test_env.of_each(BOSS).await {
        let made = test_env.post(&boss, &clients_path(tenant), json!({ "client_id": "web" })).await.json();
        let first = made["secret"]["client_secret"].as_str().unwrap();
        let path = format!("{}/web/secrets", clients_path(tenant));
        let second = test_env.step(&boss, &path).await.json();
        let [by_first, by_second] = [first, second["client_secret"].as_str().unwrap()];
        let of_first = test_env.app.fetch(tenant, "web", by_first).await.access_token();
        let of_second = test_env.app.fetch(tenant, "web", by_second).await.access_token();
        let id = made["secret"]["id"].as_str().unwrap();
        assert_eq!(test_env.delete(&boss, &format!("{path}/{id}")).await.status, 200);
        assert!(!test_env.app.is_active(tenant, &of_first).await);
        assert!(test_env.app.is_active(tenant, &of_second).await);
        let next = test_env.app.fetch(tenant, "web", by_second).await;
        assert!(test_env.app.is_active(tenant, &next.access_token()).await);
    }
}

/// The request read its client before the suspension, and the revocations after it. It gets the
/// same answer as a suspended client.
#[tokio::test]
async fn request_during_a_suspension_is_refused() {
    let test_env = TestEnv::start();
    let app = &test_env.app;
    for (tenant, other) in BOTH {
        furnish(app, tenant, |client| {
            public(client);
            client.grant_types.push(GrantType::DeviceCode);
        });
        let later = app.fetch(tenant, SUSPENDED, app.secrets(tenant).of(SUSPENDED)).await;
        later.assert_unauthenticated();
        let mut browser = Browser::new(app);
        let page = browser.authorize(tenant, &[("scope", "openid")]).await;
        let until = Timestamp::from_seconds(app.now() + 1_000);
        for subject in ["web", SVC].map(|id| RevokedSubject::Client(fixtures::client_id(id))) {
            app.store.revoke_people(&fixtures::tenant_id(tenant), &subject, None, until).await.unwrap();
        }
        let refused = app.fetch(tenant, SVC, app.secrets(tenant).of(SVC)).await;
        refused.assert_unauthenticated();
        assert_eq!(refused.header("www-authenticate"), later.header("www-authenticate"));
        authorize_device(app, tenant, &[]).await.assert_unauthenticated();
        let fields = [("identifier", EMAIL), ("password", PASSWORD)];
        let page = browser.fill_in(&tenant_path(tenant, "/oauth/sign-in"), &page, &fields).await;
        assert_eq!((page.status, page.header("location")), (400, ""), "{}", page.body);
        assert!(page.body.contains("unauthorized_client"), "{}", page.body);
        app.fetch(tenant, PLAIN, app.secrets(tenant).of(PLAIN)).await.assert_status(200);
        let all = RevokedSubject::Tenant;
        app.store.revoke_people(&fixtures::tenant_id(tenant), &all, None, until).await.unwrap();
        app.fetch(tenant, PLAIN, app.secrets(tenant).of(PLAIN)).await.assert_unauthenticated();
        app.fetch(other, PLAIN, app.secrets(other).of(PLAIN)).await.assert_status(200);
        app.pass(1_001);
    }
}
