//! Clients with a `jwks_uri`: registered in the admin API, they authenticate with their published
//! keys.

use crate::prelude::*;

const URL: &str = "https://keys.example.com/jwks";

async fn token(app: &TestApp, tenant: &str, signer: &str, (client, jti): (&str, &str)) -> Answer {
    let (audience, exp) = (format!("{PUBLIC_URL}{}", token_path(tenant)), fixtures::NOW.seconds() + 60);
    let claims = json!({ "iss": client, "sub": client, "aud": audience, "exp": exp, "jti": jti });
    let assertion = assertion_key(signer).sign("JWT", &claims).unwrap();
    app.post(&token_path(tenant), &asserted(&assertion)).await
}

/// Both tenants have a client with the same id and URL. Each tenant gets another key set from that
/// URL.
#[tokio::test]
async fn client_authenticates_with_its_published_keys() {
    let test_env = TestEnv::over(TestApp::start());
    for tenant in [ACME, GLOBEX] {
        let body =
            json!({ "client_id": "robot", "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": URL });
        let boss = test_env.token(tenant, BOSS).await;
        let created = test_env.post(&boss, &clients_path(tenant), body).await.json_of(201);
        assert_eq!((&created["jwks_uri"], &created["secret"]), (&json!(URL), &Value::Null));
        let jwks = json!({ "keys": [assertion_key(tenant).jwk] }).to_string();
        test_env.app.store.publish_jwks(&fixtures::tenant_id(tenant), URL, Some(&jwks));
    }
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        assert_eq!(token(&test_env.app, tenant, tenant, ("robot", "1")).await.status, 200);
        token(&test_env.app, tenant, other, ("robot", "2")).await.assert_unauthenticated();
    }
}

#[tokio::test]
async fn jwks_and_jwks_uri_are_mutually_exclusive() {
    let test_env = TestEnv::over(TestApp::start());
    for (tenant, boss) in test_env.of_each(BOSS).await {
        let (path, jwks) = (clients_path(tenant), json!({ "keys": [assertion_key(tenant).jwk] }));
        let both = json!({ "client_id": "robot", "jwks": jwks, "jwks_uri": URL });
        test_env.post(&boss, &path, both).await.assert_faulty(&["/jwks_uri"]);
        let one = json!({ "client_id": "robot", "jwks": jwks });
        assert_eq!(test_env.post(&boss, &path, one).await.status, 201);
        let robot = format!("{path}/robot");
        assert_eq!(test_env.patch(&boss, &robot, json!({ "jwks_uri": URL })).await.pointers(), ["/jwks_uri"]);
        let moved = test_env.patch(&boss, &robot, json!({ "jwks": null, "jwks_uri": URL })).await;
        assert_eq!((moved.status, &moved.json()["jwks_uri"]), (200, &json!(URL)), "{moved:?}");
    }
}

/// Key sets that verify none of the client's assertions. The unit tests of key sets contain further
/// ones.
fn useless_sets(tenant: &str) -> [String; 8] {
    let good = json!(assertion_key(tenant).jwk);
    let set = |changes: Value| json!({ "keys": [but(good.clone(), changes)] }).to_string();
    [
        String::new(),
        "{\"keys\":[]}".to_owned(),
        good.to_string(),
        set(json!({ "x": null })),
        set(json!({ "use": "enc" })),
        set(json!({ "d": "AAAA" })),
        set(json!({ "kid": "another" })),
        set(json!({})) + &" ".repeat(300_000),
    ]
}

#[tokio::test]
async fn unusable_key_set_authenticates_nobody() {
    let test_env = TestEnv::over(TestApp::start());
    for tenant in [ACME, GLOBEX] {
        for (nth, set) in useless_sets(tenant).iter().enumerate() {
            // A client and a URL for each case, since both are cached.
            let (url, robot) = (format!("{URL}/{nth}"), format!("robot-{nth}"));
            let client = fixtures::client(&fixtures::tenant(tenant), &robot);
            test_env.app.store.publish_jwks(&client.tenant, &url, Some(set));
            test_env.app.store.put_client(Client { jwks_uri: Some(url), ..client });
            println!("{set:.200}");
            token(&test_env.app, tenant, tenant, (&robot, "1")).await.assert_unauthenticated();
        }
    }
}

/// The admin API refuses the same sets as `jwks`. A key with another name is valid there, and
/// blanks after a set are removed.
#[tokio::test]
async fn unusable_key_set_is_refused_at_registration() {
    let test_env = TestEnv::over(TestApp::start());
    for (tenant, boss) in test_env.of_each(BOSS).await {
        for set in &useless_sets(tenant)[1..6] {
            let jwks: Value = serde_json::from_str(set).unwrap();
            let body = json!({ "client_id": "robot", "jwks": jwks });
            println!("{set}");
            test_env.post(&boss, &clients_path(tenant), body).await.assert_problem(400, "invalid-request");
        }
    }
}
