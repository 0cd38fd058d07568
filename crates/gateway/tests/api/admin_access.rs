//! Access control of the admin API: every operation, called by every administrator without its
//! permission.

use crate::prelude::*;
use crate::routes::placed;

/// Method and path.
pub(crate) fn admin_operations() -> Vec<(Method, String)> {
    let all = routes::all().into_iter().filter(|(_, path)| routes::is_admin(path));
    all.map(|(method, path)| (Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(), path)).collect()
}

#[track_caller]
pub(crate) fn assert_lacks(answer: &Answer, scope: &str) {
    answer.assert_problem(403, "insufficient-scope");
    let challenge = answer.header("www-authenticate");
    let expected = "Bearer realm=\"latchkey\", error=\"insufficient_scope\"";
    assert!(
        challenge.starts_with(expected) && challenge.ends_with(&format!("scope=\"{scope}\"")),
        "{challenge}"
    );
}

async fn send_as(test_env: &TestEnv, token: &str, (method, path): &(Method, String), tenant: &str) -> Answer {
    let path = placed(path, tenant);
    let body = (*method != Method::GET).then(|| json!({}));
    test_env.ask(token, Ask { body, ..ask(method.clone(), &path) }).await
}

// [V10 10.4.7]: 2 | Open registration of clients is guarded | not ours | Only administrators register clients
// [rfc9700 §4.7]
#[tokio::test]
async fn every_admin_path_requires_a_token() {
    let test_env = TestEnv::start();
    for (method, path) in admin_operations() {
        for tenant in [ACME, GLOBEX, "unknown", PLATFORM] {
            let request = || test_env.app.request(method.clone(), &placed(&path, tenant));
            for request in [request(), request().basic_auth(SVC, Some("x"))] {
                let answer = Answer::to(request).await;
                answer.assert_problem(401, "authentication-required");
                assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"latchkey\"");
            }
        }
    }
}

// [V6 6.3.2]: 1 | There are no default accounts | No account, administrator or user is there before it is
//   declared or created. The passwords of the samples are refused beyond loopback
// [V13 13.2.3]
#[tokio::test]
async fn admin_requests_are_refused_without_an_administrator() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let own = app.token(tenant).await;
        for token in [own, forged(PLATFORM, OPS, "latchkey:tenants latchkey:clients latchkey:audit")] {
            for (method, path) in admin_operations() {
                let request = app.request(method, &placed(&path, tenant)).bearer_auth(&token);
                Answer::to(request).await.assert_problem(401, "invalid-token");
            }
        }
    }
}

// [parties #3]
/// A tenant's token has the tenant's `iss`, and is refused at the platform and at another tenant.
#[tokio::test]
async fn tenant_administrator_has_no_access_beyond_its_tenant() {
    let test_env = TestEnv::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let boss = test_env.token(tenant, BOSS).await;
        for operation in admin_operations() {
            let is_platform = operation.1.starts_with("/api/v1/admin");
            let targets =
                if is_platform { vec![tenant, other] } else { vec![other, PLATFORM, "unknown", "ACME"] };
            for target in targets {
                let answer = send_as(&test_env, &boss, &operation, target).await;
                answer.assert_problem(401, "invalid-token");
                assert_eq!(answer.json()["detail"], "Token issuer is not accepted", "{operation:?} {target}");
            }
        }
        let looked = test_env.get(&boss, &clients_path(tenant)).await;
        assert_eq!(looked.status, 200, "or all of this would say nothing");
    }
}

/// A token may have fewer scopes than its client.
#[tokio::test]
async fn token_allows_only_its_own_scopes() {
    let test_env = TestEnv::start();
    let ops = test_env.narrow_token(PLATFORM, OPS, "latchkey:audit").await;
    for tenant in [ACME, GLOBEX] {
        let boss = test_env.narrow_token(tenant, BOSS, "latchkey:audit").await;
        for token in [&ops, &boss] {
            assert_eq!(test_env.get(token, &tenant_path(tenant, "/audit")).await.status, 200);
            assert_lacks(&test_env.get(token, &clients_path(tenant)).await, "latchkey:clients");
        }
    }
    assert_lacks(&test_env.get(&ops, TENANTS).await, "latchkey:tenants");
}

