//! Workload identity: each platform gives its workloads tokens in its own form. The test registers
//! the issuer in the admin API and sends the token to the token endpoint.

use protocol::JWT_SPIFFE;

use crate::prelude::*;

/// A platform's token, and the rules by which a tenant trusts it.
struct Platform {
    name: &'static str,
    document: Value,
}

macro_rules! platforms {
    ($($name:literal),+) => {
        [$(Platform { name: $name, document: serde_json::from_str(include_str!(concat!("platforms/", $name, ".json"))).unwrap() }),+]
    };
}

fn platforms() -> [Platform; 7] {
    platforms!("kubernetes", "github-actions", "gitlab", "aws", "google", "azure", "spiffe")
}

/// Tenants created in the admin API. Each has a client that may introspect.
const TENANTS_MADE: [&str; 2] = ["initech", "umbrella"];

async fn setting() -> (TestEnv, String, [String; 2]) {
    let (test_env, ops) = TestEnv::with_ops().await;
    let mut secrets = Vec::new();
    for id in TENANTS_MADE {
        let auditor = json!({ "client_id": AUDITOR, "introspection": "tenant" });
        let made = test_env.post(&ops, TENANTS, json!({ "id": id, "client": auditor })).await;
        secrets.push(made.json()["client"]["secret"]["client_secret"].as_str().unwrap().to_owned());
    }
    (test_env, ops, secrets.try_into().unwrap())
}

async fn introspected(app: &TestApp, tenant: &str, secret: &str, token: &str) -> Value {
    let form = [("token", token), ("client_id", AUDITOR), ("client_secret", secret)];
    app.post(&tenant_path(tenant, "/oauth/introspect"), &form).await.json()
}

impl Platform {
    /// The mock's key, with the `kid` in the platform's header.
    fn jwks(&self) -> Value {
        let mut key = json!(Forge::foreign().signing_key().jwk);
        key["kid"] = self.document["header"]["kid"].clone();
        if self.name == "spiffe" {
            // A key in a SPIFFE bundle has no algorithm and another `use`.
            key.as_object_mut().unwrap().remove("alg");
            key["use"] = "jwt-svid".into();
        }
        json!({ "keys": [key] })
    }

    /// A token for the tenant, with some claims changed.
    fn assertion(&self, tenant: &str, changed: &Value) -> String {
        let mut claims = self.document["claims"].clone();
        let now = i64::try_from(fixtures::NOW.seconds()).unwrap();
        for name in ["iat", "nbf", "exp"] {
            if let Some(offset) = claims[name].as_i64() {
                claims[name] = (now + offset).into();
            }
        }
        let text = claims.to_string().replace("{issuer}", &issuer(tenant));
        let mut claims: Value = serde_json::from_str(&text).unwrap();
        claims.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
        Forge::foreign().token_with(&self.document["header"], &claims)
    }

    fn form<'a>(&self, assertion: &'a str) -> Vec<(&'static str, &'a str)> {
        let kind = if self.name == "spiffe" { JWT_SPIFFE } else { JWT_BEARER };
        vec![
            ("grant_type", "client_credentials"),
            ("client_assertion_type", kind),
            ("client_assertion", assertion),
        ]
    }

    /// Registers the issuer and a client, and publishes the issuer's keys to this tenant only.
    async fn settle(&self, test_env: &TestEnv, tenant: &str, ops: &str) {
        let mut issuer = self.document["trusted_issuer"].clone();
        let jwks = self.jwks();
        let publish = |url: &str, document: &Value| {
            test_env.app.store.publish_jwks(&fixtures::tenant_id(tenant), url, Some(&document.to_string()));
        };
        if issuer["jwks"].is_boolean() {
            issuer["jwks"] = jwks;
        } else if let Some(url) = issuer["jwks_uri"].as_str() {
            publish(url, &jwks);
        } else {
            let (name, url) = (text(&issuer, "issuer"), "https://keys.example.com/of-the-issuer");
            let metadata = json!({ "issuer": name, "jwks_uri": url });
            publish(&format!("{name}/.well-known/openid-configuration"), &metadata);
            publish(url, &jwks);
        }
        let path = format!("{TENANTS}/{tenant}");
        let trusting = test_env.patch(ops, &path, json!({ "trusted_issuers": { self.name: issuer } })).await;
        assert_eq!(trusting.status, 200, "{trusting:?}");
        let mut rule = self.document["rule"].clone();
        rule["issuer"] = self.name.into();
        let mut claims = json!({ "plan": "pro" });
        for (name, from) in self.document["copied"].as_object().unwrap() {
            claims[name] = json!({ "from": format!("assertion.{}", from.as_str().unwrap()) });
        }
        let client = json!({ "client_id": self.client(), "federated": [rule], "claims": claims });
        let created = test_env.post(ops, &clients_path(tenant), client.clone()).await;
        assert_eq!(created.status, 201, "{created:?}");
        assert_eq!((&created.json()["claims"], &created.json()["secret"]), (&client["claims"], &Value::Null));
    }

    fn client(&self) -> String {
        format!("workload-{}", self.name)
    }
}

