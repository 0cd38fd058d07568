//! Refused requests: what the server stores about them, who can read it, and that it contains no
//! secret.

use administration::documents::UsedFrom;
use administration::kinds;
use administration::kinds::ApiKeyRows as _;
use administration::store::{RefusalLog as _, SecretUsage, UsageLog as _};
use registry::SecretPath;

use crate::api_keys::Keys;
use crate::prelude::*;

/// Writes refused requests to the store, as the program does every two seconds, until this number
/// is listed. A request is stored after its response.
async fn list(test_env: &TestEnv, token: &str, path: &str, count: usize) -> Value {
    let mut found = Value::Null;
    for pause in 0..50 {
        test_env.app.store.record_refusals(&test_env.app.refusals.take(1_000)).await.unwrap();
        found = test_env.get(token, path).await.json_of(200);
        if found["items"].as_array().unwrap().len() == count {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(2 * pause)).await;
    }
    panic!("{path} has not {count} refusals: {found}");
}

#[tokio::test]
async fn refusals_are_stored_per_tenant_without_secrets() {
    let test_env = TestEnv::start();
    let app = &test_env.app;
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        furnish(app, tenant, public);
        let token = test_env.token(tenant, READER).await;
        let foreign = app.secrets(other).of(SVC);
        let wrong = app.fetch(tenant, SVC, foreign).await;
        let unknown = app.fetch(tenant, foreign, "canary-of-a-secret").await;
        let scope = [&credentials(SVC, app.secrets(tenant).of(SVC))[..], &[("scope", "api:raed")]].concat();
        let scope = app.post(&token_path(tenant), &scope).await;
        let page = app.get(&authorize_path(tenant, &[("redirect_uri", "https://evil.example/")])).await;
        let path = tenant_path(tenant, "/refusals");
        let found = list(&test_env, &token, &path, 4).await;
        let of = |answer: &Answer| {
            let id = answer.header("x-request-id");
            let items = found["items"].as_array().unwrap();
            items
                .iter()
                .find(|item| item["request_id"] == id)
                .unwrap_or_else(|| panic!("{id}: {found}"))
                .clone()
        };
        let wrong_kept = of(&wrong);
        assert_eq!(wrong_kept["reason"], "wrong_secret");
        assert_eq!(wrong_kept["detail"], "The client does not have this secret.");
        let fix = format!("or run `latchkey secret rotate {tenant} svc`.");
        assert!(wrong_kept["fix"].as_str().unwrap().ends_with(&fix), "{wrong_kept}");
        assert_eq!((&wrong_kept["client_id"], &wrong_kept["client_is_proven"]), (&json!(SVC), &json!(false)));
        assert_eq!((&wrong_kept["status"], &wrong_kept["error"]), (&json!(401), &json!("invalid_client")));
        assert_eq!(wrong_kept["source"], "127.0.0.1");
        let unknown = of(&unknown);
        assert_eq!((&unknown["reason"], &unknown["client_id"]), (&json!("unknown_client"), &Value::Null));
        let scope = of(&scope);
        assert_eq!([&scope["reason"], &scope["refused_scope"]], ["scope_not_registered", "api:raed"]);
        assert_eq!(scope["client_is_proven"], json!(true));
        // The error page contains the request id.
        let of_page = of(&page);
        assert!(page.body.contains(of_page["request_id"].as_str().unwrap()), "{}", page.body);
        assert!(!of_page["detail"].as_str().unwrap().is_empty());
        assert_eq!(of_page["client_is_proven"], json!(false), "{of_page}");
        for secret in [foreign, app.secrets(tenant).of(SVC), "canary"] {
            assert!(!found.to_string().contains(secret), "{found}");
        }

        let filtered = async |query: &str| {
            let found = test_env.get(&token, &format!("{path}?{query}")).await.json_of(200);
            column(&found, "reason").into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let id = wrong.header("x-request-id");
        assert_eq!(filtered(&format!("request_id={id}")).await, ["wrong_secret"]);
        assert_eq!(filtered("reason=unknown_client").await, ["unknown_client"]);
        assert_eq!(filtered(&format!("client={SVC}")).await.len(), 2);
        assert_eq!(filtered("limit=1").await.len(), 1);
        assert_eq!(test_env.get(&token, &tenant_path(other, "/refusals")).await.status, 401);
    }
}

