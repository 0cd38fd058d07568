//! Pushed authorization requests (RFC 9126) at two tenants.

use std::net::IpAddr;

use futures_util::future::join_all;

use crate::prelude::*;
use crate::redirect_uris::NEARLY_REGISTERED;

/// Pushes the usual request with these parameters. An empty value removes a parameter.
pub(crate) async fn push_with(app: &TestApp, tenant: &str, more: &[(&str, &str)]) -> Answer {
    app.post(&tenant_path(tenant, "/oauth/par"), &authorization_request(more)).await
}

/// Returns the request URI.
pub(crate) async fn push(app: &TestApp, tenant: &str, more: &[(&str, &str)]) -> String {
    let pushed = push_with(app, tenant, more).await;
    assert_eq!((pushed.status, pushed.header("cache-control")), (201, "no-store"), "{}", pushed.body);
    assert_eq!(pushed.json()["expires_in"], 60);
    pushed.text("request_uri")
}

/// Opens a request URI.
pub(crate) async fn open(browser: &mut Browser<'_>, tenant: &str, client: &str, uri: &str) -> Answer {
    let query = format!("/oauth/authorize?client_id={client}&request_uri={uri}");
    browser.get(&tenant_path(tenant, &query)).await
}

#[track_caller]
fn assert_page(answer: &Answer, code: &str) {
    answer.assert_shown(400);
    assert!(answer.body.contains(code), "{code}: {}", answer.body);
}

// [core RFC 9126 §2.2]: 201 with `request_uri`, which cannot be guessed, and `expires_in`
// [core RFC 9126 §4]: A request URI is bound to its client, and used once: when a code is issued, so that a
//   reload of the page works
#[tokio::test]
async fn pushed_request_works_until_its_code_is_issued() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let secret = furnish(&app, tenant, |client| client.code_flow.require_par = true);
        let uri = push(&app, tenant, &[("client_secret", &secret)]).await;
        assert!(uri.starts_with("urn:ietf:params:oauth:request_uri:"), "{uri}");
        let mut browser = Browser::new(&app);
        let first = open(&mut browser, tenant, "web", &uri).await;
        first.assert_status(200);
        open(&mut browser, tenant, "web", &uri).await.assert_status(200);
        // Other parameters in the browser's request are ignored.
        let more = "&state=other&prompt=none&redirect_uri=https://evil.example";
        let page = open(&mut browser, tenant, "web", &format!("{uri}{more}")).await;
        assert_eq!(page.status, 200);
        let to = continued(&browser.sign_in(tenant, &page, PASSWORD).await);
        assert!(to.as_str().starts_with(CALLBACK));
        assert_eq!(parameter(&to, "state"), "s1");
        let tokens = redeem(&app, tenant, &secret, &parameter(&to, "code")).await.json_of(200);
        assert_eq!(tokens["scope"], "openid profile");

        // The request is used up, also for pages that are still open.
        assert_page(&open(&mut browser, tenant, "web", &uri).await, "invalid_request_uri");
        assert_page(&browser.sign_in(tenant, &first, PASSWORD).await, "invalid_request_uri");
        // The client has to push, so the same request without a push is refused.
        let plain = browser.authorize(tenant, &[("prompt", "none")]).await;
        assert!(plain.header("location").contains("error=invalid_request"), "{}", plain.header("location"));
        // With a session no page is needed.
        let uri = push(&app, tenant, &[("client_secret", &secret), ("state", "s2")]).await;
        let back = open(&mut browser, tenant, "web", &uri).await;
        assert_eq!(back.status, 303);
        assert!(back.header("location").contains("state=s2"));
    }
}

