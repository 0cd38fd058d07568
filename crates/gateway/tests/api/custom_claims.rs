//! Tests that the claims of clients and tenants do not read as those of the server.

use crate::prelude::*;

// [third 8]
#[tokio::test]
async fn custom_claims_stand_before_those_of_the_server() {
    let app = TestApp::start();
    for (tenant, other) in BOTH {
        // The store has a row of before, which no interface would make.
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
async fn twins_of_the_servers_claims_are_refused() {
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
