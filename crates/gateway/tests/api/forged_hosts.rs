//! The host in a request never appears in a response, redirect, page, document, cookie or error.
//! Runs at two tenants.

use crate::prelude::*;

/// Headers from which some server, framework or proxy takes a host name. Each value contains
/// `evil.example`.
const FORGED: [&[(&str, &str)]; 26] = [
    &[("host", "evil.example")],
    &[("host", "EVIL.example:3000")],
    &[("host", "evil.example.")],
    &[("host", "xn--evil.example:443")],
    &[("host", "localhost:3000.evil.example")],
    &[("host", "localhost.evil.example:3000")],
    &[("host", "evil.example@localhost:3000")],
    &[("host", "localhost:3000@evil.example")],
    &[("host", "localhost:3000/evil.example")],
    &[("host", "localhost:3000#evil.example")],
    &[("host", "localhost:3000?evil.example")],
    &[("host", "localhost:3000, evil.example")],
    &[("host", "localhost:3000 evil.example")],
    &[("host", "[::1]evil.example")],
    &[("host", "\"><script src=//evil.example></script>")],
    &[("host", "evil.example"), ("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "https")],
    &[("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "https"), ("x-forwarded-port", "443")],
    &[("forwarded", "host=evil.example;proto=https")],
    &[("forwarded", "for=192.0.2.1;host=\"evil.example:443\", for=192.0.2.2;host=evil.example")],
    &[("x-host", "evil.example")],
    &[("x-original-host", "evil.example"), ("x-forwarded-server", "evil.example")],
    &[("x-http-host-override", "evil.example")],
    &[("x-original-url", "https://evil.example/"), ("x-rewrite-url", "https://evil.example/")],
    &[("x-forwarded-prefix", "//evil.example"), ("x-forwarded-path", "//evil.example")],
    &[("x-forwarded-uri", "https://evil.example/"), ("x-script-name", "//evil.example")],
    &[("referer", "https://evil.example/"), ("x-forwarded-base-url", "https://evil.example")],
];

/// A request, and the random parts of its response.
struct Asked<'a> {
    method: Method,
    path: String,
    form: Vec<(&'a str, &'a str)>,
}

fn get<'a>(path: impl Into<String>) -> Asked<'a> {
    Asked { method: Method::GET, path: path.into(), form: Vec::new() }
}

fn post<'a>(path: String, form: &[(&'a str, &'a str)]) -> Asked<'a> {
    Asked { method: Method::POST, path, form: form.to_vec() }
}

/// Requests for pages, redirects, documents and errors of a tenant.
fn asked(tenant: &str) -> Vec<Asked<'static>> {
    let at = |rest: &str| tenant_path(tenant, rest);
    vec![
        get(authorize_path(tenant, &[("prompt", "login")])),
        get(authorize_path(tenant, &[("prompt", "none"), ("scope", "openid phone")])),
        get(authorize_path(tenant, &[])),
        get(authorize_path(tenant, &[("client_id", "nobody")])),
        get(authorize_path(tenant, &[("redirect_uri", "https://other.example")])),
        get(authorize_path("nobody", &[])),
        post(at("/oauth/authorize"), &authorization_request(&[])),
        post(at("/oauth/logout"), &[("state", "s1")]),
        get(at("/oauth/logout")),
        get(at("/device")),
        get(at("/account")),
        post(at("/oauth/sign-in"), &[("flow", "x")]),
        post(at("/device"), &[("flow", "x")]),
        post(at("/account"), &[("flow", "x")]),
        post(at("/oauth/device_authorization"), &[("client_id", "web"), ("scope", "openid")]),
        post(at("/oauth/device_authorization"), &[("client_id", "nobody")]),
        post(at("/oauth/par"), &authorization_request(&[])),
        post(at("/oauth/par"), &authorization_request(&[("redirect_uri", "https://other.example")])),
        post(token_path(tenant), &[("grant_type", "authorization_code"), ("client_id", "web")]),
        post(token_path(tenant), &[("grant_type", "client_credentials"), ("client_id", "svc")]),
        get(at("/oauth/userinfo")),
        get(at("/.well-known/openid-configuration")),
        get(at("/.well-known/jwks.json")),
        get(at("/strategies")),
        get(at("/nothing")),
        get(token_path(tenant)),
        get(RESOURCE),
        get("/oauth2/authorize"),
        get("/device"),
        get("/docs/errors"),
    ]
}

/// The response without its random parts.
fn said(answer: &Answer) -> (u16, String, String, String) {
    let mut body = answer.body_of_any();
    if let Ok(Value::Object(mut members)) = serde_json::from_str(&body) {
        for random in ["device_code", "user_code", "verification_uri_complete", "request_uri"] {
            members.remove(random);
        }
        body = Value::Object(members).to_string();
    }
    for before in ["nonce=\"", "name=\"flow\" value=\""] {
        let random = body.split_once(before).map(|(_, rest)| rest.split('"').next().unwrap().to_owned());
        body = random.map_or(body.clone(), |random| body.replace(&random, ""));
    }
    let mut location = answer.header("location").to_owned();
    if let Some((_, code)) = location.split_once("code=") {
        location = location.replace(code.split('&').next().unwrap(), "");
    }
    (answer.status, location, answer.header("www-authenticate").to_owned(), body)
}

#[track_caller]
fn assert_copies_nothing(answer: &Answer, what: &str) {
    let all = format!("{:?} {}", answer.headers, answer.body).to_lowercase();
    assert!(!all.contains("evil.example"), "{what}: {answer:?}");
    for cookie in answer.headers.get_all("set-cookie") {
        assert!(!cookie.to_str().unwrap().to_lowercase().contains("domain"), "{what}: {cookie:?}");
    }
}

fn with_headers(request: RequestBuilder, headers: &[(&str, &str)]) -> RequestBuilder {
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
}

fn prepare(app: &TestApp, tenant: &str) {
    furnish(app, tenant, |client| {
        public(client);
        client.grant_types.push(GrantType::DeviceCode);
    });
}

// [attacks #23]: A forged `Host`, `Forwarded` or the like | 26 sets of headers at pages, redirects, documents
//   and errors: the answers are the same
#[tokio::test]
async fn forged_host_headers_do_not_change_responses() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        prepare(&app, tenant);
        let mut browser = Browser::new(&app);
        browser.code(tenant, &[]).await;
        for Asked { method, path, form } in asked(tenant) {
            let request = || {
                let request = browser.request(method.clone(), &path);
                if form.is_empty() { request } else { request.header("origin", PUBLIC_URL).form(&form) }
            };
            let expected = said(&Answer::to(request()).await);
            for headers in FORGED {
                let what = format!("{method} {path} with {headers:?}");
                let answer = Answer::to(with_headers(request(), headers)).await;
                assert_copies_nothing(&answer, &what);
                assert_eq!(said(&answer), expected, "{what}");
                if ["/device_authorization", "/authorize", "/par"].iter().any(|part| path.contains(part)) {
                    // Only a few device codes and pushed requests may wait, and a session gets few
                    // codes per minute.
                    app.pass(60);
                }
            }
        }
    }
}

