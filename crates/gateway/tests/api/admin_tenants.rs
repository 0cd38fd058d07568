//! `/api/v1/admin/tenants…`: a tenant from creation to deletion.

use crate::administrators::refuses_searches;
use crate::prelude::*;

/// Seconds between the two steps of a deletion.
const GRACE: u64 = 30 * 86_400;

#[tokio::test]
async fn new_tenant_issues_tokens_to_its_first_client() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for id in ["initech", "umbrella"] {
        let body = json!({
            "id": id, "name": "A company", "access_token": { "lifetime": 60 },
            "resource_servers": { "orders": { "scopes": ["orders:read"] } },
            "client": { "client_id": "billing", "scopes": ["orders:read"], "audiences": ["orders"] },
        });
        let made = test_env.post(&ops, TENANTS, body).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.assert_not_stored();
        assert_eq!(made.header("location"), format!("{TENANTS}/{id}"));
        let tenant = made.json();
        assert_eq!((&tenant["id"], &tenant["status"]), (&json!(id), &json!("active")));
        assert_eq!((&tenant["managed_by"], &tenant["name"]), (&json!("api"), &json!("A company")));
        for (name, path) in
            [("issuer", ""), ("jwks_uri", "/.well-known/jwks.json"), ("token_endpoint", "/oauth/token")]
        {
            assert_eq!(tenant[name], format!("{PUBLIC_URL}{}", tenant_path(id, path)));
        }
        let secret = tenant["client"]["secret"]["client_secret"].as_str().unwrap();
        assert!(secret.starts_with("lk_"));
        assert!(test_env.opens(id, "billing", secret).await);

        let looked = test_env.get(&ops, made.header("location")).await;
        assert_eq!((looked.status, looked.header("etag")), (200, made.header("etag")));
        assert!(!looked.body.contains(secret));
        let other = if id == "initech" { "umbrella" } else { ACME };
        assert!(!test_env.opens(other, "billing", secret).await, "{id}'s secret at {other}");
    }
}

#[tokio::test]
async fn tenant_patch_changes_only_what_it_names() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for id in ["initech", "umbrella"] {
        let path = format!("{TENANTS}/{id}");
        test_env.post(&ops, TENANTS, json!({ "id": id, "name": "Before", "stale_if_error": 7 })).await;
        let patched =
            test_env.patch(&ops, &path, json!({ "name": "After", "signing": { "skew": 30 } })).await;
        assert_eq!(patched.status, 200, "{}", patched.body);
        let tenant = patched.json();
        assert_eq!((&tenant["name"], &tenant["stale_if_error"]), (&json!("After"), &json!(7)));
        assert_eq!(tenant["signing"]["skew"], 30);
        assert_eq!(test_env.get(&ops, &path).await.json(), tenant);
        assert_eq!(test_env.patch(&ops, &path, json!({ "name": null })).await.json()["name"], id);
        for servers in [
            json!({ "b": {}, "a": { "scopes": ["read"] } }),
            json!({ "a": { "scopes": ["write"] }, "b": null }),
            json!({ "b": {} }),
        ] {
            let before = test_env.app.store.calls().administration;
            let patched = test_env.patch(&ops, &path, json!({ "resource_servers": servers })).await;
            let calls = test_env.app.store.calls().administration - before;
            assert!(calls <= 3, "rows, owners of issuers, commit: {calls}");
            assert_eq!(test_env.get(&ops, &path).await.json(), patched.json_of(200));
        }
    }
    for declared in [ACME, GLOBEX] {
        let path = format!("{TENANTS}/{declared}");
        test_env.patch(&ops, &path, json!({ "name": "x" })).await.assert_problem(409, "conflict");
    }
}