/// Writes the addresses that used credentials, as the program does every ten seconds.
async fn write_uses(app: &TestApp) {
    let authenticator = &app.tokens.authenticator;
    let secrets = authenticator.last_used_secrets.0.drain().into_iter().map(|used| {
        let (SecretPath { tenant, client, secret }, outcome) = used.owner;
        let from = UsedFrom::presented(used.user.to_string(), outcome, used.at);
        SecretUsage { tenant, client, secret, from }
    });
    app.store.record_secret_usage(&secrets.collect::<Vec<_>>()).await.unwrap();
    let keys = authenticator.api_keys.last_used.0.drain().into_iter().map(|used| {
        let (tenant, key, outcome) = used.owner;
        kinds::api_key::Used {
            tenant,
            key,
            from: UsedFrom::presented(used.user.to_string(), outcome, used.at),
        }
    });
    app.store.record_api_key_usage(&keys.collect::<Vec<_>>()).await.unwrap();
}

// [third 13]: A refused attempt replaced the last use of a secret or an API key, and one in the second of its
//   end counted as a use, so `secret list` said that a secret was safe to delete while it was presented |
//   fixed | Uses and refused attempts have a column each. A secret that has ended is safe to delete when it
//   was neither used nor presented for a day
#[tokio::test]
async fn presenting_an_expired_credential_keeps_its_last_use() {
    let test_env = TestEnv::start();
    let app = &test_env.app;
    for tenant in [ACME, GLOBEX] {
        let boss = test_env.token(tenant, BOSS).await;
        let path = format!("{}/{SVC}/secrets", clients_path(tenant));
        let old = app.secrets(tenant).of(SVC).to_owned();
        let keys = Keys::new(&test_env, tenant).await;
        let (used_at, end) = (app.now(), values::Timestamp::from_seconds(app.now() + 60).to_rfc3339());
        let key = keys.make(json!({ "name": "n", "expires_at": end })).await;
        assert_eq!(app.fetch(tenant, SVC, &old).await.status, 200);
        assert_eq!(keys.exchange(None, &[("client_secret", &key.text)]).await.status, 200);
        test_env.post(&boss, &format!("{path}/rotate"), json!({ "grace": 60 })).await.json_of(201);
        let views = async || {
            write_uses(app).await;
            let secret = test_env.get(&boss, &path).await.json_of(200)["items"][0].clone();
            [secret, test_env.get(&keys.token, &key.path).await.json_of(200)]
        };
        for (pause, count) in [(60, 1), (1, 2)] {
            app.pass(pause);
            let now = app.now();
            assert_eq!(app.fetch(tenant, SVC, &old).await.status, 401);
            keys.exchange(None, &[("client_secret", &key.text)]).await.assert_error(401, "invalid_client");
            for view in views().await {
                assert_eq!(view["status"], "expired", "{view}");
                let times = [("last_used_at", used_at), ("presented_after_end_at", now)];
                for (time, seconds) in times {
                    let expected = json!(values::Timestamp::from_seconds(seconds).to_rfc3339());
                    assert_eq!(
                        (&view[time], &view["used_from"][0][time]),
                        (&expected, &expected),
                        "{count} {view}"
                    );
                }
                assert_eq!(view["used_from"][0]["address"], "127.0.0.1", "{view}");
            }
            assert_eq!(views().await[0]["safe_to_delete"], json!(false));
        }
        app.pass(86_400);
        let boss = test_env.token(tenant, BOSS).await;
        let view = test_env.get(&boss, &path).await.json_of(200)["items"][0].clone();
        assert_eq!(view["safe_to_delete"], json!(true), "{view}");
    }
    let metrics = app.get("/metrics").await.body;
    let line = "latchkey_ended_credentials_presented_total{credential=\"client_secret\"} 4\n";
    assert!(metrics.contains(line), "{metrics}");
}
