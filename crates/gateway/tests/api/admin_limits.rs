//! The limits of a single tenant.

use crate::prelude::*;

// [limits #23]: clients of a tenant | `limits.clients`, 10000, of the tenant or the platform | 409; existing
//   rows stay valid
#[tokio::test]
async fn client_limit_of_a_tenant_overrides_the_platform() {
    let (test_env, ops) = TestEnv::with_ops().await;
    let small = json!({ "id": "small", "limits": { "clients": 2 }, "client": { "client_id": "a" } });
    assert_eq!(test_env.post(&ops, TENANTS, small).await.json_of(201)["limits"]["clients"], 2);
    for (tenant, id, status) in
        [("small", "b", 201), ("small", "c", 409), (ACME, "b", 201), (ACME, "c", 201), (GLOBEX, "c", 201)]
    {
        let answer = test_env.post(&ops, &clients_path(tenant), json!({ "client_id": id })).await;
        assert_eq!(answer.status, status, "{tenant} {id}: {}", answer.body);
        if status == 409 {
            let problem = answer.json();
            assert_eq!(problem["type"], "urn:latchkey:problem:limit-reached");
            assert!(text(&problem, "detail").contains("limits.clients of the tenant allows 2"), "{problem}");
        }
    }
    let scopes: Vec<_> = (0..101).map(|number| format!("s{number}")).collect();
    let many = test_env.post(&ops, &clients_path(ACME), json!({ "scopes": scopes })).await;
    many.assert_faulty(&["/scopes"]);
    // A tenant without its own limit has the limit of the platform.
    let path = format!("{TENANTS}/small");
    let patched = test_env.patch(&ops, &path, json!({ "limits": { "clients": null } })).await;
    assert_eq!(patched.json()["limits"]["clients"], json!(null), "{}", patched.body);
    test_env.post(&ops, &clients_path("small"), json!({ "client_id": "c" })).await.assert_status(201);
}

// [limits #26]
#[tokio::test]
async fn write_limit_of_a_tenant_overrides_the_platform() {
    let (test_env, ops) = TestEnv::with_ops().await;
    let mut acme = fixtures::tenant(ACME);
    acme.limits.admin_writes = "1/h".parse().ok();
    test_env.app.store.put_tenant(acme);
    for (tenant, statuses) in [(ACME, [201, 429]), (GLOBEX, [201, 201])] {
        let boss = test_env.token(tenant, BOSS).await;
        for status in statuses {
            let answer = test_env.post(&boss, &clients_path(tenant), json!({})).await;
            assert_eq!(answer.status, status, "{tenant}: {}", answer.body);
        }
    }
    // The platform's administrators have a separate limit.
    assert_eq!(test_env.post(&ops, &clients_path(ACME), json!({})).await.status, 201);
}

// [limits #23]
#[tokio::test]
async fn only_the_platform_sets_tenant_limits() {
    let test_env = TestEnv::start();
    let limits = json!({ "limits": { "clients": 1000 } });
    let boss = test_env.token(ACME, BOSS).await;
    let own = format!("{TENANTS}/{ACME}");
    assert_eq!(test_env.patch(&boss, &own, limits.clone()).await.status, 401);
    let [ops, clerk] = [test_env.token(PLATFORM, OPS).await, test_env.token(PLATFORM, CLERK).await];
    assert_eq!(test_env.get(&ops, &own).await.json()["limits"]["clients"], json!(null));
    assert_eq!(test_env.post(&ops, TENANTS, json!({ "id": "other" })).await.status, 201);
    let path = format!("{TENANTS}/other");
    assert_eq!(test_env.patch(&clerk, &path, limits.clone()).await.status, 403);
    assert_eq!(test_env.patch(&ops, &path, limits).await.status, 200);
    for (pointer, bad) in [
        ("/limits/clients", json!({ "clients": 0 })),
        ("/limits/admin_writes", json!({ "admin_writes": "9" })),
    ] {
        let refused = test_env.patch(&ops, &path, json!({ "limits": bad })).await;
        assert_eq!((refused.status, &refused.json()["errors"][0]["pointer"]), (400, &json!(pointer)));
    }
}
