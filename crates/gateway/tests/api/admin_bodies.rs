//! Every request body gets an answer, and none causes an internal error.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::prelude::*;

const NAMES: &str = "id client client_id client_secret name issuer issuer_aliases strategies oauth2 enabled signing \
    algorithm skew access_token lifetime format typ resource_servers scopes audiences resources grace expires_at token \
    introspection key emergency confirm \u{e9}/~";

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(
            "ES256 jwt own https://a.example acme any urn:latchkey:x".split(' ').collect::<Vec<_>>()
        )
        .prop_map(Value::from),
        Just(Value::from("2027-01-31T12:00:00Z")),
    ]
}

fn document() -> impl Strategy<Value = Value> {
    let json = leaf().prop_recursive(4, 48, 8, |inner| {
        let name = prop::sample::select(NAMES.split(' ').collect::<Vec<_>>());
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..7).prop_map(|members| {
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            }),
        ]
    });
    prop::collection::vec((prop::sample::select(NAMES.split(' ').collect::<Vec<_>>()), json), 0..7)
        .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The valid document, or a copy with a few changed bytes.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    (document(), changes).prop_map(|(document, changes)| {
        let mut bytes = document.to_string().into_bytes();
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    })
}

#[test]
fn no_body_causes_a_server_error() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let test_env = TestEnv::start();
    let (ops, bosses, keepers) = runtime.block_on(async {
        let bosses = [test_env.token(ACME, BOSS).await, test_env.token(GLOBEX, BOSS).await];
        let keepers = [test_env.token(ACME, KEEPER).await, test_env.token(GLOBEX, KEEPER).await];
        (test_env.token(PLATFORM, OPS).await, bosses, keepers)
    });
    let mut admin_operations = vec![(Method::POST, "/api/v1/admin/tenants".to_owned(), &ops)];
    for (tenant, boss) in [ACME, GLOBEX].into_iter().zip(&bosses) {
        let clients = clients_path(tenant);
        admin_operations.push((Method::PATCH, format!("{TENANTS}/{tenant}"), &ops));
        admin_operations.push((Method::POST, clients.clone(), boss));
        admin_operations.push((Method::PATCH, format!("{clients}/svc"), boss));
        admin_operations.push((Method::POST, format!("{clients}/svc/secrets"), boss));
        admin_operations.push((Method::POST, format!("{clients}/svc/secrets/rotate"), boss));
        admin_operations.push((Method::PATCH, format!("{clients}/svc/secrets/1"), boss));
    }
    for (tenant, keeper) in [ACME, GLOBEX].into_iter().zip(&keepers) {
        admin_operations.push((Method::POST, keys_path(tenant), &ops));
        admin_operations.push((Method::POST, format!("{}/rotate", keys_path(tenant)), keeper));
    }
    let config = Config { cases: 64, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&body(), |body| {
            for (method, path, token) in &admin_operations {
                let request = test_env.app.request(method.clone(), path).bearer_auth(token);
                let request = request.header("content-type", "application/json").body(body.clone());
                let answer = runtime.block_on(Answer::to(request));
                prop_assert!(answer.status < 500, "{} {}: {:?}", method, path, answer);
                if answer.status >= 400 {
                    prop_assert_eq!(answer.header("content-type"), "application/problem+json");
                }
            }
            Ok(())
        })
        .unwrap();
}