// [attacks #23]
#[tokio::test]
async fn forged_host_does_not_change_the_sign_in() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        prepare(&app, tenant);
        let mut browser = Browser::new(&app);
        let sealed = flow(&browser.authorize(tenant, &[]).await);
        let form = [("flow", &*sealed), ("identifier", EMAIL), ("password", PASSWORD)];
        let request = || browser.request(Method::POST, &tenant_path(tenant, "/oauth/sign-in")).form(&form);
        let expected = said(&Answer::to(request().header("origin", PUBLIC_URL)).await);
        assert_eq!(expected.0, 200);
        for headers in FORGED {
            let answer = with_headers(request().header("origin", PUBLIC_URL), headers);
            let answer = Answer::to(answer).await;
            assert_copies_nothing(&answer, &format!("{headers:?}"));
            let (status, _, _, body) = said(&answer);
            let without_code = |body: &str| {
                let codes = body.split("code=").skip(1).map(|rest| rest.split(['&', '"']).next().unwrap());
                codes.fold(body.to_owned(), |body, code| body.replace(code, ""))
            };
            assert_eq!((status, without_code(&body)), (200, without_code(&expected.3)), "{headers:?}");
        }
        // The forged origin is not this server's origin.
        let forged = request().header("host", "evil.example").header("origin", "http://evil.example");
        assert_eq!(Answer::to(forged).await.status, 403);
    }
}

// [attacks #23]
#[tokio::test]
async fn absolute_request_target_does_not_change_responses() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        prepare(&app, tenant);
        let paths = [
            authorize_path(tenant, &[("prompt", "none")]),
            tenant_path(tenant, "/.well-known/openid-configuration"),
            tenant_path(tenant, "/oauth/userinfo"),
        ];
        for path in paths {
            let ask = async |target: &str, host: &str| {
                let request = format!("GET {target} HTTP/1.1\r\nhost: {host}\r\n\r\n");
                Answer::to_bytes(&mut app.connect().await, request).await
            };
            let expected = ask(&path, "localhost:3000").await;
            for (target, host) in [
                (format!("http://evil.example{path}"), "localhost:3000"),
                (format!("https://evil.example:8443{path}"), "evil.example"),
                (format!("http://localhost:3000{path}"), "evil.example"),
            ] {
                let answer = ask(&target, host).await;
                assert_copies_nothing(&answer, &target);
                assert_eq!(said(&answer), said(&expected), "{target}");
            }
        }
    }
}
