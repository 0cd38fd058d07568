//! The operator's permissions: a program with the store passes them to the constructor, and no
//! request to a listener can get them.

use administration::edit::EditError;
use administration::kinds::authority::{Actor, Authority};
use gateway::{OperatorAnswer, OperatorApi};
use zeroize::Zeroizing;

use crate::prelude::*;

const FOREIGN: &str = include_str!("keys/foreign.pem");

async fn operator(app: &TestApp) -> OperatorApi {
    let actor = Actor { name: "cli:root".to_owned(), ..Actor::default() };
    let (administrator, authority) = (Arc::clone(&app.administrator), Authority::operator(actor));
    OperatorApi::new(administrator, app.tokens.clone(), app.clock(), authority).await
}

async fn call(api: &OperatorApi, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
    let body = body.map(|body| Zeroizing::new(serde_json::to_vec(body).unwrap()));
    let OperatorAnswer { status, body, cause } = api.call(method, path, body, None).await;
    assert!(cause.is_none(), "{cause:?}");
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

fn actors(audit: &Value) -> Vec<&str> {
    column(audit, "actor")
}

/// Headers that claim to come from an operator, a user of the machine, or the machine itself.
fn claims() -> Vec<(&'static str, String)> {
    [
        ("x-operator", "true"),
        ("x-latchkey-operator", "cli:root"),
        ("x-actor", "cli:root"),
        ("x-remote-user", "root"),
        ("x-forwarded-user", "root"),
        ("x-forwarded-for", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1;by=cli:root"),
        ("x-original-url", "/"),
        ("x-http-method-override", "GET"),
        ("cookie", "operator=cli:root"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}

#[tokio::test]
async fn no_listener_request_gets_operator_permissions() {
    let test_env = TestEnv::start();
    let api = operator(&test_env.app).await;
    let import = json!({ "key": FOREIGN, "algorithm": "RS256" });
    for tenant in [ACME, GLOBEX] {
        assert_eq!(call(&api, "GET", &keys_path(tenant), None).await.0, 200);
        let tenant_path = format!("{TENANTS}/{tenant}");
        for (method, path) in [
            (Method::GET, TENANTS),
            (Method::GET, &tenant_path),
            (Method::DELETE, &tenant_path),
            (Method::POST, &format!("{tenant_path}/suspend")),
            (Method::GET, "/api/v1/admin/audit"),
            (Method::POST, &keys_path(tenant)),
            (Method::POST, &keys_path(PLATFORM)),
        ] {
            let send = async |more: Option<&str>| {
                let mut request = test_env.app.request(method.clone(), path).json(&import);
                for (name, value) in claims() {
                    request = request.header(name, value);
                }
                if let Some(credentials) = more {
                    request = request.header("authorization", credentials);
                }
                assert_eq!(Answer::to(request).await.status, 401, "{method} {path} {more:?}");
            };
            for credentials in
                [None, Some("Operator cli:root"), Some("Bearer cli:root"), Some("Basic Y2xpOnJvb3Q=")]
            {
                send(credentials).await;
            }
        }
        // A token with all permissions is not changed by the headers.
        let ops = test_env.token(PLATFORM, OPS).await;
        let keys = keys_path(PLATFORM);
        let sent = Ask { body: Some(import.clone()), headers: claims(), ..ask(Method::POST, &keys) };
        test_env.ask(&ops, sent).await.assert_problem(403, "beyond-reach");
        let suspend = format!("{tenant_path}/suspend");
        let sent = Ask { headers: claims(), ..ask(Method::POST, &suspend) };
        assert_eq!(test_env.ask(&ops, sent).await.status, 200);
    }
    let (_, audit) = call(&api, "GET", "/api/v1/admin/audit", None).await;
    assert_eq!(actors(&audit), ["client:platform/ops"; 2]);
}

#[tokio::test]
async fn in_process_operator_may_do_everything_and_is_audited() {
    let test_env = TestEnv::start();
    let api = operator(&test_env.app).await;
    let import = json!({ "key": FOREIGN, "algorithm": "RS256" });
    assert_eq!(call(&api, "POST", &keys_path(PLATFORM), Some(&import)).await.0, 201);
    for tenant in [ACME, GLOBEX] {
        let (status, view) = call(&api, "POST", &format!("{TENANTS}/{tenant}/suspend"), None).await;
        assert_eq!((status, &view["status"]), (200, &json!("suspended")));
    }
    let (_, audit) = call(&api, "GET", "/api/v1/admin/audit", None).await;
    let actors = actors(&audit);
    assert!(actors.len() >= 3 && actors.iter().all(|actor| *actor == "cli:root"), "{actors:?}");
    assert!(audit["items"].as_array().unwrap().iter().all(|record| record["source"].is_null()));
}

#[tokio::test]
async fn in_process_and_http_responses_are_equal() {
    let test_env = TestEnv::start();
    let (api, ops) = (operator(&test_env.app).await, test_env.token(PLATFORM, OPS).await);
    for tenant in [ACME, GLOBEX] {
        for path in [
            "/api/v1/admin/tenants?limit=2",
            "/api/v1/admin/tenants?limit=x",
            &format!("{TENANTS}/{tenant}"),
            &format!("/api/v1/tenant/{tenant}/clients?search=svc"),
            &format!("/api/v1/tenant/{tenant}/clients/nobody"),
            &format!("/api/v1/tenant/{tenant}/keys/oauth2-key-1"),
            &format!("/api/v1/tenant/{tenant}/keys/oauth2-key-9"),
            "/api/v1/tenant/nobody/keys/status",
            "/api/v1/admin/nothing",
        ] {
            let over_http = test_env.get(&ops, path).await;
            assert_eq!((over_http.status, over_http.json()), call(&api, "GET", path, None).await, "{path}");
        }
    }
}

#[tokio::test]
async fn only_the_operator_learns_why_the_store_failed() {
    let test_env = TestEnv::start();
    let (api, ops) = (operator(&test_env.app).await, test_env.token(PLATFORM, OPS).await);
    for tenant in [ACME, GLOBEX] {
        for (failure, status) in [(Failure::Unavailable, 503), (Failure::Fault, 500)] {
            let path = format!("{TENANTS}/{tenant}");
            test_env.get(&ops, &path).await;
            test_env.app.store.fail_with(failure);
            let answer = api.call("GET", &path, None, None).await;
            let refused = test_env.get(&ops, &path).await;
            test_env.app.store.fail_with(None);
            assert_eq!((answer.status, refused.status), (status, status));
            assert_eq!(answer.body.as_slice(), refused.body.as_bytes());
            let cause = answer.cause.unwrap();
            assert!(matches!(*cause, EditError::Store(_)), "{cause:?}");
            assert!(!refused.body.contains(&cause.to_string()), "{}", refused.body);
        }
    }
}