// [federation RFC 7523 §3.2]: `invalid_client`
// [federation SPIFFE draft §3.1]: The assertion type is
//   `urn:ietf:params:oauth:client-assertion-type:jwt-spiffe`
/// Each tenant refuses the token for the other one, although both trust the same issuer and
/// subject.
#[tokio::test]
async fn workload_of_each_platform_gets_tokens() {
    let (test_env, ops, secrets) = setting().await;
    let app = &test_env.app;
    let [initech, umbrella] = TENANTS_MADE;
    for platform in platforms() {
        for tenant in TENANTS_MADE {
            platform.settle(&test_env, tenant, &ops).await;
        }
        for (tenant, other, secret) in [(initech, umbrella, &secrets[0]), (umbrella, initech, &secrets[1])] {
            let assertion = platform.assertion(tenant, &json!({}));
            let answer = app.post(&token_path(tenant), &platform.form(&assertion)).await;
            assert_eq!(answer.status, 200, "{}: {answer:?}", platform.name);
            let token = answer.text("access_token");
            let said = claims_of(&token);
            assert_eq!((&said["sub"], &said["plan"]), (&json!(platform.client()), &json!("pro")));
            let own: Value = platform.document["claims"].clone();
            for (name, from) in platform.document["copied"].as_object().unwrap() {
                let from = from.as_str().unwrap();
                let expected = own.pointer(from).or_else(|| own.get(from)).unwrap();
                assert_eq!(&said[name], expected, "{} {name}", platform.name);
                let shown = introspected(app, tenant, secret, &token).await;
                assert_eq!(&shown[name], expected, "{} {name}", platform.name);
            }
            let is_once = platform.document["rule"]["once"] == true;
            let again = app.post(&token_path(tenant), &platform.form(&assertion)).await;
            assert_eq!(again.status == 401, is_once, "{}: {again:?}", platform.name);
            let wrong = platform.assertion(tenant, &platform.document["wrong"]);
            let client = platform.client();
            let named = [platform.form(&wrong), vec![("client_id", client.as_str())]].concat();
            app.post(&token_path(tenant), &named).await.assert_unauthenticated();
            if platform.document["rule"]["audience"].is_null() {
                let named = [platform.form(&assertion), vec![("client_id", client.as_str())]].concat();
                app.post(&token_path(other), &named).await.assert_unauthenticated();
            }
        }
    }
}

/// The log contains the reason. `explain` shows administrators the reason and the claims.
#[tokio::test]
async fn assertion_explanation_shows_claims_and_reason() {
    let (test_env, ops, _) = setting().await;
    let [_, github, ..] = &platforms();
    for tenant in TENANTS_MADE {
        github.settle(&test_env, tenant, &ops).await;
        let path = format!("{}/{}/explain", clients_path(tenant), github.client());
        let explain = async |changed: &Value| {
            let body = json!({
                "token_endpoint_auth_method": "private_key_jwt",
                "client_assertion": github.assertion(tenant, changed),
            });
            test_env.post(&ops, &path, body).await.json()
        };
        for _ in 0..2 {
            let good = explain(&json!({})).await;
            assert_eq!(good["result"]["status"], 200, "{good}");
            let said = &good["token"]["claims"];
            assert_eq!((&said["repo"], &said["plan"]), (&json!("acme/billing"), &json!("pro")));
        }
        let refused = explain(&json!({ "repository_owner_id": "66" })).await;
        assert_eq!(refused["result"]["reason"], "claim_not_trusted", "{refused}");
        assert!(
            refused.to_string().contains(&format!("--client={tenant} --client={}", github.client())),
            "{refused}"
        );
    }
}

