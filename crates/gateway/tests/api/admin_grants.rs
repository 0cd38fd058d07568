//! Tests privilege limits on clients: administrators grant only permissions that they have, and cannot change
//! a client with more privileges.

use crate::prelude::*;

// [parties #3], [found 8]
#[tokio::test]
async fn a_tenants_administrator_grants_only_what_it_holds() {
    let test_env = TestEnv::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let boss = test_env.token(tenant, BOSS).await;
        let path = clients_path(tenant);
        for scope in
            ["latchkey:clients", "latchkey:audit", "api:read", "api:write", "orders:read", "anything"]
        {
            let made = test_env.post(&boss, &path, json!({ "scopes": [scope] })).await;
            assert_eq!(made.status, 201, "{scope} {}", made.body);
        }
        let keys = json!({ "scopes": ["latchkey:keys"] });
        test_env.post(&boss, &path, keys).await.assert_problem(403, "beyond-reach");
        for scope in ["latchkey:tenants", "latchkey:other", "latchkey:"] {
            let refused = test_env.post(&boss, &path, json!({ "scopes": ["api:read", scope] })).await;
            assert!([400, 403].contains(&refused.status), "{scope} {}", refused.body);
        }
        let narrow = test_env.narrow_token(tenant, BOSS, "latchkey:clients").await;
        let refused = test_env.post(&narrow, &path, json!({ "scopes": ["latchkey:audit"] })).await;
        refused.assert_problem(403, "beyond-reach");

        test_env.post(&boss, &path, json!({ "client_id": "web" })).await;
        let one = format!("{path}/web");
        for settings in [
            json!({ "scopes": ["latchkey:keys"] }),
            json!({ "introspection": "tenant" }),
            json!({ "token": { "issuer": "thunder" } }),
            json!({ "token": { "issuer": format!("http://localhost:3000/api/v1/tenant/{other}") } }),
        ] {
            let refused = test_env.patch(&boss, &one, settings.clone()).await;
            assert!([400, 403].contains(&refused.status), "{settings} {}", refused.body);
            let new = but(settings, json!({ "client_id": "other" }));
            let refused = test_env.post(&boss, &path, new.clone()).await;
            assert!([400, 403].contains(&refused.status), "{new} {}", refused.body);
        }
        assert_eq!(test_env.get(&boss, &one).await.json()["scopes"], json!([]));
        test_env.get(&boss, &format!("{path}/other")).await.assert_problem(404, "not-found");
    }
}

// [found 8]: A tenant's administrator could create a secret of a client with scopes, or with `introspection:
//   tenant`, that it could not grant | fixed | In a tenant `latchkey:clients` includes the tenant's ordinary
//   scopes, as the page states. Only the platform creates secrets of clients with `introspection: tenant` or
//   an issuer alias. Revoking, ending and suspending are always allowed
/// A secret grants scopes: the creator of a client's secret can act as that client. To suspend a client
/// requires only permission to manage clients.
#[tokio::test]
async fn a_client_with_more_privileges_than_the_administrator_can_be_suspended_but_not_edited() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for tenant in [ACME, GLOBEX] {
        let path = clients_path(tenant);
        let keeper = json!({ "client_id": "keeper", "scopes": ["latchkey:keys"] });
        assert_eq!(test_env.post(&ops, &path, keeper).await.status, 201);
        let boss = test_env.token(tenant, BOSS).await;
        let clerk = test_env.token(PLATFORM, CLERK).await;
        let one = format!("{path}/keeper");
        let earlier = json!({ "expires_at": "2027-01-01T00:00:00Z" });
        let stopped = test_env.patch(&boss, &format!("{one}/secrets/s1"), earlier).await;
        assert_eq!(stopped.status, 200, "an earlier end: {}", stopped.body);
        for token in [&boss, &clerk] {
            for (method, rest, body) in [
                (Method::PATCH, "", Some(json!({ "name": "x" }))),
                (Method::PATCH, "", Some(json!({ "scopes": [] }))),
                (Method::DELETE, "", None),
                (Method::POST, "/resume", None),
                (Method::POST, "/secrets", None),
                (Method::POST, "/secrets/rotate", None),
                (Method::PATCH, "/secrets/s1", Some(json!({ "expires_at": "2030-01-01T00:00:00Z" }))),
            ] {
                let path = format!("{one}{rest}");
                let answer = test_env.ask(token, Ask { body, ..ask(method.clone(), &path) }).await;
                assert_eq!(answer.status, 403, "{method} {rest} {}", answer.body);
            }
        }
        let made = test_env.step(&ops, &format!("{one}/secrets")).await;
        assert_eq!(made.status, 201, "a manager of all tenants may: {}", made.body);
        for (method, rest) in [(Method::DELETE, "/secrets/s1"), (Method::POST, "/suspend")] {
            let stopped = test_env.ask(&boss, ask(method, &format!("{one}{rest}"))).await;
            assert_eq!(stopped.status, 200, "{rest} {}", stopped.body);
        }
    }
}

// [parties #5]: an administrator of the platform | what its `latchkey:` scopes allow, in all tenants | exceed
//   its scopes; see a private key or a stored secret
/// The tenant `platform` belongs to the platform's administrators. There, too, administrators cannot
/// extend their own privileges.
#[tokio::test]
async fn a_platform_administrator_does_not_exceed_its_scopes() {
    let test_env = TestEnv::start();
    let clerk = test_env.token(PLATFORM, CLERK).await;
    let path = clients_path(PLATFORM);
    for scope in ["latchkey:tenants", "latchkey:audit", "latchkey:keys"] {
        test_env.post(&clerk, &path, json!({ "scopes": [scope] })).await.assert_problem(403, "beyond-reach");
    }
    let secrets = format!("{path}/{OPS}/secrets");
    test_env.step(&clerk, &secrets).await.assert_problem(403, "beyond-reach");
    test_env.post(&clerk, &format!("{secrets}/rotate"), json!({})).await.assert_problem(403, "beyond-reach");
    let ops = test_env.token(PLATFORM, OPS).await;
    let body: Value = json!({ "client_id": "second", "scopes": ["latchkey:tenants", "latchkey:clients"] });
    assert_eq!(test_env.post(&ops, &path, body).await.status, 201);
}

#[tokio::test]
async fn what_administers_tenants_is_no_tenants_scope() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let refused =
            test_env.post(&ops, &clients_path(tenant), json!({ "scopes": ["latchkey:tenants"] })).await;
        refused.assert_faulty(&["/scopes/0"]);
        // A client may request its own audience without naming it, but not another client's.
        for aud in ["urn:latchkey:admin", &format!("urn:latchkey:tenant:{other}"), "urn:latchkey:x"] {
            for list in ["audiences", "resources"] {
                let refused = test_env.post(&ops, &clients_path(tenant), json!({ list: [aud] })).await;
                refused.assert_faulty(&[format!("/{list}/0")]);
            }
        }
        let reader = test_env.token(tenant, READER).await;
        let refused = test_env.post(&reader, &clients_path(tenant), json!({})).await;
        refused.assert_problem(403, "insufficient-scope");
    }
}
