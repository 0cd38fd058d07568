//! Tests clients with a `jwks_uri`: they are registered over the admin API, and authenticate with the keys
//! that they publish.

use crate::prelude::*;

const URL: &str = "https://keys.example.com/jwks";

async fn token(app: &TestApp, tenant: &str, signer: &str, (client, jti): (&str, &str)) -> Answer {
    let (audience, exp) = (format!("{PUBLIC_URL}{}", token_path(tenant)), fixtures::NOW.seconds() + 60);
    let claims = json!({ "iss": client, "sub": client, "aud": audience, "exp": exp, "jti": jti });
    let assertion = assertion_key(signer).sign("JWT", &claims).unwrap();
    app.post(&token_path(tenant), &asserted(&assertion)).await
}

/// Both tenants have a client of one id and one URL. Each tenant gets another set from that URL.
#[tokio::test]
async fn a_client_authenticates_with_the_keys_that_it_publishes_to_its_tenant() {
    let test_env = TestEnv::over(TestApp::start());
    for tenant in [ACME, GLOBEX] {
        let body =
            json!({ "client_id": "robot", "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": URL });
        let boss = test_env.token(tenant, BOSS).await;
        let created = test_env.post(&boss, &clients_path(tenant), body).await;
        assert_eq!(created.status, 201, "{created:?}");
        assert_eq!((&created.json()["jwks_uri"], &created.json()["secret"]), (&json!(URL), &Value::Null));
        let jwks = json!({ "keys": [assertion_key(tenant).jwk] }).to_string();
        test_env.app.store.publish_jwks(&fixtures::tenant_id(tenant), URL, Some(&jwks));
    }
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        assert_eq!(token(&test_env.app, tenant, tenant, ("robot", "1")).await.status, 200);
        token(&test_env.app, tenant, other, ("robot", "2")).await.assert_unauthenticated();
    }
}

#[tokio::test]
async fn keys_are_at_one_place() {
    let test_env = TestEnv::over(TestApp::start());
    for (tenant, boss) in test_env.of_each(BOSS).await {
        let (path, jwks) = (clients_path(tenant), json!({ "keys": [assertion_key(tenant).jwk] }));
        let both = json!({ "client_id": "robot", "jwks": jwks, "jwks_uri": URL });
        let refused = test_env.post(&boss, &path, both).await;
        refused.assert_faulty(&["/jwks_uri"]);
        let one = json!({ "client_id": "robot", "jwks": jwks });
        assert_eq!(test_env.post(&boss, &path, one).await.status, 201);
        let robot = format!("{path}/robot");
        let refused = test_env.patch(&boss, &robot, json!({ "jwks_uri": URL })).await;
        assert_eq!(refused.pointers(), ["/jwks_uri"]);
        let moved = test_env.patch(&boss, &robot, json!({ "jwks": null, "jwks_uri": URL })).await;
        assert_eq!((moved.status, &moved.json()["jwks_uri"]), (200, &json!(URL)), "{moved:?}");
    }
}

/// Documents at a `jwks_uri`, each similar to a valid set of the client's key, that verify none of its
/// assertions.
fn useless_sets(tenant: &str) -> Vec<String> {
    let good = json!(assertion_key(tenant).jwk);
    let set = |key: Value| json!({ "keys": [key] }).to_string();
    let with = |name: &str, value: Value| {
        let mut key = good.clone();
        key[name] = value;
        key
    };
    let texts =
        ["", " ", "null", "7", "\"keys\"", "true", "[]", "[[]]", "{}", "{\"keys\":[", "{\"KEYS\":[]}"];
    let mut sets: Vec<String> = texts.map(str::to_owned).into();
    let keys = ["null", "{}", "\"\"", "7", "[]", "[null]", "[7]", "[[]]", "[{}]", "[\"\"]", "[],\"keys\":[]"];
    sets.extend(keys.map(|keys| format!("{{\"keys\":{keys}}}")));
    sets.extend(["<html></html>", "\u{feff}{\"keys\":[]}", "{\"keys\":[]}x"].map(str::to_owned));
    sets.extend([good.to_string(), json!([good]).to_string(), format!("{}x", set(good.clone()))]);
    sets.push(json!({ "keys": { "a": good } }).to_string());
    sets.push(json!({ "keys": vec![good.clone(); 101] }).to_string());
    sets.push(format!("{}{}", set(good.clone()), " ".repeat(300_000)));
    for name in ["kty", "crv", "x", "y"] {
        sets.push(set(but(good.clone(), json!({ name: null }))));
        let values = json!([null, 7, "", "*", [], {}, "AAAA", "a="]);
        sets.extend(values.as_array().unwrap().iter().map(|value| set(with(name, value.clone()))));
    }
    for (name, values) in [
        ("kid", json!([7, [], "another"])),
        ("alg", json!(["none", "HS256", "RS256", "ES384", "es256", 7])),
        ("use", json!(["enc", "", 7])),
        ("key_ops", json!([["sign"], "verify"])),
        ("crv", json!(["P-384", "p-256", "Ed25519"])),
        ("kty", json!(["RSA", "OKP", "oct", "ec"])),
        ("d", json!(["AAAA"])),
        ("k", json!(["AAAA"])),
    ] {
        sets.extend(values.as_array().unwrap().iter().map(|value| set(with(name, value.clone()))));
    }
    sets
}

#[tokio::test]
async fn a_useless_set_authenticates_nobody_and_is_no_error_of_the_server() {
    let test_env = TestEnv::over(TestApp::start());
    for tenant in [ACME, GLOBEX] {
        let sets = useless_sets(tenant);
        assert!(sets.len() >= 80, "{}", sets.len());
        for (nth, set) in sets.iter().enumerate() {
            // A client and a URL for each, since both are cached.
            let (id, url) = (fixtures::tenant_id(tenant), format!("{URL}/{nth}"));
            let robot = format!("robot-{nth}");
            let client = fixtures::client(&fixtures::tenant(tenant), &robot);
            let client = registry::Client { jwks_uri: Some(url.clone()), ..client };
            test_env.app.store.put_client(client);
            test_env.app.store.publish_jwks(&id, &url, Some(set));
            let refused = token(&test_env.app, tenant, tenant, (&robot, "1")).await;
            println!("{set:.200}");
            refused.assert_unauthenticated();
        }
    }
}

/// A registration with one of these sets as `jwks` is refused, too.
#[tokio::test]
async fn a_useless_set_is_not_registered() {
    let test_env = TestEnv::over(TestApp::start());
    for (tenant, boss) in test_env.of_each(BOSS).await {
        for (nth, set) in useless_sets(tenant).iter().enumerate() {
            let Ok(jwks) = serde_json::from_str::<Value>(set) else { continue };
            // The key of another name is valid, null is no set, and blanks after a set are not sent.
            if jwks.is_null() || set.contains("\"another\"") || set.ends_with("  ") {
                continue;
            }
            let body = json!({ "client_id": format!("robot-{nth}"), "jwks": jwks });
            let refused = test_env.post(&boss, &clients_path(tenant), body).await;
            println!("{set:.200}");
            refused.assert_problem(400, "invalid-request");
        }
    }
}
