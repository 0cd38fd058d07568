//! Tokens that the admin API refuses. The answer gives the reason if the signature proves that the
//! token is of the tenant.

use crate::forge::unsigned;
use crate::prelude::*;

const SCOPE: &str = "latchkey:tenants latchkey:clients latchkey:audit";

#[track_caller]
fn assert_invalid(answer: &Answer, words: &str) {
    answer.assert_problem(401, "invalid-token");
    assert_eq!(answer.json()["detail"], words);
    let expected =
        format!("Bearer realm=\"latchkey\", error=\"invalid_token\", error_description=\"{words}\"");
    assert_eq!(answer.header("www-authenticate"), expected);
}

fn admin_operations() -> [(&'static str, &'static str, String, &'static str); 4] {
    [
        (PLATFORM, OPS, TENANTS.to_owned(), ACME),
        (PLATFORM, OPS, clients_path(GLOBEX), GLOBEX),
        (ACME, BOSS, clients_path(ACME), GLOBEX),
        (GLOBEX, BOSS, clients_path(GLOBEX), ACME),
    ]
}

// [V9 9.2.3]
#[tokio::test]
async fn admin_token_has_exactly_one_audience() {
    let test_env = TestEnv::start();
    for (tenant, client, path, other) in admin_operations() {
        let good = admin_claims(tenant, client, SCOPE);
        let audience = good["aud"].as_str().unwrap();
        assert_eq!(test_env.get(&forged(tenant, client, SCOPE), &path).await.status, 200);
        let alone = but(good.clone(), json!({ "aud": [audience] }));
        assert_eq!(test_env.get(&Forge::from_tenant(tenant).token(&alone), &path).await.status, 200);
        for aud in [
            json!([audience, "api"]),
            json!([audience, audience]),
            json!("api"),
            json!(format!("urn:latchkey:tenant:{other}")),
        ] {
            let token = Forge::from_tenant(tenant).token(&but(good.clone(), json!({ "aud": aud })));
            assert_invalid(&test_env.get(&token, &path).await, "Token audience is not accepted");
        }
    }
}

/// A tenant's token with the platform's audience is refused, and so is the platform's token with a
/// tenant's audience.
#[tokio::test]
async fn admin_audience_belongs_to_its_issuer() {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        let claims = but(admin_claims(tenant, BOSS, SCOPE), json!({ "aud": "urn:latchkey:admin" }));
        let token = Forge::from_tenant(tenant).token(&claims);
        assert_invalid(&test_env.get(&token, TENANTS).await, "Token issuer is not accepted");
        assert_invalid(&test_env.get(&token, &clients_path(tenant)).await, "Token audience is not accepted");
        for (of, path) in
            [(tenant, TENANTS.to_owned()), (tenant, clients_path(tenant)), (PLATFORM, clients_path(PLATFORM))]
        {
            let aud = json!({ "aud": format!("urn:latchkey:tenant:{of}") });
            let token = Forge::from_tenant(PLATFORM).token(&but(admin_claims(PLATFORM, OPS, SCOPE), aud));
            assert_invalid(&test_env.get(&token, &path).await, "Token audience is not accepted");
        }
    }
}

/// A token that names the platform as its issuer, but is signed with a tenant's key, is refused.
#[tokio::test]
async fn key_signs_only_for_its_own_tenant() {
    let test_env = TestEnv::start();
    for (tenant, client, path, other) in admin_operations() {
        let good = admin_claims(tenant, client, SCOPE);
        let words =
            if tenant == PLATFORM { "Token signature is invalid" } else { "Token issuer is not accepted" };
        for forge in [Forge::from_tenant(other), Forge::foreign()] {
            assert_invalid(&test_env.get(&forge.token(&good), &path).await, words);
        }
        let theirs = Forge::from_tenant(tenant).token(&admin_claims(other, BOSS, SCOPE));
        assert_invalid(&test_env.get(&theirs, &path).await, "Token issuer is not accepted");
    }
}

// [V9 9.2.2]
#[tokio::test]
async fn times_type_and_client_are_checked() {
    let test_env = TestEnv::start();
    let now = test_env.app.now();
    for (tenant, client, path, _) in admin_operations() {
        let forge = Forge::from_tenant(tenant);
        let good = admin_claims(tenant, client, SCOPE);
        let with = |changes: Value| forge.token(&but(good.clone(), changes));
        let typ = |typ: Value| forge.token_with(&but(header(), json!({ "typ": typ })), &good);
        for (token, words) in [
            (with(json!({ "exp": now })), "Token has expired"),
            (with(json!({ "nbf": now + 6 })), "Token is not yet valid"),
            (with(json!({ "iat": now + 6 })), "Token is not yet valid"),
            // The assertion of `/flow/execute` is valid only at `/applications`.
            (typ(json!("latchkey-admin+jwt")), "Token type is not accepted"),
            (with(json!({ "sub": "another" })), "Token audience is not accepted"),
            (with(json!({ "client_id": "nobody", "sub": "nobody" })), "Token client is not active"),
        ] {
            assert_invalid(&test_env.get(&token, &path).await, words);
        }
    }
}

#[tokio::test]
async fn unsigned_token_is_refused() {
    let test_env = TestEnv::start();
    for (tenant, client, path, _) in admin_operations() {
        let good = admin_claims(tenant, client, SCOPE);
        let forge = Forge::from_tenant(tenant);
        let hs256 = but(header(), json!({ "alg": "HS256" }));
        for token in [
            "a.b.c".to_owned(),
            unsigned(&header(), &good),
            unsigned(&but(header(), json!({ "alg": "none" })), &good),
            forge.hs256(&hs256, &good, &forge.public_forms()[0]),
            forge.token_with(&but(header(), json!({ "jwk": forge.jwk() })), &good),
        ] {
            test_env.get(&token, &path).await.assert_problem(401, "invalid-token");
        }
    }
}

// [parties #2]
/// A token for the tenant's own API is refused, and so is an administration token of a client
/// without permissions.
#[tokio::test]
async fn token_of_an_ordinary_client_is_refused() {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        let token = test_env.app.token(tenant).await;
        assert_invalid(&test_env.get(&token, &clients_path(tenant)).await, "Token audience is not accepted");
        // The token claims a scope that the client does not have.
        let claimed = forged(tenant, SVC, "latchkey:clients");
        test_env.get(&claimed, &clients_path(tenant)).await.assert_problem(403, "insufficient-scope");
        test_env.get(&forged(tenant, BOSS, SCOPE), TENANTS).await.assert_problem(401, "invalid-token");
        assert_eq!(Forge::from_tenant(tenant).token(&claims(tenant)).split('.').count(), 3);
        let refused = test_env.fetch(tenant, BOSS, &[("resource", "https://orders.example")]).await;
        refused.assert_refused(400, "invalid_target", refused.json()["error_description"].as_str().unwrap());
    }
}

#[tokio::test]
async fn two_authorization_headers_are_refused() {
    let test_env = TestEnv::start();
    for (tenant, boss) in test_env.of_each(BOSS).await {
        let request = test_env.app.request(reqwest::Method::GET, &tenant_path(tenant, "/clients"));
        let twice = request.bearer_auth(&boss).bearer_auth(&boss);
        Answer::to(twice).await.assert_problem(400, "invalid-request");
    }
}
