//! Errors of the admin API (RFC 9457), for every path and every kind of invalid request.

use crate::admin_access::admin_operations;
use crate::prelude::*;
use crate::routes::placed;

#[tokio::test]
async fn listener_without_admin_surface_answers_unknown_path() {
    for tenant in [ACME, GLOBEX] {
        let mut options = options(tenant);
        options.listeners[0].surface.admin = false;
        let test_env = TestEnv::over(TestApp::start_with(&options));
        let ops = test_env.token(PLATFORM, OPS).await;
        for (method, path) in admin_operations() {
            let path = placed(&path, tenant);
            let answer = Answer::to(test_env.app.request(method, &path).bearer_auth(&ops)).await;
            answer.assert_problem(404, "not-found");
            assert_eq!(answer.json()["detail"], "Unknown path", "{path}");
        }
    }
}

#[tokio::test]
async fn wrong_method_is_answered_with_the_allowed_methods() {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        for (path, allow) in [
            (TENANTS.to_owned(), "GET, HEAD, POST"),
            (format!("{TENANTS}/{tenant}"), "GET, HEAD, PATCH, DELETE"),
            (format!("{TENANTS}/{tenant}/suspend"), "POST"),
            ("/api/v1/admin/audit".to_owned(), "GET, HEAD"),
            (clients_path(tenant), "GET, HEAD, POST"),
            (format!("{}/svc/secrets/rotate", clients_path(tenant)), "POST"),
            (format!("{}/svc/secrets/1", clients_path(tenant)), "PATCH, DELETE"),
            (keys_path(tenant), "GET, HEAD, POST"),
            (format!("{}/rotate", keys_path(tenant)), "POST"),
            (format!("{}/status", keys_path(tenant)), "GET, HEAD"),
            (format!("{}/oauth2-key-1", keys_path(tenant)), "GET, HEAD, DELETE"),
        ] {
            for method in [Method::PUT, Method::OPTIONS] {
                let answer = Answer::to(test_env.app.request(method, &path)).await;
                answer.assert_problem(405, "method-not-allowed");
                assert_eq!(answer.header("allow"), allow, "{path}");
            }
        }
    }
}

#[tokio::test]
async fn each_error_of_a_body_has_its_pointer() {
    let (test_env, ops) = TestEnv::with_ops().await;
    let body = json!({
        "id": "initech", "nmae": "x", "signing": { "skew": "soon" }, "client": { "scopes": ["a", 7] },
    });
    let refused = test_env.post(&ops, TENANTS, body).await;
    refused.assert_faulty(&["/client/scopes/1", "/nmae", "/signing/skew"]);
    assert!(refused.body.contains("`name`"), "{}", refused.body);
    for (tenant, boss) in test_env.of_each(BOSS).await {
        let path = clients_path(tenant);
        for (body, pointer) in [
            (r#"{"name":"a","name":"b"}"#, "/name"),
            (r#"{"token":{"issuer":"a","issuer":"b"}}"#, "/token/issuer"),
            (r#"{"client_secret":7}"#, "/client_secret"),
            (r#"{"scope":["a"]}"#, "/scope"),
            ("[]", ""),
            ("null", ""),
            ("{", ""),
            ("{}{}", ""),
            ("\u{feff}{}", ""),
            (r#"{"client_secret":"hunter2","#, ""),
            (r#"{"client_secret":["hunter2"]}"#, "/client_secret"),
        ] {
            let request = test_env.app.request(Method::POST, &path).bearer_auth(&boss);
            let answer = Answer::to(request.header("content-type", "application/json").body(body)).await;
            answer.assert_faulty(&[pointer]);
            assert!(!answer.body.contains("hunter2"), "{}", answer.body);
        }
    }
}

// [found 13]
#[tokio::test]
async fn number_of_reported_errors_is_limited() {
    for tenant in [ACME, GLOBEX] {
        let test_env = TestEnv::start();
        let boss = test_env.token(tenant, BOSS).await;
        let repeated = |name: usize| {
            let members = r#","a":0"#.repeat((65_000 - name) / 6);
            format!(r#"{{"{}":[{{"a":0{members}}}]}}"#, "k".repeat(name))
        };
        let unknown: Vec<_> = (0..900).map(|number| format!(r#""scope{number:059}":0"#)).collect();
        for body in [repeated(1), repeated(250), repeated(30_000), format!("{{{}}}", unknown.join(","))] {
            let request = test_env.app.request(Method::POST, &clients_path(tenant)).bearer_auth(&boss);
            let answer = Answer::to(request.header("content-type", "application/json").body(body)).await;
            answer.assert_problem(400, "invalid-request");
            let errors = answer.json()["errors"].as_array().unwrap().len();
            assert!((1..=32).contains(&errors) && answer.body.len() < 16 * 1024, "{errors} {}", answer.body);
        }
    }
}

#[tokio::test]
async fn body_of_wrong_type_or_size_is_refused() {
    let test_env = TestEnv::start();
    for (tenant, boss) in test_env.of_each(BOSS).await {
        let path = clients_path(tenant);
        let post = || test_env.app.request(Method::POST, &path).bearer_auth(&boss);
        for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""] {
            let request = post().header("content-type", media_type).body("{}");
            Answer::to(request).await.assert_problem(415, "unreadable-body");
        }
        Answer::to(post().body("{}")).await.assert_problem(415, "unreadable-body");
        let cases = ["application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json"];
        for media_type in cases {
            let request = post().header("content-type", media_type).body("{}");
            assert_eq!(Answer::to(request).await.status, 201, "{media_type}");
        }
        let large = format!("{{\"name\":\"{}\"}}", "x".repeat(64 * 1024));
        let request = post().header("content-type", "application/json").body(large);
        Answer::to(request).await.assert_problem(413, "unreadable-body");
    }
}

// [limits #3]: time for a body | 10 s | 408, connection closed
#[tokio::test]
async fn missing_body_times_out_after_ten_seconds() {
    let test_env = TestEnv::start();
    let boss = test_env.token(GLOBEX, BOSS).await;
    let mut connection = test_env.app.connect().await;
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {boss}\r\ncontent-type: application/json\r\n\
         content-length: 2\r\n\r\n{{",
        clients_path(GLOBEX)
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let answer = Answer::next(&mut connection).await;
    answer.assert_problem(408, "unreadable-body");
    assert_eq!(answer.header("connection"), "close");
}

/// A caller without permission learns nothing about the request, and its body is not read.
#[tokio::test]
async fn authorization_is_checked_before_the_body_is_read() {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        let request = test_env.app.request(Method::POST, &clients_path(tenant));
        let request = request.header("content-type", "text/plain").body("x".repeat(100_000));
        Answer::to(request).await.assert_problem(401, "authentication-required");
    }
}

#[tokio::test]
async fn store_failure_is_answered_as_a_problem() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for tenant in [ACME, GLOBEX] {
        let cases = [(Failure::Unavailable, 503, "unavailable"), (Failure::Fault, 500, "server-error")];
        for (failure, status, kind) in cases {
            test_env.app.store.fail_with(failure);
            for path in [TENANTS.to_owned(), clients_path(tenant)] {
                let answer = test_env.get(&ops, &path).await;
                answer.assert_problem(status, kind);
                assert_eq!(answer.headers.contains_key("retry-after"), status == 503);
            }
            test_env.app.store.fail_with(None);
        }
        assert_eq!(test_env.get(&ops, &clients_path(tenant)).await.status, 200);
    }
}