// [core Core §6.2]: `request_uri` elsewhere. Left out on purpose: the server would fetch what strangers name.
//   Metadata says so | absent
// [attacks #24]
#[tokio::test]
async fn request_uri_is_bound_to_its_client_and_expires() {
    let app = TestApp::start();
    let secrets = [ACME, GLOBEX].map(|tenant| {
        furnish(&app, tenant, |client| client.id = "other".parse().unwrap());
        add_web_client(&app, tenant, |_| ())
    });
    for (own, stranger, secret) in [(ACME, GLOBEX, &secrets[0]), (GLOBEX, ACME, &secrets[1])] {
        let uri = push(&app, own, &[("client_secret", secret)]).await;
        let mut browser = Browser::new(&app);
        assert_page(&open(&mut browser, stranger, "web", &uri).await, "invalid_request_uri");
        assert_page(&open(&mut browser, own, "other", &uri).await, "invalid_request_uri");
        for (altered, code) in [
            (format!("{uri}A"), "invalid_request_uri"),
            (uri.replace("request_uri:", "request_uri:9"), "invalid_request_uri"),
            ("urn:ietf:params:oauth:request_uri:".to_owned(), "invalid_request_uri"),
            ("urn:example:request".to_owned(), "request_uri_not_supported"),
            ("https://evil.example/request".to_owned(), "request_uri_not_supported"),
        ] {
            assert_page(&open(&mut browser, own, "web", &altered).await, code);
        }
        let page = open(&mut browser, own, "web", &uri).await;
        assert_eq!(page.status, 200);
        app.pass(60);
        assert_page(&open(&mut browser, own, "web", &uri).await, "invalid_request_uri");
        // The page was opened in time.
        assert!(!code_in(&browser.sign_in(own, &page, PASSWORD).await).is_empty());
        let uri = push(&app, own, &[("client_secret", secret)]).await;
        let page = open(&mut Browser::new(&app), own, "web", &uri).await;
        app.pass(3_660);
        assert_ne!(browser.sign_in(own, &page, PASSWORD).await.status, 200);
    }
}

/// The parameters of the request, and the expected status and error code.
type Case<'a> = (&'a [(&'a str, &'a str)], u16, &'a str);

// [core RFC 9126 §2.1]: The client authenticates as at the token endpoint; a push with `request_uri` is
//   `invalid_request`; the request is checked as at the authorization endpoint
// [core RFC 9126 §2.3]: Errors as at the token endpoint; 405, 413, 429
// [resources RFC 8707 §2 e], [V10 10.6.1]
/// Each case is refused with JSON, and nothing is stored.
#[tokio::test]
async fn push_is_validated_like_an_authorization_request() {
    let long = "a".repeat(20_000);
    let cases: &[Case<'_>] = &[
        (&[("response_type", "token")], 400, "unsupported_response_type"),
        (&[("response_mode", "fragment")], 400, "invalid_request"),
        (&[("redirect_uri", "")], 400, "invalid_request"),
        (&[("code_challenge", ""), ("code_challenge_method", "")], 400, "invalid_request"),
        (&[("code_challenge_method", "plain")], 400, "invalid_request"),
        (&[("scope", "openid phone")], 400, "invalid_scope"),
        (&[("resource", "https://other.example")], 400, "invalid_target"),
        (&[("audience", "other")], 400, "invalid_target"),
        (&[("id_token_hint", "a.b.c")], 400, "invalid_request"),
        (&[("state", &long[..2_049])], 400, "invalid_request"),
        (&[("extra", &long)], 413, "invalid_request"),
        (&[("request_uri", "https://evil.example/r")], 400, "invalid_request"),
        (&[("request_uri", "urn:ietf:params:oauth:request_uri:3abc")], 400, "invalid_request"),
        (&[("request_uri", "urn:example:r"), ("request", "a.b.c")], 400, "invalid_request"),
        (&[("client_secret", "wrong")], 401, "invalid_client"),
        (&[("client_secret", "")], 401, "invalid_client"),
        (&[("client_id", "nobody")], 401, "invalid_client"),
        (&[("client_id", "")], 401, "invalid_client"),
    ];
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let secret = add_web_client(&app, tenant, |_| ());
        let before = app.store.calls();
        let check = async |more: &[(&str, &str)], status: u16, code: &str| {
            let answer = push_with(&app, tenant, &[&[("client_secret", &*secret)], more].concat()).await;
            println!("{more:?}");
            answer.assert_error(status, code);
            assert!(answer.header("location").is_empty() && !answer.body.contains("evil.example"));
        };
        for (more, status, code) in cases {
            check(more, *status, code).await;
        }
        for uri in NEARLY_REGISTERED {
            check(&[("redirect_uri", uri)], 400, "invalid_request").await;
        }
        assert_eq!(app.store.calls().sign_ins, before.sign_ins, "nothing is written");
        // Loopback addresses may have any port (RFC 8252 §7.3).
        let any_port = ("redirect_uri", "http://127.0.0.1:49152/cb");
        push(&app, tenant, &[("client_secret", &secret), any_port]).await;
        let path = tenant_path(tenant, "/oauth/par");
        let twice =
            format!("client_id=web&client_secret={secret}&response_type=code&scope=openid&scope=openid");
        app.post_body(&path, twice).await.assert_error(400, "invalid_request");
        assert_eq!(Answer::to(app.request(Method::GET, &path)).await.status, 405);
        app.change_tenant(tenant, |tenant| tenant.strategies.oidc = false);
        assert_eq!(push_with(&app, tenant, &[("client_secret", &secret)]).await.status, 404);
    }
}

