//! The access log line of each request: its fields, and that no line contains a secret of the
//! request.

use gateway::{ForwardingHeader, TrustedPeers};

use crate::capture::Line;
use crate::prelude::*;

/// The log line of a response. Waits for it, because the gateway writes the line after the
/// response.
pub(crate) async fn line_of(answer: &Answer) -> Line {
    let id = answer.header("x-request-id");
    assert_eq!(id.len(), 16, "{answer:?}");
    let is_its = |line: &Line| line.target == "access" && line.get("request_id") == id;
    let line = line_that(is_its).await;
    assert_eq!(capture().lines().iter().filter(|line| is_its(line)).count(), 1, "two lines of one request");
    line
}

async fn line_that(is_it: impl Fn(&Line) -> bool) -> Line {
    for _ in 0..500 {
        let mut lines = capture().lines().into_iter();
        if let Some(line) = lines.find(&is_it) {
            return line;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no such line");
}

async fn check(answer: &Answer, method: &str, route: &str, tenant: &str, client: &str) {
    let line = line_of(answer).await;
    let names = line.fields.iter().map(|(name, _)| *name);
    let names: Vec<_> = names.filter(|name| *name != "auth_method").collect();
    let expected = [
        "method",
        "route",
        "status",
        "tenant",
        "client_id",
        "latency_us",
        "request_id",
        "address",
        "user_agent",
    ];
    let (of_all, of_refused) = names.split_at(expected.len());
    assert_eq!(of_all, expected);
    assert_eq!(!of_refused.is_empty(), answer.status >= 400, "{line:?}");
    let values = ["method", "route", "status", "tenant", "client_id"].map(|name| line.get(name));
    assert_eq!(values, [method, route, &answer.status.to_string(), tenant, client]);
    assert!(line.get("latency_us").parse::<u64>().unwrap() < 60_000_000, "{line:?}");
}

#[tokio::test]
async fn each_request_writes_one_log_line() {
    capture();
    let app = TestApp::start();
    let token_route = "/api/v1/tenant/{id}/oauth/token";
    for tenant in [ACME, GLOBEX] {
        let ask = async |client: &str, secret: &str| app.fetch(tenant, client, secret).await;
        let good = ask(SVC, app.secrets(tenant).of(SVC)).await;
        check(&good, "POST", token_route, tenant, SVC).await;
        assert_eq!(line_of(&good).await.get("auth_method"), "client_secret_post");
        check(&ask(SVC, "wrong").await, "POST", token_route, tenant, "-").await;
        let strategies = app.get(&tenant_path(tenant, "/strategies")).await;
        check(&strategies, "GET", "/api/v1/tenant/{id}/strategies", tenant, "-").await;
        let head = app.request(Method::HEAD, &tenant_path(tenant, "/.well-known/jwks.json"));
        let head = Answer::to(head.header("x-request-id", "0000000000000000")).await;
        assert_ne!(head.header("x-request-id"), "0000000000000000");
        check(&head, "HEAD", "/api/v1/tenant/{id}/.well-known/jwks.json", tenant, "-").await;
    }
    check(&app.post("/oauth/token", &[]).await, "POST", "/oauth/token", ACME, "-").await;
    check(&app.get("/oauth/token").await, "GET", "/oauth/token", "-", "-").await;
    check(
        &app.get(&tenant_path("initech", "/strategies")).await,
        "GET",
        "/api/v1/tenant/{id}/strategies",
        "-",
        "-",
    )
    .await;
    check(&app.get("/no/such/path").await, "GET", "-", "-", "-").await;
    let resource = app.request(Method::GET, RESOURCE).bearer_auth(app.token(ACME).await);
    check(&Answer::to(resource).await, "GET", RESOURCE, ACME, SVC).await;
}

/// The connection itself responds to malformed requests. Each leaves one line and is counted. The
/// line contains no path and no tenant, whatever the request contains.
#[tokio::test]
async fn malformed_requests_are_logged_and_counted() {
    capture();
    let app = TestApp::start();
    let token = |tenant: &str, more: &str| format!("POST {} HTTP/1.1\r\n{more}", token_path(tenant));
    for (bytes, status) in [
        ("\u{1}\r\n\r\n".to_owned(), 400),
        (token(ACME, "host: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n"), 400),
        (token(GLOBEX, &format!("x: {}\r\n\r\n", "y".repeat(200_000))), 431),
        (token(GLOBEX, "host: "), 408),
    ] {
        let mut connection = app.connect().await;
        let answer = Answer::to_bytes(&mut connection, &bytes).await;
        assert_eq!(answer.status, status, "{answer:?}");
        drop(connection);
        let line = line_that(|line| line.get("method") == "-" && line.get("status") == status.to_string());
        let line = line.await;
        assert_eq!(
            ["route", "tenant", "client_id", "request_id", "user_agent"].map(|name| line.get(name)),
            ["-"; 5]
        );
        assert_eq!(line.get("address"), "127.0.0.1");
        let took = line.get("latency_us").parse::<u64>().unwrap();
        assert!(took < 60_000_000 && (status != 408 || took > 4_500_000), "{line:?}");
    }
    for (status, count) in [(400, 2), (431, 1), (408, 1)] {
        let series = format!(
            "latchkey_http_requests_total{{route=\"unknown\",status=\"{status}\",error=\"\"}} {count}\n"
        );
        let numbers = app.get("/metrics").await.body;
        assert!(numbers.contains(&series), "{series}{numbers}");
    }
}

#[tokio::test]
async fn log_line_has_caller_address_and_user_agent() {
    capture();
    let from = vec!["127.0.0.1/32".parse().unwrap()];
    let proxies = TrustedPeers { from, header: ForwardingHeader::XForwardedFor };
    for tenant in [ACME, GLOBEX] {
        for (trusted, address) in [(None, "127.0.0.1"), (Some(proxies.clone()), "192.0.2.7")] {
            let mut options = options(tenant);
            options.listeners[0].trusted_proxies = trusted;
            let app = TestApp::start_with(&options);
            for (agent, logged) in [
                (None, "-".to_owned()),
                (Some(format!("{tenant}-agent/1.0 (x)")), format!("{tenant}-agent/1.0 (x)")),
                (Some("a\"b\tc".to_owned()), "a?b?c".to_owned()),
                // A terminal would print the rest of the line from right to left.
                (Some("a\u{202e}b".to_owned()), "a???b".to_owned()),
                (Some("y".repeat(500)), "y".repeat(128)),
            ] {
                let mut request = app.request(Method::GET, &tenant_path(tenant, "/strategies"));
                request = request.header("x-forwarded-for", "198.51.100.9, 192.0.2.7");
                if let Some(agent) = agent {
                    request = request.header("user-agent", agent);
                }
                let line = line_of(&Answer::to(request).await).await;
                assert_eq!((line.get("address"), line.get("user_agent")), (address, logged.as_str()));
            }
        }
    }
}

const CANARY: &str = "canary-5f1c";

// [parties #16]: those who read logs and metrics | see tenants, client ids, routes, addresses | see a secret,
//   a token, a header, a body or a path as it was sent
// [rfc9700 §4.9.2]: A compromised resource server | Ours stores and logs no token, and does not accept tokens
//   for others
// [V13 13.4.2]: 2 | No debug mode | There is none; the most detailed log level shows no secret
// [attacks #8], [V10 10.1.1]
#[tokio::test]
async fn no_log_line_contains_a_secret() {
    capture();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let app = TestApp::start_with(&options(tenant));
        let token = app.token(tenant).await;
        let mut last = provoke(&app, tenant, &token).await;
        for failure in [Failure::Unavailable, Failure::Fault] {
            app.store.fail_with(failure);
            last = provoke(&app, tenant, &token).await;
        }
        line_of(&last).await;
        let mut secrets = vec![CANARY.to_owned(), token.clone()];
        secrets.extend(token.split('.').map(str::to_owned));
        for owner in [tenant, other] {
            secrets.extend([SVC, CHOSEN].map(|client| app.secrets(owner).of(client).to_owned()));
        }
        let lines = capture().lines();
        assert!(lines.iter().any(|line| line.target != "access"), "faults are logged too");
        for line in lines {
            let text = format!("{line:?}");
            for secret in &secrets {
                assert!(!text.contains(secret.as_str()), "{secret} in {text}");
            }
        }
    }
}

/// Sends the canary, a secret and a token in every place where a caller can put text.
async fn provoke(app: &TestApp, tenant: &str, token: &str) -> Answer {
    let secret = app.secrets(tenant).of(SVC);
    let chosen = app.secrets(tenant).of(CHOSEN);
    let path = token_path(tenant);
    let grant = ("grant_type", "client_credentials");
    for form in [
        vec![grant, ("client_id", SVC), ("client_secret", secret)],
        vec![grant, ("client_id", CHOSEN), ("client_secret", chosen)],
        vec![grant, ("client_id", SVC), ("client_secret", CANARY)],
        vec![grant, ("client_id", CANARY), ("client_secret", secret)],
        vec![grant, ("client_id", secret), ("client_secret", SVC)],
        vec![grant, ("client_id", token), ("client_secret", CANARY)],
        vec![grant, ("client_id", SVC), ("client_assertion", token), ("client_assertion_type", CANARY)],
        vec![("grant_type", CANARY), (CANARY, CANARY)],
        vec![grant, ("client_id", SVC), ("client_secret", secret), ("scope", "canary-5f1c\u{e9}")],
        vec![grant, ("client_id", SVC), ("client_secret", secret), ("scope", secret)],
        vec![grant, ("client_id", SVC), ("client_secret", secret), ("scope", token)],
        vec![grant, ("client_id", SVC), ("client_secret", secret), ("resource", CANARY)],
        vec![(CANARY, "a"), (CANARY, "b"), grant],
    ] {
        app.post(&path, &form).await;
        app.post(&tenant_path(tenant, "/oauth/introspect"), &[&form[..], &[("token", token)]].concat()).await;
    }
    for target in [
        format!("{path}?client_secret={CANARY}&access_token={token}"),
        tenant_path(CANARY, "/strategies"),
        format!("/{CANARY}"),
        format!("/api/v1/protected-resource?access_token={token}"),
    ] {
        for value in [format!("Bearer {token}"), format!("Basic {CANARY}"), CANARY.to_owned()] {
            for method in [Method::GET, Method::POST] {
                let request = app.request(method, &target).header("authorization", &value);
                Answer::to(request.header("cookie", CANARY).header("x-request-id", CANARY)).await;
            }
        }
    }
    let bytes = format!("GET /{CANARY} \u{e9} HTTP/1.1\r\n{CANARY}\r\n\r\n");
    Answer::to_bytes(&mut app.connect().await, bytes).await;
    app.get("/openapi.json").await
}
