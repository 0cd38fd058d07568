//! Error pages have the theme and links of a known tenant, and load their files below the path of
//! the proxy.

use pages::Theme;
use tenancy::{Branding, Logo, TenantResolver};
use values::Colour;

use crate::client_fixtures;
use crate::prelude::*;

/// A request with `prompt=none` and without a valid redirect URI, so that an error page is shown.
const SILENT: (&str, &str) = ("prompt", "none");

/// Requests that a tenant's pages refuse, with their statuses. `origin` is the server's own.
pub(crate) async fn refusals(app: &TestApp, tenant: &str, origin: &str) -> Vec<(u16, Answer)> {
    let get = |path: &str| app.request(Method::GET, path);
    let post =
        |endpoint: &str| app.request(Method::POST, &tenant_path(tenant, endpoint)).header("origin", origin);
    let form = [("flow", "x"), ("identifier", "ada@example.com")];
    let long = "a".repeat(9_000);
    let requests = [
        (400, get(&authorize_path(tenant, &[("client_id", "nobody")]))),
        (400, get(&authorize_path(tenant, &[("redirect_uri", "https://evil.example"), SILENT]))),
        (400, get(&authorize_path(tenant, &[("request_uri", "https://evil.example"), SILENT]))),
        (400, get(&authorize_path(tenant, &[("request", "e30.e30."), SILENT]))),
        (400, get(&authorize_path(tenant, &[])).header("sec-fetch-dest", "iframe")),
        (414, get(&authorize_path(tenant, &[("state", &long)]))),
        (400, get(&tenant_path(tenant, "/oauth/logout?state=a&state=b"))),
        (400, get(&tenant_path(tenant, "/device?user_code=a&user_code=b"))),
        (400, get(&tenant_path(tenant, "/account")).header("sec-purpose", "prefetch")),
        (400, post("/oauth/authorize").form(&[("client_id", "nobody")])),
        (403, post("/oauth/sign-in").form(&form)),
        (403, post("/oauth/logout").form(&form)),
        (403, post("/device").form(&form)),
        (403, post("/account").form(&form)),
        (415, post("/oauth/sign-in").header("content-type", "text/plain").body("x")),
    ];
    let mut answers = Vec::new();
    for (status, request) in requests {
        answers.push((status, Answer::to(request).await));
    }
    answers
}

/// A tenant's branding, and the texts that its pages must contain.
fn look(tenant: &str) -> (Branding, [String; 3]) {
    let primary = if tenant == ACME { Colour::rgb(0xb0, 0x10, 0x40) } else { Colour::rgb(0x10, 0x40, 0xb0) };
    let terms = format!("https://{tenant}.example/terms");
    let branding = Branding {
        primary,
        terms_url: Some(terms.clone()),
        logo: Some(Logo::new(format!("logo-of-{tenant}"), *b"a picture")),
        ..Branding::default()
    };
    let theme = format!("/oauth/theme/{}.css", Theme::new(&branding).unwrap().hash());
    let shown = [
        format!("href=\"{}\"", tenant_path(tenant, &theme)),
        format!("src=\"{}\"", tenant_path(tenant, &format!("/oauth/logo/logo-of-{tenant}"))),
        format!("href=\"{terms}\""),
    ];
    (branding, shown)
}

#[track_caller]
fn assert_has_look(answer: &Answer, own: &str, other: &str) {
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert!(answer.header("content-security-policy").contains("script-src 'none'"));
    assert!(answer.body.contains(&format!("alt=\"{}\"", fixtures::tenant(own).name)), "{}", answer.body);
    for shown in look(own).1 {
        assert!(answer.body.contains(&shown), "{shown}: {}", answer.body);
    }
    for shown in look(other).1 {
        assert!(!answer.body.contains(&shown), "{shown}: {}", answer.body);
    }
}