/// Tokens that were issued because of another rule stay valid.
#[tokio::test]
async fn removing_a_rule_revokes_its_tokens() {
    let (test_env, ops, secrets) = setting().await;
    let app = &test_env.app;
    let [kubernetes, .., spiffe] = &platforms();
    for (tenant, secret) in TENANTS_MADE.into_iter().zip(secrets) {
        kubernetes.settle(&test_env, tenant, &ops).await;
        spiffe.settle(&test_env, tenant, &ops).await;
        let path = format!("{}/{}", clients_path(tenant), kubernetes.client());
        let rule = |platform: &Platform| {
            let mut rule = platform.document["rule"].clone();
            rule["issuer"] = platform.name.into();
            rule
        };
        let both = json!({ "federated": [rule(kubernetes), rule(spiffe)], "claims": { "pod": null } });
        assert_eq!(test_env.patch(&ops, &path, both).await.status, 200);
        let client = kubernetes.client();
        let token = async |platform: &Platform| {
            let assertion = platform.assertion(tenant, &json!({}));
            let form = [platform.form(&assertion), vec![("client_id", client.as_str())]].concat();
            app.post(&token_path(tenant), &form).await.text("access_token")
        };
        let (by_kubernetes, by_spiffe) = (token(kubernetes).await, token(spiffe).await);
        app.pass(2);
        test_env.patch(&ops, &path, json!({ "federated": [rule(spiffe)] })).await.assert_status(200);
        let active = async |token: &str| introspected(app, tenant, &secret, token).await["active"].clone();
        assert_eq!((active(&by_kubernetes).await, active(&by_spiffe).await), (json!(false), json!(true)));
    }
}

// [federation SPIFFE draft §5]
/// One case for each validation rule, with the pointer of its error.
#[tokio::test]
async fn invalid_issuers_and_rules_are_refused() {
    let (test_env, ops, _) = setting().await;
    for tenant in TENANTS_MADE {
        let path = format!("{TENANTS}/{tenant}");
        let assert_names = |refused: Answer, pointer: &str| {
            assert!(refused.pointers().iter().any(|at| at == pointer), "{pointer}: {refused:?}");
        };
        let ci = |more: Value| but(json!({ "issuer": "https://ci.example" }), more);
        for (issuer, pointer) in [
            (json!({ "issuer": "ci.example" }), "/issuer"),
            (json!({ "issuer": "http://ci.example" }), "/issuer"),
            (json!({ "issuer": "spiffe://example.org/ns" }), "/issuer"),
            (json!({ "issuer": "spiffe://example.org" }), ""),
            (ci(json!({ "jwks_uri": "ftp://x" })), "/jwks_uri"),
            (ci(json!({ "algorithms": ["HS256"] })), "/algorithms/0"),
            (ci(json!({ "jwks": { "keys": [{ "kty": "oct", "k": "AAAA" }] } })), "/jwks/keys/0"),
        ] {
            let refused = test_env.patch(&ops, &path, json!({ "trusted_issuers": { "ci": issuer } })).await;
            assert_names(refused, &format!("/trusted_issuers/ci{pointer}"));
        }
        let declared = json!({ "trusted_issuers": {
            "ci": { "issuer": "https://ci.example" },
            "mesh": { "issuer": "spiffe://example.org", "jwks_uri": "https://spire.example/bundle" },
        } });
        assert_eq!(test_env.patch(&ops, &path, declared).await.status, 200);
        let rule = json!({ "issuer": "ci", "subject": "a" });
        let foreign = json!({ "issuer": "spiffe://other.org", "subject": "spiffe://other.org/a" });
        for (changes, pointer) in [
            (json!({ "subject": "*" }), "/subject"),
            (json!({ "subject": "**:*/*" }), "/subject"),
            (json!({ "subject": "" }), "/subject"),
            (json!({ "issuer": "other" }), "/issuer"),
            (foreign, "/issuer"),
            (json!({ "issuer": "mesh", "subject": "spiffe://example.com/a" }), "/subject"),
            (json!({ "issuer": "mesh", "subject": "**" }), "/subject"),
            (json!({ "max_age": "2d" }), "/max_age"),
            (json!({ "claims": { "aud": "x" } }), "/claims/aud"),
            (json!({ "claims": { "x": {} } }), "/claims/x"),
        ] {
            let body = json!({ "client_id": "w", "federated": [but(rule.clone(), changes)] });
            let refused = test_env.post(&ops, &clients_path(tenant), body).await;
            assert_names(refused, &format!("/federated/0{pointer}"));
        }
        for (claims, federated, pointer) in [
            (json!({ "repo": { "from": "assertion.x" } }), json!([]), "/claims/repo"),
            (json!({ "repo": { "from": "x" } }), json!([rule]), "/claims/repo"),
            (json!({ "repo": { "from": "assertion.x", "a": 1 } }), json!([rule]), "/claims/repo"),
            (json!({ "sub": { "from": "assertion.sub" } }), json!([rule]), "/claims/sub"),
        ] {
            let body = json!({ "client_id": "w", "claims": claims, "federated": federated });
            assert_names(test_env.post(&ops, &clients_path(tenant), body).await, pointer);
        }
    }
}
