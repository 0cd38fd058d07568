//! What an administrator ends, ends the tokens that were issued for it, in one tenant, and nothing else does.

use reqwest::Method;
use serde_json::{Value, json};

use crate::administrators::{BOSS, OPS, PLATFORM, TestEnv, ask, clients_path};
use crate::answer::Answer;
use crate::app::{ACME, GLOBEX, tenant_path, token_path};
use crate::client_fixtures::{AUDITOR, PLAIN, SVC};

async fn is_active(test_env: &TestEnv, tenant: &str, token: &str) -> bool {
    let app = &test_env.app;
    let request = app.request(Method::POST, &tenant_path(tenant, "/oauth/introspect"));
    let request = request.basic_auth(AUDITOR, Some(app.secrets(tenant).of(AUDITOR)));
    Answer::to(request.form(&[("token", token)])).await.json()["active"] == true
}

async fn token_for(test_env: &TestEnv, tenant: &str, client: &str, secret: &str) -> Answer {
    let form = [("grant_type", "client_credentials"), ("client_id", client), ("client_secret", secret)];
    test_env.app.post(&token_path(tenant), &form).await
}

fn access_token(answer: &Answer) -> String {
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

async fn actions(test_env: &TestEnv, boss: &str, tenant: &str) -> Vec<(Value, Value)> {
    let records = test_env.get(boss, &tenant_path(tenant, "/audit")).await.json();
    let record = |record: &Value| (record["action"].clone(), record["subject"].clone());
    records["items"].as_array().unwrap().iter().map(record).collect()
}

#[tokio::test]
async fn all_tokens_of_a_client_are_revoked_and_its_next_one_is_valid() {
    let test_env = TestEnv::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let boss = test_env.token(tenant, BOSS).await;
        let (token, theirs) = (test_env.app.token(tenant).await, test_env.app.token(other).await);
        let of_plain = test_env.app.token_of(tenant, PLAIN).await;
        let path = format!("{}/{SVC}/tokens/revoke", clients_path(tenant));
        let foreign = format!("{}/{SVC}/tokens/revoke", clients_path(other));
        assert_eq!(test_env.ask(&boss, ask(Method::POST, &foreign)).await.status, 401);
        assert!(is_active(&test_env, tenant, &token).await);
        let revoked = test_env.ask(&boss, ask(Method::POST, &path)).await;
        assert_eq!((revoked.status, &revoked.json()["status"]), (200, &json!("active")), "{}", revoked.body);
        assert!(!is_active(&test_env, tenant, &token).await);
        assert!(is_active(&test_env, tenant, &of_plain).await && is_active(&test_env, other, &theirs).await);
        let next = test_env.app.token(tenant).await;
        assert!(is_active(&test_env, tenant, &next).await);
        assert_eq!(actions(&test_env, &boss, tenant).await[0], (json!("client.tokens_revoked"), json!(SVC)));
        let missing = format!("{}/nobody/tokens/revoke", clients_path(tenant));
        test_env.ask(&boss, ask(Method::POST, &missing)).await.assert_problem(404, "not-found");
        test_env.app.pass(2);
    }
}

#[tokio::test]
async fn all_tokens_of_a_tenant_are_revoked_with_those_of_its_administrators() {
    let test_env = TestEnv::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let (ops, boss) = (test_env.token(PLATFORM, OPS).await, test_env.token(tenant, BOSS).await);
        let (token, theirs) = (test_env.app.token(tenant).await, test_env.app.token(other).await);
        let path = format!("/api/v1/admin/tenants/{tenant}/tokens/revoke");
        test_env.ask(&boss, ask(Method::POST, &path)).await.assert_problem(401, "invalid-token");
        assert!(is_active(&test_env, tenant, &token).await);
        let revoked = test_env.ask(&ops, ask(Method::POST, &path)).await;
        assert_eq!((revoked.status, &revoked.json()["status"]), (200, &json!("active")), "{}", revoked.body);
        test_env.get(&boss, &clients_path(tenant)).await.assert_problem(401, "invalid-token");
        assert!(!is_active(&test_env, tenant, &token).await && is_active(&test_env, other, &theirs).await);
        let boss = test_env.token(tenant, BOSS).await;
        assert_eq!(test_env.get(&boss, &clients_path(tenant)).await.status, 200);
        assert_eq!(
            actions(&test_env, &boss, tenant).await[0],
            (json!("tenant.tokens_revoked"), json!(tenant))
        );
        test_env.app.pass(2);
    }
}

#[tokio::test]
async fn a_revoked_secret_takes_its_tokens_with_it_and_no_others() {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        let boss = test_env.token(tenant, BOSS).await;
        let made = test_env.post(&boss, &clients_path(tenant), json!({ "client_id": "web" })).await.json();
        let first = made["secret"]["client_secret"].as_str().unwrap();
        let path = format!("{}/web/secrets", clients_path(tenant));
        let second = test_env.ask(&boss, ask(Method::POST, &path)).await.json();
        let [by_first, by_second] = [first, second["client_secret"].as_str().unwrap()];
        let of_first = access_token(&token_for(&test_env, tenant, "web", by_first).await);
        let of_second = access_token(&token_for(&test_env, tenant, "web", by_second).await);
        let id = made["secret"]["id"].as_str().unwrap();
        assert_eq!(test_env.delete(&boss, &format!("{path}/{id}")).await.status, 200);
        assert!(!is_active(&test_env, tenant, &of_first).await);
        assert!(is_active(&test_env, tenant, &of_second).await);
        let next = token_for(&test_env, tenant, "web", by_second).await;
        assert!(is_active(&test_env, tenant, &access_token(&next)).await);
    }
}

#[tokio::test]
async fn a_resumed_client_gets_new_tokens_and_its_old_ones_stay_revoked() {
    let test_env = TestEnv::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let boss = test_env.token(tenant, BOSS).await;
        let (token, theirs) = (test_env.app.token(tenant).await, test_env.app.token(other).await);
        let path = format!("{}/{SVC}", clients_path(tenant));
        for step in ["suspend", "resume"] {
            let answer = test_env.ask(&boss, ask(Method::POST, &format!("{path}/{step}"))).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            assert!(!is_active(&test_env, tenant, &token).await, "{step}");
        }
        assert!(is_active(&test_env, other, &theirs).await);
        let next = test_env.app.token(tenant).await;
        assert!(is_active(&test_env, tenant, &next).await);
        test_env.app.pass(2);
    }
}
