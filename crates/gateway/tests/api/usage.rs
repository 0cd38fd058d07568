//! Usage: which requests are counted, for which tenants and clients, and who can read the counts.

use administration::audit::usage::UsageBatch;
use administration::store::UsageDays as _;

use crate::prelude::*;

/// Writes the counts to the store, as the program does every minute.
async fn write(app: &TestApp, number: u64) {
    let batch = UsageBatch { replica: "test".to_owned(), number, rows: app.usage.take(), now: fixtures::NOW };
    app.store.add_usage(&batch).await.unwrap();
}

/// Waits for the sums, because a request is counted after its response.
pub(crate) async fn assert_sums(test_env: &TestEnv, token: &str, path: &str, expected: Value) {
    let mut found = Value::Null;
    for number in 0..50 {
        static NUMBER: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
        write(&test_env.app, NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed)).await;
        found = test_env.get(token, path).await.json_of(200)["total"].clone();
        if found == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2 * number)).await;
    }
    assert_eq!(found, expected, "{path}");
}

#[tokio::test]
async fn requests_are_counted_for_their_client_and_tenant() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let test_env = TestEnv::start();
        let app = &test_env.app;
        let token = test_env.token(tenant, READER).await;
        let keys = Keys::new(&test_env, tenant).await;
        let key = keys.make(json!({ "name": "Nightly" })).await;
        // The tokens of the administrators are counted, too.
        let of_tenant = |path: &str| tenant_path(tenant, path);
        let form = |scope| [&credentials(SVC, app.secrets(tenant).of(SVC))[..], &[("scope", scope)]].concat();
        let issued = app.token(tenant).await;
        app.post(&token_path(tenant), &form("api:read")).await.text("access_token");
        keys.exchange(None, &[("client_secret", &key.text)]).await.text("access_token");
        for path in ["/oauth/introspect", "/oauth/revoke"] {
            assert_eq!(app.post_as((tenant, SVC), path, &[("token", &issued)]).await.status, 200);
        }
        app.post(&token_path(tenant), &form("nothing")).await.assert_error(400, "invalid_scope");
        for id in [SVC, "invented-1", "invented-2"] {
            assert_eq!(app.fetch(tenant, id, "wrong-secret-of-24-bytes").await.status, 401);
        }
        let of_client = json!({
            "issued": 3, "api_keys_exchanged": 1, "introspected": 1, "revoked": 1, "signed_in": 0, "refused": 2,
            "refused_by_reason": { "scope_not_registered": 1, "wrong_secret": 1 },
            "scopes_asked": { "api:read": 1 },
        });
        let path = of_tenant(&format!("/clients/{SVC}/usage"));
        assert_sums(&test_env, &token, &path, of_client.clone()).await;
        let whole = test_env.get(&token, &of_tenant("/usage")).await.json_of(200);
        assert_eq!(whole["total"]["refused_unknown"], json!({ "unknown_client": 2 }));
        assert_eq!(whole["total"]["refused"], json!(4));
        assert_eq!((&whole["busiest"][0]["id"], &whole["busiest"][0]["issued"]), (&json!(SVC), &json!(3)));

        // A client reads only its own usage, with its own credential.
        let own = app.post_as((tenant, SVC), "/oauth/usage", &[("by", "hour")]).await;
        own.assert_not_stored();
        let own = own.json_of(200);
        assert_eq!(own["total"], of_client);
        assert_eq!(own["periods"].as_array().unwrap().len(), 24);
        let of_plain = app.post_as((tenant, PLAIN), "/oauth/usage", &[]).await.json_of(200);
        assert_eq!(of_plain["total"]["issued"], json!(0));
        let foreign = [("client_id", SVC), ("client_secret", app.secrets(tenant).of(SVC))];
        app.post(&tenant_path(other, "/oauth/usage"), &foreign).await.assert_error(401, "invalid_client");
        let unfit = app.post_as((tenant, SVC), "/oauth/usage", &[("by", "year")]).await;
        unfit.assert_error(400, "invalid_request");

        for path in ["/usage".to_owned(), format!("/clients/{SVC}/usage")] {
            assert_eq!(test_env.get(&token, &tenant_path(other, &path)).await.status, 401);
        }
        assert_eq!(test_env.get(&token, &of_tenant("/clients/nobody/usage")).await.status, 404);
        assert_eq!(test_env.get(&token, "/api/v1/admin/usage").await.status, 401);
    }
}

#[tokio::test]
async fn platform_sees_the_usage_of_all_tenants() {
    let test_env = TestEnv::start();
    let token = test_env.token(PLATFORM, WATCHER).await;
    for tenant in [ACME, GLOBEX] {
        test_env.app.token(tenant).await;
    }
    // Includes the request of the administrator.
    let mut expected = json!({
        "issued": 3, "api_keys_exchanged": 0, "introspected": 0, "revoked": 0, "signed_in": 0, "refused": 0,
    });
    expected["scopes_asked"] = json!({});
    expected.as_object_mut().unwrap().retain(|_, value| *value != json!({}));
    assert_sums(&test_env, &token, "/api/v1/admin/usage", expected).await;
    let usage = test_env.get(&token, "/api/v1/admin/usage?by=day").await.json_of(200);
    let ids: Vec<_> = usage["busiest"].as_array().unwrap().iter().map(|busy| busy["id"].clone()).collect();
    assert_eq!(ids, [ACME, GLOBEX, PLATFORM]);
    for (query, pointer) in [
        ("by=month", "/by"),
        ("since=yesterday", "/since"),
        ("since=2001-01-01T00:00:00Z", "/since"),
        ("since=2100-01-01T00:00:00Z", "/until"),
    ] {
        test_env.get(&token, &format!("/api/v1/admin/usage?{query}")).await.assert_faulty(&[pointer]);
    }
}

#[tokio::test]
async fn advice_is_paged_by_client() {
    let test_env = TestEnv::start();
    for (tenant, reader) in test_env.of_each(READER).await {
        let path = tenant_path(tenant, "/advice");
        let whole = test_env.get(&reader, &format!("{path}?limit=200")).await.json_of(200);
        let (mut items, mut cursor) = (Vec::new(), String::new());
        for page in 0.. {
            assert!(page < 50, "{items:?}");
            let list = test_env.get(&reader, &format!("{path}?limit=3&cursor={cursor}")).await.json_of(200);
            items.extend(list["items"].as_array().unwrap().clone());
            match list["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        let sorted = |mut items: Vec<Value>| {
            items.sort_by_key(Value::to_string);
            items
        };
        assert!(!cursor.is_empty() && whole.get("next_cursor").is_none(), "{whole}");
        assert_eq!(sorted(items), sorted(whole["items"].as_array().unwrap().clone()));
        test_env.get(&reader, &format!("{path}?cursor=x")).await.assert_status(400);
    }
}

#[tokio::test]
async fn status_lists_tenants_with_upcoming_key_changes() {
    let test_env = TestEnv::start();
    let watcher = test_env.token(PLATFORM, WATCHER).await;
    for (tenant, keeper) in test_env.of_each(KEEPER).await {
        test_env.step(&keeper, &tenant_path(tenant, "/keys/rotate")).await.assert_status(200);
        let status = test_env.get(&watcher, "/api/v1/admin/status").await.json_of(200);
        let steps = status["next_key_steps"].as_array().unwrap();
        assert!(steps.iter().any(|step| step["tenant_id"] == tenant), "{status}");
        assert_eq!(status["replicas"], json!([]));
    }
}