// [metadata RFC 8414 §2 c], [oauth RFC 6749 §3.1.2, §3.1.2.4], [attacks #2], [rfc9700 §4.1], [rfc9700 §2.1]
#[tokio::test]
async fn error_page_has_its_tenants_theme() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        add_web_client(&app, tenant, |_| ());
        app.change_provider(tenant, |changed| changed.branding = look(tenant).0);
    }
    for (own, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        for (status, answer) in refusals(&app, own, PUBLIC_URL).await {
            answer.assert_shown(status);
            assert!(!answer.body.contains("evil.example"), "{}", answer.body);
            assert_has_look(&answer, own, other);
            let next = format!("href=\"{}\"", tenant_path(own, "/account"));
            let request = format!("<code>{}</code>", answer.header("x-request-id"));
            assert!(answer.body.contains(&next) && answer.body.contains(&request), "{}", answer.body);
        }
        app.change_tenant(own, |changed| {
            changed.strategies.oidc = false;
            changed.branding = look(own).0;
        });
        // The metadata contains the authorization endpoint even if nobody can sign in.
        let by_form =
            app.request(Method::POST, &tenant_path(own, "/oauth/authorize")).form(&[("state", "s")]);
        for answer in [app.get(&authorize_path(own, &[])).await, Answer::to(by_form).await] {
            assert_eq!((answer.status, answer.header("location")), (400, ""));
            assert!(answer.body.contains("unsupported_response_type"), "{}", answer.body);
            assert_has_look(&answer, own, other);
        }
        let account = tenant_path(own, "/account");
        app.change_tenant(other, |changed| {
            changed.strategies.oauth2 = false;
            changed.branding = look(other).0;
        });
        for (tenant, path) in [(own, account), (other, authorize_path(other, &[]))] {
            let without = app.get(&path).await;
            assert_eq!(without.status, 404);
            for shown in look(tenant).1 {
                assert!(!without.body.contains(&shown), "it looks as one of a tenant that is not there");
            }
            assert_eq!(without.body_of_any(), app.get(&authorize_path("nobody", &[])).await.body_of_any());
        }
        app.change_provider(other, |changed| changed.branding = look(other).0);
    }
}

#[tokio::test]
async fn error_page_has_the_theme_during_store_failures() {
    let tenants = Arc::new(TestStore::new());
    for tenant in [ACME, GLOBEX] {
        let mut tenant = client_fixtures::tenant(tenant);
        tenant.strategies.oidc = true;
        tenant.branding = look(tenant.id.as_str()).0;
        tenants.put_tenant(tenant);
    }
    let app = TestApp::start_over(&options(ACME), |_| TenantResolver::new(tenants));
    for (own, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        for (failure, status) in [(Failure::Unavailable, 503), (Failure::Fault, 500)] {
            app.store.fail_with(failure);
            let answer = app.get(&authorize_path(own, &[])).await;
            assert_eq!(answer.status, status);
            assert_has_look(&answer, own, other);
            app.store.fail_with(None);
        }
    }
}

#[tokio::test]
async fn error_page_loads_files_below_the_proxy_path() {
    let public_url = "https://id.example.com/auth".to_owned();
    let app = TestApp::start_with(&Options { public_url, ..options(ACME) });
    for tenant in [ACME, GLOBEX] {
        add_web_client(&app, tenant, |_| ());
        app.change_provider(tenant, |changed| changed.branding = look(tenant).0);
        let mut answers = refusals(&app, tenant, "https://id.example.com").await;
        answers.push((404, app.get(&authorize_path("nobody", &[])).await));
        for (status, answer) in answers {
            assert_eq!(answer.status, status, "{}", answer.body);
            let mut loaded = 0;
            for begin in ["<link rel=\"icon\" href=\"", "<link rel=\"stylesheet\" href=\""] {
                for rest in answer.body.split(begin).skip(1) {
                    let file = rest.split('"').next().unwrap();
                    // The proxy strips its path.
                    let path = file.strip_prefix("/auth").unwrap_or_else(|| panic!("{file}"));
                    let file = app.get(path).await;
                    assert_eq!(file.status, 200, "{path}");
                    assert!(file.header("cache-control").contains("immutable"), "{path}");
                    loaded += 1;
                }
            }
            assert_eq!(loaded, if status == 404 { 2 } else { 3 }, "{}", answer.body);
            let logo = format!("src=\"/auth{}", tenant_path(tenant, "/oauth/logo/"));
            assert_eq!(answer.body.contains(&logo), status != 404, "{}", answer.body);
        }
    }
}

#[tokio::test]
async fn invalid_sign_out_request_has_its_own_title() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        add_web_client(&app, tenant, |_| ());
        let long = "a".repeat(9_000);
        let logout = tenant_path(tenant, "/oauth/logout");
        let post = || app.request(Method::POST, &logout);
        for request in [
            app.request(Method::GET, &format!("{logout}?state=a&state=b")),
            app.request(Method::GET, &format!("{logout}?id_token_hint=a&id_token_hint=b")),
            post().header("content-type", "application/x-www-form-urlencoded").body("state=\u{e4}"),
            post().form(&[("state", &long)]),
        ] {
            let answer = Answer::to(request).await;
            assert_eq!(answer.status / 100, 4, "{}", answer.body);
            assert!(answer.body.contains("<h1>Cannot sign out</h1>"), "{}", answer.body);
            assert!(!answer.body.contains("push it"), "{}", answer.body);
        }
        let sign_in = app.get(&authorize_path(tenant, &[("client_id", "nobody")])).await;
        assert!(sign_in.body.contains("<h1>Cannot start the sign-in</h1>"), "{}", sign_in.body);
    }
}