#[tokio::test]
async fn scheduled_deletion_can_be_cancelled() {
    let (test_env, ops) = TestEnv::with_ops().await;
    let due_at = |before: u64| Timestamp::from_seconds(test_env.app.now() + GRACE - before);
    let delete_due = async |at| test_env.app.administrator.delete_due_tenants(at).await.unwrap();
    for id in ["initech", "umbrella"] {
        let path = format!("{TENANTS}/{id}");
        let made =
            test_env.post(&ops, TENANTS, json!({ "id": id, "client": { "client_id": "svc" } })).await.json();
        let secret = made["client"]["secret"]["client_secret"].as_str().unwrap();
        test_env.delete(&ops, &format!("{path}?final=true")).await.assert_problem(409, "conflict");
        assert!(test_env.opens(id, "svc", secret).await);

        let first = test_env.delete(&ops, &path).await;
        assert_eq!((first.status, &first.json()["status"]), (202, &json!("deleting")), "{}", first.body);
        assert_eq!(first.json()["deletion_due_at"], due_at(0).to_rfc3339());
        assert_eq!(test_env.get(&ops, &path).await.json(), first.json());
        assert!(!test_env.opens(id, "svc", secret).await);
        let restored = test_env.step(&ops, &format!("{path}/restore")).await.json_of(200);
        assert_eq!((&restored["status"], &restored["deletion_due_at"]), (&json!("active"), &Value::Null));
        assert!(test_env.opens(id, "svc", secret).await);
        assert_eq!(delete_due(due_at(0)).await, 0, "it was restored");

        assert_eq!(test_env.delete(&ops, &path).await.status, 202);
        if id == "initech" {
            let second = test_env.delete(&ops, &format!("{path}?final=true")).await;
            assert_eq!((second.status, second.body.as_str()), (204, ""));
        } else {
            for (before, deleted) in [(1, 0), (0, 1), (0, 0)] {
                assert_eq!(delete_due(due_at(before)).await, deleted, "{before}");
            }
            let last = test_env.app.store.audit().pop().unwrap();
            assert_eq!((last.actor.as_str(), last.action.as_str()), ("latchkey", "tenant.deleted"));
        }
        test_env.get(&ops, &path).await.assert_problem(404, "not-found");
        test_env.post(&ops, TENANTS, json!({ "id": id })).await.assert_problem(409, "conflict");
    }
    for declared in [ACME, GLOBEX, PLATFORM] {
        let path = format!("{TENANTS}/{declared}");
        test_env.delete(&ops, &path).await.assert_problem(409, "conflict");
        test_env.delete(&ops, &format!("{path}?final=perhaps")).await.assert_problem(400, "invalid-request");
    }
}

// [rfc9700 §4.4]
#[tokio::test]
async fn id_and_issuer_belong_to_one_tenant() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for id in [ACME, GLOBEX] {
        test_env.post(&ops, TENANTS, json!({ "id": id })).await.assert_problem(409, "conflict");
        let theirs = format!("{PUBLIC_URL}{}", tenant_path(id, ""));
        let stolen = test_env.post(&ops, TENANTS, json!({ "id": "thief", "issuer": theirs })).await;
        assert!([400, 409].contains(&stolen.status), "{}", stolen.body);
        let aliased =
            test_env.post(&ops, TENANTS, json!({ "id": "thief", "issuer_aliases": [theirs] })).await;
        assert!([400, 409].contains(&aliased.status), "{}", aliased.body);
    }
    for id in ["platform", "", "Acme", "-a", "a/b", "a b", &"a".repeat(64)] {
        let refused = test_env.post(&ops, TENANTS, json!({ "id": id })).await;
        assert!([400, 409].contains(&refused.status), "{id:?} {}", refused.body);
        assert_eq!(refused.header("content-type"), "application/problem+json");
    }
    test_env.get(&ops, &format!("{TENANTS}/initech")).await.assert_problem(404, "not-found");
    test_env.get(&ops, &format!("{TENANTS}/ACME")).await.assert_problem(404, "not-found");
}

#[tokio::test]
async fn search_finds_tenants_by_words_of_id_or_name() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for (id, name) in [("t-1", "Blue Shop"), ("t-2", "Red shop"), ("shopping", "Other")] {
        test_env.post(&ops, TENANTS, json!({ "id": id, "name": name })).await;
    }
    for (search, expected) in [
        ("shop", vec!["shopping", "t-1", "t-2"]),
        ("SHOP", vec!["shopping", "t-1", "t-2"]),
        ("red%20shop", vec!["t-2"]),
        ("hop", vec![]),
        ("nobody", vec![]),
    ] {
        let body = test_env.get(&ops, &format!("{TENANTS}?search={search}")).await.json();
        let mut found: Vec<_> = column(&body, "id");
        found.sort_unstable();
        assert_eq!(found, expected, "{search}");
    }
    refuses_searches(&test_env, &ops, TENANTS).await;
}

/// An issuer must not be at a route, such as `{public_url}/console`, and not above or below the issuer of
/// another tenant.
#[tokio::test]
async fn issuer_at_a_route_or_another_issuer_is_refused() {
    let (test_env, ops) = TestEnv::with_ops().await;
    let issuer = |path: &str| json!({ "issuer": format!("{PUBLIC_URL}{path}") });
    let add = async |id: &str, path: &str| {
        let new = json!({ "id": id, "issuer": issuer(path)["issuer"] });
        test_env.post(&ops, TENANTS, new).await
    };
    let patch =
        async |id: &str, path: &str| test_env.patch(&ops, &format!("{TENANTS}/{id}"), issuer(path)).await;
    add("blue", "/login/blue").await.assert_status(201);
    let refused = ["/console", "/api", "/login/blue/", "/login/blue/x", "/login", "/login/"];
    for path in refused {
        assert_eq!(add("red", path).await.pointers(), ["/issuer"], "{path}");
    }
    add("red", "/login-blue").await.assert_status(201);
    for path in refused {
        assert_eq!(patch("red", path).await.pointers(), ["/issuer"], "{path}");
    }
    // An issuer may be below the tenant's own previous issuer.
    patch("blue", "/login").await.assert_status(200);
    patch("blue", "/login/blue/x").await.assert_status(200);
    assert_eq!(patch("red", "/login").await.pointers(), ["/issuer"]);
}
