//! The rate limit for writes of administrators.

use testkit::fixtures::NOW;

use crate::prelude::*;

// [limits #26]: writes of administrators | `limits.admin_writes`, 600/min for a tenant's,
//   `limits.platform_writes`, 60000/min for the platform's; without Redis, at each replica | 429 with
//   `Retry-After`
// [found 7]
#[tokio::test]
async fn administrators_of_a_tenant_share_one_write_budget() {
    let test_env = TestEnv::over(TestApp::start_with_writes(&options(ACME), 3, 4));
    let [acme, keeper, globex, ops] =
        [(ACME, BOSS), (ACME, KEEPER), (GLOBEX, BOSS), (PLATFORM, OPS)].map(|(tenant, who)| (tenant, who));
    let token = async |(tenant, who): (&str, &str)| test_env.token(tenant, who).await;
    let (acme, keeper, globex, ops) =
        (token(acme).await, token(keeper).await, token(globex).await, token(ops).await);
    let path = clients_path(ACME);
    assert_eq!(test_env.post(&acme, &path, json!({ "client_id": "web" })).await.status, 201);
    // Refused writes count, too.
    assert_eq!(test_env.post(&acme, &path, json!({ "client_id": "" })).await.status, 400);
    assert_eq!(test_env.delete(&acme, &format!("{path}/nobody")).await.status, 404);
    for (token, path) in [(&acme, path.clone()), (&keeper, format!("{}/rotate", keys_path(ACME)))] {
        let refused = test_env.post(token, &path, json!({})).await;
        assert_eq!(refused.status, 429, "{path}: {}", refused.body);
        assert_eq!(refused.json()["type"], "urn:latchkey:problem:too-many-writes");
        assert_eq!(refused.header("retry-after"), (60 - NOW.seconds() % 60).to_string());
    }
    assert_eq!(test_env.get(&acme, &path).await.status, 200, "reading is no write");
    assert_eq!(test_env.post(&globex, &clients_path(GLOBEX), json!({})).await.status, 201);
    for _ in 0..4 {
        assert_eq!(test_env.post(&ops, &path, json!({})).await.status, 201);
    }
    assert_eq!(test_env.post(&ops, &clients_path(GLOBEX), json!({})).await.status, 429);
    test_env.app.pass(60);
    assert_eq!(test_env.post(&acme, &path, json!({})).await.status, 201);
}