// [core RFC 9126 §2.3], [shared 2.5]
#[tokio::test]
async fn push_is_one_write_and_limited_per_address() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let secret = add_web_client(&app, tenant, |_| ());
        let app_client = fixtures::client(&fixtures::tenant(tenant), "app");
        let before = app.store.calls();
        push(&app, tenant, &[("client_secret", &secret)]).await;
        assert_eq!(app.store.calls().sign_ins - before.sign_ins, 1);
        // The credentials are in the header, and the body has no `client_id`.
        let form = [
            ("response_type", "code"),
            ("redirect_uri", CALLBACK),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let request = app.request(Method::POST, &tenant_path(tenant, "/oauth/par"));
        Answer::to(request.basic_auth("web", Some(&secret)).form(&form)).await.assert_status(201);
        add_web_client(&app, tenant, |client| {
            client.id = app_client.id.clone();
            public(client);
        });
        let uri = push(&app, tenant, &[("client_id", "app")]).await;
        assert_eq!(open(&mut Browser::new(&app), tenant, "app", &uri).await.status, 200);
        // Anyone can push requests of a public client, so each address has its own limit. Requests
        // of unknown clients are not stored.
        let junk = "y".repeat(11_000);
        let flood = [("client_id", "app"), ("junk", &*junk)];
        let answers = join_all((0..100).map(|_| push_with(&app, tenant, &flood))).await;
        let full: Vec<_> = answers.iter().filter(|answer| answer.status != 201).collect();
        assert_eq!(full.len(), 81, "one was pushed before");
        assert_eq!((full[0].status, full[0].header("retry-after")), (429, "60"), "{}", full[0].body);
        assert_eq!(full[0].json()["error"], "temporarily_unavailable");
        let address = IpAddr::from([127, 0, 0, 9]);
        let elsewhere = reqwest::Client::builder().local_address(address).build().unwrap();
        let address = format!("http://{}{}", app.addresses[0], tenant_path(tenant, "/oauth/par"));
        let form = authorization_request(&[("client_id", "app")]);
        let real = Answer::to(elsewhere.post(address).form(&form)).await;
        assert_eq!(real.status, 201, "another address: {}", real.body);
        // The other client is not affected.
        push(&app, tenant, &[("client_secret", &secret)]).await;
        // A client that is registered for another grant.
        let machine = app.secrets(tenant).of("svc").to_owned();
        let refused = push_with(&app, tenant, &[("client_id", "svc"), ("client_secret", &machine)]).await;
        refused.assert_error(400, "unauthorized_client");
    }
}
