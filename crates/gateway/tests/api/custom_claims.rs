//! Static claims of clients and tenants cannot replace claims of the server.

use crate::prelude::*;

// [third 8]
#[tokio::test]
async fn custom_claims_precede_server_claims() {
    let app = TestApp::start();
    for (tenant, other) in BOTH {
        // The store contains a row of an older version, which the admin API would now refuse.
        app.change_client(tenant, SVC, |client| {
            client.claims = fixtures::claims(r#"{"Scope":"admin","plan":"pro","zone":7}"#);
        });
        let token = app.token(tenant).await;
        let text = part(&token, 1);
        let at = |name: &str| text.find(&format!("\"{name}\":")).unwrap_or_else(|| panic!("{name}: {text}"));
        let last = ["Scope", "plan", "zone"].map(at).into_iter().max().unwrap();
        for name in ["iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope"] {
            assert!(last < at(name), "{name} of {tenant}: {text}");
        }
        assert_eq!(claims_of(&token)["scope"], "api:read api:write orders:read");
        assert_eq!(claims_of(&app.token(other).await)["plan"], Value::Null);
        app.change_client(tenant, SVC, |_| {});
    }
}

// [third 8]
#[tokio::test]
async fn lookalikes_of_server_claims_are_refused() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for tenant in ["initech", "umbrella"] {
        test_env.post(&ops, TENANTS, json!({ "id": tenant })).await.assert_status(201);
        let add = async |name: &str| {
            let client = json!({ "client_id": "robot", "claims": { name: "x" } });
            test_env.post(&ops, &clients_path(tenant), client).await
        };
        for name in ["Scope", "\u{17f}cope", "s\u{ad}cope", "\u{200b}iss", "EXP", "Client_Id", "scp", "Roles"]
        {
            let refused = add(name).await;
            assert_eq!(refused.status, 400, "{name:?}: {refused:?}");
            assert_eq!(refused.pointers(), [format!("/claims/{name}")], "{refused:?}");
        }
        add("plan").await.assert_status(201);
        let path = format!("{}/robot", clients_path(tenant));
        let patched = test_env.patch(&ops, &path, json!({ "claims": { "sub\u{2060}": "x" } })).await;
        assert_eq!(patched.pointers(), ["/claims/sub\u{2060}"], "{patched:?}");
    }
}

// Earlier versions signed and showed `1e3` as `1000.0`, and thirty digits as
// `1.2345678901234568e29`.
#[tokio::test]
async fn numbers_of_json_bodies_keep_their_characters() {
    let (test_env, ops) = TestEnv::with_ops().await;
    let send = async |method: Method, path: &str, body: String| {
        let request = test_env.app.request(method, path).bearer_auth(&ops);
        Answer::to(request.header("content-type", "application/json").body(body)).await
    };
    let has = |text: &str, parts: &[&String]| {
        for part in parts {
            assert!(text.contains(part.as_str()), "{part} is not in {text}");
        }
    };
    for (tenant, number) in [("initech", "1e3"), ("umbrella", "123456789012345678901234567890")] {
        let [m, n, list] = [
            format!("\"m\":{number}"),
            format!("\"n\":{number}"),
            format!("\"list\":[1.0,{number},-0,\"x\"]"),
        ];
        let client = format!(r#"{{"client_id":"svc","claims":{{ {n}, {list} }}}}"#);
        let body =
            format!(r#"{{"id":"{tenant}","access_token":{{"claims":{{ {m}, "n": 5 }}}},"client":{client}}}"#);
        let made = send(Method::POST, TENANTS, body).await;
        assert_eq!(made.status, 201, "{made:?}");
        has(&made.body, &[&m, &n, &list]);
        let made = made.json();
        let secret = made["client"]["secret"]["client_secret"].as_str().unwrap();
        let token = async || part(&test_env.app.fetch(tenant, "svc", secret).await.text("access_token"), 1);
        has(&token().await, &[&m, &n, &list]);

        let (of_tenant, of_client) = (format!("{TENANTS}/{tenant}"), format!("{}/svc", clients_path(tenant)));
        has(&test_env.get(&ops, &of_client).await.body, &[&n, &list]);
        has(&test_env.get(&ops, &clients_path(tenant)).await.body, &[&n, &list]);
        let patched = send(Method::PATCH, &of_client, r#"{"claims":{"n":2.50E0}}"#.to_owned()).await;
        has(&patched.body, &[&"\"n\":2.50E0".to_owned(), &list]);
        let patched = send(Method::PATCH, &of_tenant, r#"{"name":"Another"}"#.to_owned()).await;
        has(&patched.body, &[&m]);
        has(&token().await, &[&m, &"\"n\":2.50E0".to_owned(), &list]);
        let explained = send(Method::POST, &format!("{of_client}/explain"), "{}".to_owned()).await;
        has(&explained.body, &[&m, &list]);
        for value in ["1e999", "{\"number\":\"x\"}", "{}"] {
            let body = format!("{{\"claims\":{{\"n\":{value}}}}}");
            assert_eq!(send(Method::PATCH, &of_client, body).await.pointers(), ["/claims/n"], "{value}");
        }
    }
}