// [V10 10.3.2]
/// A scope is lost as soon as the client loses it, even if the token has it.
#[tokio::test]
async fn lost_scopes_and_suspension_apply_to_the_next_request() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for tenant in [ACME, GLOBEX] {
        let path = clients_path(tenant);
        let made = json!({ "client_id": "deputy", "scopes": ["latchkey:clients", "latchkey:audit"] });
        assert_eq!(test_env.post(&ops, &path, made).await.status, 201);
        let deputy = forged(tenant, "deputy", "latchkey:clients latchkey:audit");
        assert_eq!(test_env.get(&deputy, &path).await.status, 200);

        let one = format!("{path}/deputy");
        test_env.patch(&ops, &one, json!({ "scopes": ["latchkey:audit"] })).await;
        assert_lacks(&test_env.get(&deputy, &path).await, "latchkey:clients");
        assert_eq!(test_env.get(&deputy, &tenant_path(tenant, "/audit")).await.status, 200);

        test_env.step(&ops, &format!("{one}/suspend")).await;
        let answer = test_env.get(&deputy, &tenant_path(tenant, "/audit")).await;
        answer.assert_problem(401, "invalid-token");
        assert_eq!(answer.json()["detail"], "Token has been revoked");
        // The token became invalid with the suspension, and stays invalid.
        test_env.step(&ops, &format!("{one}/resume")).await;
        test_env.get(&deputy, &tenant_path(tenant, "/audit")).await.assert_problem(401, "invalid-token");
        test_env.delete(&ops, &one).await;
        test_env.get(&deputy, &tenant_path(tenant, "/audit")).await.assert_problem(401, "invalid-token");
    }
}

#[tokio::test]
async fn only_the_platform_reaches_a_suspended_tenant() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for (tenant, boss) in test_env.of_each(BOSS).await {
        test_env.step(&ops, &format!("{TENANTS}/{tenant}/suspend")).await;
        let refused = test_env.get(&boss, &clients_path(tenant)).await;
        refused.assert_problem(401, "invalid-token");
        let unknown = test_env.get(&boss, &clients_path("unknown")).await;
        assert_eq!(refused.body, unknown.body, "the answer does not reveal the tenant");
        assert_eq!(test_env.get(&ops, &clients_path(tenant)).await.status, 200);
        test_env.post(&ops, &clients_path(tenant), json!({ "client_id": "new" })).await.assert_status(201);
    }
}

#[tokio::test]
async fn only_the_platform_learns_that_a_tenant_does_not_exist() {
    let test_env = TestEnv::start();
    let clerk = test_env.token(PLATFORM, CLERK).await;
    for name in ["unknown", "ACME", "a%63me", "%00", "a".repeat(64).as_str()] {
        test_env.get(&clerk, &clients_path(name)).await.assert_problem(404, "not-found");
        for (_, boss) in test_env.of_each(BOSS).await {
            test_env.get(&boss, &clients_path(name)).await.assert_problem(401, "invalid-token");
        }
    }
}

/// The answer to a forged token must not reveal whether a tenant exists.
#[tokio::test]
async fn forged_token_does_not_reveal_a_tenant() {
    let test_env = TestEnv::start();
    let mut bodies: Vec<Value> = Vec::new();
    for tenant in [ACME, GLOBEX, "unknown"] {
        let claims = admin_claims(tenant, BOSS, "latchkey:clients");
        let other_key = but(header(), json!({ "kid": "oauth2-key-7" }));
        for token in [
            Forge::foreign().token(&claims),
            crate::forge::unsigned(&header(), &claims),
            Forge::foreign().token_with(&other_key, &claims),
        ] {
            let answer = test_env.get(&token, &clients_path(tenant)).await;
            answer.assert_problem(401, "invalid-token");
            bodies.push(answer.json());
        }
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "{bodies:?}");
}

/// A proxy may block `/api/v1/admin` and compare paths without decoding them.
#[tokio::test]
async fn another_spelling_of_an_admin_path_is_not_found() {
    let (test_env, ops) = TestEnv::with_ops().await;
    let paths = "/api/v1/%61dmin/tenants /%61pi/v1/admin/tenants /api/v1/admin/tenant%73 \
                 /api/v1/ten%61nt/globex/clients /api/v1/tenant/acme/client%73 /api/v1/tenant/globex/key%73 \
                 /api/v1/tenant/globex/clients/svc/secret%73 /api/v1/tenant/globex/keys/statu%73";
    for path in paths.split(' ') {
        assert_eq!(test_env.get(&ops, path).await.status, 404, "{path}");
    }
}
