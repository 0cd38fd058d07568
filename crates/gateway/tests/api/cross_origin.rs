//! Which responses a script of another origin may read: preflights and requests at every route.

use crate::prelude::*;

const ORIGIN: &str = "https://app.example.com";
/// Path suffixes of the endpoints that clients in browsers use.
const SHARED: [&str; 9] = [
    "/token",
    "/revoke",
    "/userinfo",
    "/par",
    "/device_authorization",
    "/jwks.json",
    "/jwks",
    "/openid-configuration",
    "oauth-authorization-server",
];

fn is_shared(path: &str) -> bool {
    let is_named =
        SHARED.iter().any(|end| path.ends_with(end)) || path.contains("/oauth-authorization-server/");
    is_named && !routes::is_admin(path)
}

async fn send(app: &TestApp, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = app.request(method, path);
    Answer::to(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
}

// [attacks #29]: Scripts of other origins that read what cookies open | No such answer is shared with another
//   origin
// [rfc9700 §2.6 c]: CORS may be served at the token endpoint and never at an authorization endpoint | Token,
//   revocation and userinfo endpoint, key sets and metadata have `Access-Control-Allow-Origin: *`, and no
//   route that reads a cookie
#[tokio::test]
async fn only_client_endpoints_are_readable_across_origins() {
    let app = TestApp::start();
    let mut shared = 0;
    for tenant in [ACME, GLOBEX] {
        for (method, pattern) in routes::all() {
            let path = routes::placed(&pattern, tenant);
            let method: Method = method.to_uppercase().parse().unwrap();
            let expected = if is_shared(&pattern) { "*" } else { "" };
            shared += u32::from(is_shared(&pattern));
            let preflight = [("origin", ORIGIN), ("access-control-request-method", method.as_str())];
            let answer = send(&app, Method::OPTIONS, &path, &preflight).await;
            assert_eq!(answer.status == 204, is_shared(&pattern), "{path}: {answer:?}");
            assert_eq!(answer.header("access-control-allow-origin"), expected, "{path}");
            let called = send(&app, method.clone(), &path, &[("origin", ORIGIN)]).await;
            assert_eq!(called.header("access-control-allow-origin"), expected, "{method} {path}: {called:?}");
            for answer in [answer, called] {
                assert_eq!(answer.header("access-control-allow-credentials"), "", "{path}");
                let sets = answer.header("set-cookie");
                assert!(expected.is_empty() || sets.is_empty(), "{path} counts cookies and is shared");
            }
        }
    }
    assert!(shared >= 2 * 15, "{shared}");
}

#[tokio::test]
async fn cors_headers_allow_and_expose_client_headers() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let path = tenant_path(tenant, "/oauth/token");
        let preflight = [("origin", ORIGIN), ("access-control-request-method", "POST")];
        let answer = send(&app, Method::OPTIONS, &path, &preflight).await;
        assert_eq!(answer.header("access-control-allow-methods"), "GET, POST");
        // Headers of tracing libraries and MCP clients must be allowed, such as `traceparent` and
        // `mcp-protocol-version`.
        assert_eq!(answer.header("access-control-allow-headers"), "*, Authorization, Content-Type, DPoP");
        assert_eq!(answer.header("access-control-max-age"), "7200");
        let refused = send(&app, Method::POST, &path, &[("origin", ORIGIN)]).await;
        assert_eq!(refused.header("access-control-allow-origin"), "*", "{refused:?}");
        let exposed = refused.header("access-control-expose-headers");
        assert_eq!(exposed, "DPoP-Nonce, Retry-After, WWW-Authenticate");
        // An OPTIONS request that is not a preflight gets 405.
        send(&app, Method::OPTIONS, &path, &[("origin", ORIGIN)]).await.assert_status(405);
    }
}

/// A cache may store the response to a request without an origin, and return it to a script later.
#[tokio::test]
async fn cacheable_documents_allow_any_origin_without_origin_header() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        for path in ["/.well-known/jwks.json", "/.well-known/openid-configuration"] {
            let answer = app.get(&tenant_path(tenant, path)).await;
            assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, "*"));
        }
        let token = app.post(&tenant_path(tenant, "/oauth/token"), &[]).await;
        assert_eq!(token.header("access-control-allow-origin"), "");
    }
}
