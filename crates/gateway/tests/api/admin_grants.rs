//! Limits on clients: administrators can grant only permissions that they have, and cannot change a
//! client with more permissions.

use crate::prelude::*;

// [parties #3], [found 8]
#[tokio::test]
async fn tenant_administrator_grants_only_its_own_permissions() {
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

// [third 22]: A client that gained a `latchkey:` scope kept the credentials that a lower administrator had
//   registered | fixed | 409 lists each credential with its maker; the change names those to keep in
//   `keep_credentials`, and revokes the others in the same commit. Redirect URIs and API keys never lead to a
//   token with such a scope
#[tokio::test]
async fn grant_requires_the_credentials_to_keep() {
    let (test_env, ops) = TestEnv::with_ops().await;
    let jwks = json!({ "keys": [{ "kty": "EC", "crv": "P-256",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM" }] });
    let federated = json!([{ "issuer": "https://issuer.example.com", "subject": "repo:acme/a" }]);
    let one = |tenant: &str| format!("{}/gains", clients_path(tenant));
    for (tenant, boss) in test_env.of_each(BOSS).await {
        let new = json!({ "client_id": "gains", "redirect_uris": ["https://a.example/cb"],
            "grant_types": ["client_credentials", "authorization_code"] });
        assert_eq!(test_env.post(&boss, &clients_path(tenant), new).await.status, 201);
        assert_eq!(test_env.step(&ops, &format!("{}/secrets", one(tenant))).await.status, 201);
        let registered = json!({ "jwks": jwks, "federated": federated });
        assert_eq!(test_env.patch(&boss, &one(tenant), registered).await.status, 200);
    }
    for (tenant, is_last) in [(ACME, false), (GLOBEX, true)] {
        let path = one(tenant);
        let grant = |keep: Value| json!({ "scopes": ["latchkey:keys"], "keep_credentials": keep });
        let boss = test_env.token(tenant, BOSS).await;
        test_env.patch(&boss, &path, grant(json!(null))).await.assert_problem(403, "beyond-reach");
        let refused = test_env.patch(&ops, &path, json!({ "scopes": ["latchkey:keys"] })).await;
        refused.assert_problem(409, "live-credentials");
        let by_boss = format!("client:{tenant}/boss");
        let listed = refused.json()["credentials"].as_array().unwrap().clone();
        let of =
            |member: &str| Vec::from_iter(listed.iter().map(|one| one[member].as_str().unwrap().to_owned()));
        assert_eq!(of("kind"), ["client_secret", "client_secret", "public_key", "trust_rule"]);
        assert_eq!(of("created_by"), [&by_boss, "client:platform/ops", &by_boss, &by_boss]);
        assert_eq!(of("id")[..2], ["s1", "s2"]);
        assert_eq!(test_env.get(&ops, &path).await.json()["scopes"], json!([]), "nothing was changed");

        let unknown = test_env.patch(&ops, &path, grant(json!(["s2", "s9"]))).await;
        unknown.assert_problem(400, "invalid-request");
        assert_eq!(unknown.json()["errors"][0]["pointer"], "/keep_credentials/1");
        for _ in 0..2 {
            let view = test_env.patch(&ops, &path, grant(json!(["s2"]))).await.json_of(200);
            assert_eq!(view["scopes"], json!(["latchkey:keys"]));
            assert_eq!(
                (&view["live_secrets"], &view["jwks"], &view["federated"]),
                (&json!(1), &json!(null), &json!([]))
            );
            assert_eq!(view.get("keep_credentials"), None, "it is not stored");
        }
        let secrets = test_env.get(&ops, &format!("{path}/secrets")).await.json();
        let revoked = |secret: &Value| secret["id"] == "s1" && !secret["revoked_at"].is_null();
        assert!(secrets["items"].as_array().unwrap().iter().any(revoked), "{secrets}");
        let audit =
            test_env.get(&boss, &tenant_path(tenant, "/audit?action=client.changed&subject=gains")).await;
        let detail = &audit.json()["items"][0]["detail"];
        assert_eq!(detail["kept_credentials"], json!(["s2"]), "{detail}");
        assert_eq!(detail["revoked_credentials"], json!(["s1", of("id")[2], of("id")[3]]), "{detail}");
        if !is_last {
            let other = test_env.get(&ops, &one(GLOBEX)).await.json();
            assert_eq!(
                (&other["live_secrets"], &other["scopes"]),
                (&json!(2), &json!([])),
                "the other tenant's"
            );
        }
    }
}

// [third 22]
#[tokio::test]
async fn grant_requires_no_decision_if_no_credential_stays() {
    let (test_env, ops) = TestEnv::with_ops().await;
    let key = |x: &str, y: &str| json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": x, "y": y }] });
    let (old, new) = (
        key("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"),
        key("gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0", "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"),
    );
    for tenant in [ACME, GLOBEX] {
        let clients = clients_path(tenant);
        let audit = json!(["latchkey:audit"]);
        let made = json!({ "client_id": "new", "scopes": audit });
        assert_eq!(test_env.post(&ops, &clients, made).await.status, 201, "a new client has its secret");
        let renamed = test_env.patch(&ops, &format!("{clients}/new"), json!({ "name": "Old grant" })).await;
        assert_eq!((renamed.status, &renamed.json()["live_secrets"]), (200, &json!(1)));

        let robot =
            json!({ "client_id": "robot", "jwks": old, "token_endpoint_auth_method": "private_key_jwt" });
        assert_eq!(test_env.post(&ops, &clients, robot).await.status, 201);
        let path = format!("{clients}/robot");
        let none = test_env.patch(&ops, &path, json!({ "scopes": audit, "keep_credentials": [] })).await;
        none.assert_problem(400, "invalid-request");
        assert_eq!(none.json()["errors"][0]["pointer"], "/keep_credentials", "the method needs a key");
        let replaced = test_env.patch(&ops, &path, json!({ "scopes": audit, "jwks": new })).await;
        assert_eq!(replaced.status, 200, "its old key does not stay: {}", replaced.body);

        let ordinary = json!({ "client_id": "ordinary" });
        assert_eq!(test_env.post(&ops, &clients, ordinary).await.status, 201);
        let path = format!("{clients}/ordinary");
        test_env.patch(&ops, &path, json!({ "scopes": ["api:read"] })).await.assert_status(200);
        let all = test_env.patch(&ops, &path, json!({ "scopes": audit, "keep_credentials": [] })).await;
        assert_eq!((all.status, &all.json()["live_secrets"]), (200, &json!(0)), "{}", all.body);
    }
}

// [found 8]: A tenant's administrator could create a secret of a client with scopes, or with `introspection:
//   tenant`, that it could not grant | fixed | In a tenant `latchkey:clients` includes the tenant's ordinary
//   scopes, as the page states. Only the platform creates secrets of clients with `introspection: tenant` or
//   an issuer alias. Revoking, ending and suspending are always allowed
/// Whoever creates a client's secret can act as that client. Suspending a client requires only the
/// permission to manage clients.
#[tokio::test]
async fn client_with_more_privileges_can_only_be_restricted() {
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
/// The tenant `platform` belongs to the platform's administrators. They cannot extend their own
/// permissions there either.
#[tokio::test]
async fn platform_administrator_grants_only_its_own_permissions() {
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
async fn tenant_client_cannot_administer_the_platform() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let refused =
            test_env.post(&ops, &clients_path(tenant), json!({ "scopes": ["latchkey:tenants"] })).await;
        refused.assert_faulty(&["/scopes/0"]);
        // A client can request its own admin audience, but no other one.
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

#[tokio::test]
async fn last_administrator_cannot_remove_itself() {
    const ALL: [&str; 4] = ["latchkey:clients", "latchkey:accounts", "latchkey:keys", "latchkey:audit"];
    let (test_env, ops) = TestEnv::with_ops().await;
    let add = async |tenant: &str, id: &str| {
        let body = json!({ "client_id": id, "scopes": ALL });
        test_env.post(&ops, &clients_path(tenant), body).await.json_of(201)
    };
    for (tenant, _) in BOTH {
        add(tenant, "chief").await;
    }
    for (tenant, _) in BOTH {
        let path = format!("{}/second", clients_path(tenant));
        let secret = add(tenant, "second").await;
        let audience = fixtures::tenant_id(tenant).admin_audience();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "second"),
            ("client_secret", text(&secret["secret"], "client_secret")),
            ("resource", &audience),
        ];
        let own = test_env.app.post(&token_path(tenant), &form).await.access_token();
        let chief = format!("{}/chief", clients_path(tenant));
        test_env.step(&ops, &format!("{chief}/suspend")).await.assert_status(200);
        // The other tenant's administrators, and the platform's, do not count.
        for answer in [
            test_env.patch(&own, &path, json!({ "scopes": ALL[1..] })).await,
            test_env.step(&own, &format!("{path}/suspend")).await,
            test_env.delete(&own, &path).await,
        ] {
            answer.assert_problem(409, "conflict");
            let hint = "give another account or client all permissions first";
            assert!(text(&answer.json(), "detail").contains(hint), "{}", answer.body);
        }
        test_env.patch(&own, &path, json!({ "name": "Second" })).await.assert_status(200);
        let body = json!({ "username": "boss", "permissions": ALL });
        test_env.post(&ops, &accounts_path(tenant), body).await.assert_status(201);
        test_env.patch(&own, &path, json!({ "scopes": ALL[..1] })).await.assert_status(200);
        test_env.delete(&own, &path).await.assert_status(204);
    }
    let path = format!("{}/{OPS}", clients_path(PLATFORM));
    test_env.delete(&ops, &path).await.assert_problem(409, "conflict");
}
