//! `ETag`, `If-Match` and `If-None-Match`: prevent lost updates (RFC 9110 §13).

use reqwest::Method;
use serde_json::json;

use crate::administrators::{Ask, BOSS, OPS, PLATFORM, TestEnv, ask, clients_path};
use crate::answer::Answer;
use crate::app::{ACME, GLOBEX};

const TENANTS: &str = "/api/v1/admin/tenants";

async fn with(test_env: &TestEnv, token: &str, method: Method, path: &str, header: (&str, &str)) -> Answer {
    let body = (method == Method::PATCH).then(|| json!({ "name": header.1 }));
    let headers = vec![(header.0, header.1.to_owned())];
    test_env.ask(token, Ask { body, headers, ..ask(method, path) }).await
}

async fn check(test_env: &TestEnv, token: &str, path: &str) {
    let looked = test_env.get(token, path).await;
    let first = looked.header("etag").to_owned();
    assert!(first.starts_with('"') && first.ends_with('"') && first.len() > 10, "{first}");
    assert_eq!(test_env.get(token, path).await.header("etag"), first, "it stays while nothing changes");
    for tags in [first.clone(), format!("W/{first}"), format!("\"x\", {first}"), "*".to_owned()] {
        let known = with(test_env, token, Method::GET, path, ("if-none-match", &tags)).await;
        assert_eq!(
            (known.status, known.body.as_str(), known.header("etag")),
            (304, "", first.as_str()),
            "{tags}"
        );
    }
    assert_eq!(with(test_env, token, Method::GET, path, ("if-none-match", "\"x\"")).await.status, 200);
    assert_eq!(test_env.ask(token, ask(Method::HEAD, path)).await.header("etag"), first);

    let patched = with(test_env, token, Method::PATCH, path, ("if-match", &first)).await;
    let second = patched.header("etag").to_owned();
    assert_eq!(patched.status, 200, "{}", patched.body);
    assert_ne!(first, second);
    assert_eq!(
        test_env.get(token, path).await.header("etag"),
        second,
        "the answer to a change has the new tag"
    );

    let (suspend, resume) = (format!("{path}/suspend"), format!("{path}/resume"));
    for stale in [first.clone(), format!("W/{second}"), "x".to_owned(), "\"\"".to_owned()] {
        for (method, path) in
            [(Method::PATCH, path), (Method::POST, &suspend), (Method::POST, &resume), (Method::DELETE, path)]
        {
            let refused = with(test_env, token, method.clone(), path, ("if-match", &stale)).await;
            refused.assert_problem(412, "stale");
        }
    }
    assert_eq!(test_env.get(token, path).await.header("etag"), second);
    for fresh in [format!("{first}, {second}"), "*".to_owned()] {
        let taken = with(test_env, token, Method::POST, &suspend, ("if-match", &fresh)).await;
        assert_eq!(taken.status, 200, "{}", taken.body);
        test_env.ask(token, ask(Method::POST, &resume)).await;
        test_env.patch(token, path, json!({ "name": first })).await;
    }
}

#[tokio::test]
async fn a_tenants_tag_guards_its_changes() {
    let test_env = TestEnv::start();
    let ops = test_env.token(PLATFORM, OPS).await;
    for id in ["initech", "umbrella"] {
        test_env.post(&ops, TENANTS, json!({ "id": id })).await;
        check(&test_env, &ops, &format!("{TENANTS}/{id}")).await;
    }
}

#[tokio::test]
async fn a_clients_tag_guards_its_changes() {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        let boss = test_env.token(tenant, BOSS).await;
        test_env.post(&boss, &clients_path(tenant), json!({ "client_id": "web" })).await;
        check(&test_env, &boss, &format!("{}/web", clients_path(tenant))).await;
    }
}
