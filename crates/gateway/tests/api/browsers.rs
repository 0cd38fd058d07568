//! The security headers of every response, and that a page of another site cannot read the
//! responses of a loopback listener.

use crate::prelude::*;

// [attacks #8]: Codes and tokens in `Referer`, logs or history | `no-referrer` on every answer; no query in
//   any log line; a code lives a minute
// [rfc9700 §4.2]: Credentials leak by `Referer` | Every answer has `Referrer-Policy: no-referrer`, also pages
//   and redirects
// [found 22]: Answers had no `nosniff` and no HSTS; a page in an operator's browser could read the
//   administration of a listener on loopback by DNS rebinding | fixed | `X-Content-Type-Options`,
//   `Referrer-Policy`; HSTS where `public_url` is https and not loopback; on paths of the administration a
//   `Host` name other than that of `public_url`, localhost or the listener's `hosts` is refused (421)
#[tokio::test]
async fn every_answer_forbids_content_sniffing_and_referrers() {
    for (strict_transport, expected) in [(false, ""), (true, "max-age=31536000")] {
        let app = TestApp::start_with(&gateway::Options { strict_transport, ..options(ACME) });
        let mut answers = Vec::new();
        for tenant in [ACME, GLOBEX] {
            answers.push(app.post(&token_path(tenant), &[]).await);
            for path in ["/strategies", "/.well-known/jwks.json", "/clients"] {
                answers.push(app.get(&tenant_path(tenant, path)).await);
            }
        }
        for path in ["/health/live", "/metrics", "/docs", "/openapi.json", "/applications", "/x"] {
            answers.push(app.get(path).await);
        }
        for answer in answers {
            let found = ["x-content-type-options", "referrer-policy", "strict-transport-security"];
            let found = found.map(|name| answer.header(name));
            assert_eq!(found, ["nosniff", "no-referrer", expected], "{answer:?}");
        }
    }
}

// [V13 13.4.5], [found 22]
#[tokio::test]
async fn admin_endpoints_refuse_foreign_host_names() {
    let mut options = options(ACME);
    options.public_url = "https://auth.example.com".to_owned();
    options.listeners[0].hosts = vec!["latchkey.internal".to_owned()];
    let app = TestApp::start_with(&options);
    for (host, ours) in [
        ("127.0.0.1:3000", true),
        ("[::1]:3000", true),
        ("localhost:3000", true),
        ("auth.example.com", true),
        ("LATCHKEY.internal.:9000", true),
        ("evil.example:3000", false),
        ("auth.example.com.evil.example", false),
    ] {
        for path in ["/metrics", "/applications", TENANTS, "/api/v1/tenant/acme/clients"] {
            let answer = Answer::to(app.request(Method::GET, path).header("host", host)).await;
            assert_eq!(answer.status == 421, !ours, "{host} {path}: {answer:?}");
            if !ours {
                assert_eq!(answer.header("x-content-type-options"), "nosniff");
                match path {
                    "/metrics" => answer.assert_some_refusal(),
                    "/applications" => assert_eq!(answer.json()["code"], "LK-4210"),
                    _ => answer.assert_problem(421, "misdirected"),
                }
            }
        }
        // Services may call public endpoints by any host name.
        for tenant in [ACME, GLOBEX] {
            let request = app.request(Method::GET, &tenant_path(tenant, "/strategies"));
            assert_eq!(Answer::to(request.header("host", host)).await.status, 200, "{host}");
        }
    }
    // The authority of an absolute request target overrides the header.
    for (target, host, status) in
        [("http://evil.example/metrics", "localhost", 421), ("http://localhost/metrics", "evil.example", 200)]
    {
        let request = format!("GET {target} HTTP/1.1\r\nhost: {host}\r\n\r\n");
        assert_eq!(Answer::to_bytes(&mut app.connect().await, request).await.status, status, "{target}");
    }
    let request = "GET /metrics HTTP/1.0\r\n\r\n";
    assert_eq!(Answer::to_bytes(&mut app.connect().await, request).await.status, 200, "names no host");
}
