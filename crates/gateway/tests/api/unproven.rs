//! The work before a client is authenticated does not depend on how many clients and rules the
//! tenant has. Runs at two tenants.

use protocol::{JWT_BEARER, JWT_SPIFFE};
use registry::{ClientId, TrustRule, TrustRules};

use crate::documented::DOCUMENT;
use crate::prelude::*;

const CI: &str = "https://ci.example.com";

/// A client with rules from before patterns were limited.
fn worst(tenant: &str, nth: usize) -> Client {
    let pattern = |nth: usize| format!("{}**c", "**a".repeat(300 + nth));
    // Twenty rules each for more clients than a request reads.
    let count = if nth < 70 { 20 } else { 1 };
    let rules = (0..count).map(|nth| TrustRule::new(CI, &pattern(nth))).collect();
    let id = ClientId::parse(&format!("worst-{nth}")).unwrap();
    Client { federated: TrustRules(rules), ..Client::new(fixtures::tenant_id(tenant), id) }
}

/// Every path of a tenant that accepts a form, from the OpenAPI document.
fn paths() -> Vec<String> {
    let all = DOCUMENT["paths"].as_object().unwrap().iter();
    let takes_form = |operation: &Value| {
        let content = &operation["post"]["requestBody"]["content"];
        !content["application/x-www-form-urlencoded"].is_null()
    };
    let of_tenant = all.filter(|(path, operation)| path.contains("{id}") && takes_form(operation));
    of_tenant.map(|(path, _)| path.clone()).collect()
}

// [third 2]
#[tokio::test]
async fn cost_of_unauthenticated_requests_is_constant() {
    let paths = paths();
    for path in ["token", "introspect", "revoke", "par", "device_authorization"] {
        assert!(paths.iter().any(|all| all.ends_with(path)), "{path}");
    }
    let cost = async |app: &TestApp, tenant: &str, path: &str, subject: &str, nth: usize| {
        let path = path.replace("{id}", tenant);
        let claims =
            json!({ "iss": CI, "sub": format!("{subject}{nth}"), "aud": tenant, "exp": app.now() + 60 });
        let assertion = Forge::foreign().token_with(&json!({ "alg": "RS256" }), &claims);
        let mut spent = Vec::new();
        for (kind, secret) in [(Some(JWT_BEARER), None), (Some(JWT_SPIFFE), None), (None, Some("wrong"))] {
            let mut form = vec![("grant_type", "client_credentials"), ("token", "x")];
            if let Some(kind) = kind {
                form.extend([("client_assertion_type", kind), ("client_assertion", &*assertion)]);
            }
            let client = format!("nobody-{nth}");
            form.extend(
                secret
                    .map(|secret| [("client_id", &*client), ("client_secret", secret)])
                    .into_iter()
                    .flatten(),
            );
            let before = app.store.calls();
            let answer = app.post(&path, &form).await;
            assert!(answer.status < 500, "{path}: {answer:?}");
            let after = app.store.calls();
            spent.push((
                answer.status,
                after.total() - before.total(),
                after.clients_loaded - before.clients_loaded,
            ));
        }
        spent
    };
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let mut few = Vec::new();
        for path in &paths {
            few.push(cost(&app, tenant, path, "repo:", 1).await);
        }
        let clients: Vec<_> = (0..1_000).map(|nth| worst(tenant, nth)).collect();
        app.store.put_clients(&clients);
        app.pass(120);
        for (path, few) in paths.iter().zip(few) {
            let many = cost(&app, tenant, path, "repo:", 2).await;
            for ((status, calls, rows), of_few) in many.into_iter().zip(few) {
                assert!(
                    status == of_few.0 && calls <= of_few.1 && rows <= of_few.2,
                    "{path}: {calls} calls, {rows} rows"
                );
            }
        }
    }
}

// [third 2]
/// Rules of an older version stay valid, with a warning. Other settings of their client can still
/// be changed.
#[tokio::test]
async fn older_patterns_stay_valid_with_a_warning() {
    let (test_env, ops) = TestEnv::with_ops().await;
    let app = &test_env.app;
    for tenant in ["initech", "umbrella"] {
        let made = test_env.post(&ops, TENANTS, json!({ "id": tenant })).await;
        made.assert_status(201);
        test_env
            .post(&ops, &clients_path(tenant), json!({ "client_id": "worst-0" }))
            .await
            .assert_status(201);
        // The store contains rows of an older version, which the admin API would now refuse.
        app.store.put_client(worst(tenant, 0));
        app.pass(120);
        let path = format!("{}/worst-0", clients_path(tenant));
        let warns = |answer: &Answer| answer.json()["warnings"].to_string().contains("/federated/0/subject");
        let warned = test_env.get(&ops, &path).await;
        assert!(warned.status == 200 && warns(&warned), "the warning is missing");
        // Changing another setting is possible, but a new rule must keep the limits.
        let kept = test_env.patch(&ops, &path, json!({ "name": "renamed" })).await;
        assert_eq!(kept.status, 200, "{kept:?}");
        let rules = |subject: &str| json!({ "federated": [{ "issuer": CI, "subject": subject }] });
        for subject in ["**a**b**c", "a*:x", "x:*a*b*c*d*e", &format!("x:{}*", "a".repeat(255))] {
            let refused = test_env.patch(&ops, &path, rules(subject)).await;
            assert_eq!(refused.pointers(), ["/federated/0/subject"], "{subject}: {refused:?}");
        }
        let good = test_env.patch(&ops, &path, rules("repo:acme/*:**")).await;
        assert!(good.status == 200 && !warns(&good), "{good:?}");
        assert_eq!(test_env.patch(&ops, &path, rules("a-plain-subject")).await.status, 200);
    }
}

// [third 16]
#[tokio::test]
async fn overlapping_subjects_cause_a_warning() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for tenant in ["initech", "umbrella"] {
        test_env.post(&ops, TENANTS, json!({ "id": tenant })).await.assert_status(201);
        let client = |id: &str, subject: &str| {
            let claims = json!({ "ref_protected": ["true", true], "run": 65 });
            json!({ "client_id": id, "federated": [{ "issuer": CI, "subject": subject, "claims": claims }] })
        };
        let add = async |id: &str, subject: &str| {
            let added = test_env.post(&ops, &clients_path(tenant), client(id, subject)).await;
            assert_eq!(added.status, 201, "{added:?}");
            added.json()
        };
        let first = add("first", "repo:acme/*:main").await;
        assert!(!first["warnings"].to_string().contains("client_id"), "{first}");
        assert_eq!(first["federated"][0]["claims"], client("", "")["federated"][0]["claims"]);
        let second = add("second", "repo:acme/x:main").await;
        let warnings = second["warnings"].as_array().unwrap();
        let warned = warnings.iter().find(|warning| warning["pointer"] == "/federated/0/subject").unwrap();
        assert!(warned["detail"].as_str().unwrap().contains("client first has a rule"), "{warned}");
        assert!(!add("third", "repo:acme/y/z:main").await["warnings"].to_string().contains("has a rule"));
        let path = format!("{}/third", clients_path(tenant));
        let changed = client("third", "repo:acme/x:*")["federated"].clone();
        let changed = test_env.patch(&ops, &path, json!({ "federated": changed })).await.json();
        assert!(changed["warnings"].to_string().contains("has a rule for the same subjects"), "{changed}");
    }
}
