//! The redirect URIs after sign-in and sign-out: only registered ones, compared byte by byte. Runs
//! at two tenants.

use url::form_urlencoded::Serializer;

use crate::prelude::*;

/// Similar to the registered `https://app.example.com/callback` and `http://127.0.0.1/cb`.
pub(crate) const NEARLY_REGISTERED: [&str; 95] = [
    // Shorter, longer, and another case.
    "https://app.example.com",
    "https://app.example.com/",
    "https://app.example.com/callbac",
    "https://app.example.com/callback2",
    "https://app.example.com/callback/",
    "https://app.example.com/callback/callback",
    "https://app.example.com/Callback",
    "https://app.example.com/CALLBACK",
    "https://APP.example.com/callback",
    "https://app.example.COM/callback",
    "HTTPS://app.example.com/callback",
    "Https://app.example.com/callback",
    // Query and fragment.
    "https://app.example.com/callback?",
    "https://app.example.com/callback?next=https://evil.example",
    "https://app.example.com/callback&next=https://evil.example",
    "https://app.example.com/callback;next=evil.example",
    "https://app.example.com/callback#",
    "https://app.example.com/callback#code",
    "https://app.example.com/#/callback",
    // Paths that some programs regard as equal.
    "https://app.example.com//callback",
    "https://app.example.com/./callback",
    "https://app.example.com/callback/.",
    "https://app.example.com/callback/..",
    "https://app.example.com/callback/../callback",
    "https://app.example.com/other/../callback",
    "https://app.example.com/callback/../../evil",
    "https://app.example.com/callback\\..\\evil",
    // Percent-encoded.
    "https://app.example.com/callbac%6b",
    "https://app.example.com/callbac%6B",
    "https://app.example.com/%63allback",
    "https://app.example.com/%2e%2e/callback",
    "https://app.example.com/callback%2f..",
    "https://app.example.com%2fcallback",
    "https://app%2eexample%2ecom/callback",
    "https://app.example.com%2eevil.example/callback",
    "https://app.example.com/callback%00",
    "https://app.example.com/callback%0d%0aset-cookie:a=b",
    "https://app.example.com/callback%23",
    // Characters that some programs remove.
    " https://app.example.com/callback",
    "https://app.example.com/callback ",
    "\thttps://app.example.com/callback",
    "https://app.exa\tmple.com/callback",
    "https://app.example.com/call\nback",
    "https://app.example.com/callback\r\nset-cookie: a=b",
    "https://app.example.com/callback\0",
    // Port, and a dot after the host.
    "https://app.example.com:443/callback",
    "https://app.example.com:/callback",
    "https://app.example.com:0443/callback",
    "https://app.example.com:8443/callback",
    "https://app.example.com./callback",
    "https://.app.example.com/callback",
    "https://app..example.com/callback",
    // Another host that contains the registered one.
    "https://www.app.example.com/callback",
    "https://example.com/callback",
    "https://app.example.com.evil.example/callback",
    "https://app.example.comevil.example/callback",
    "https://evil.example/app.example.com/callback",
    "https://evil.example/https://app.example.com/callback",
    "https://evil.example?https://app.example.com/callback",
    "https://evil.example#https://app.example.com/callback",
    // A user before the host.
    "https://app.example.com@evil.example/callback",
    "https://app.example.com:443@evil.example/callback",
    "https://user@app.example.com/callback",
    "https://:@app.example.com/callback",
    "https://evil.example%40app.example.com/callback",
    // Backslashes and slashes.
    "https://app.example.com\\@evil.example/callback",
    "https://evil.example\\@app.example.com/callback",
    "https://app.example.com\\.evil.example/callback",
    "https:\\\\app.example.com\\callback",
    "https://app.example.com\\callback",
    "https:/app.example.com/callback",
    "https:///app.example.com/callback",
    "https:app.example.com/callback",
    "//app.example.com/callback",
    "app.example.com/callback",
    "/callback",
    // Another scheme.
    "http://app.example.com/callback",
    "ftp://app.example.com/callback",
    "javascript:alert(1)//https://app.example.com/callback",
    "data:text/html,https://app.example.com/callback",
    // Letters that look alike.
    "https://\u{430}pp.example.com/callback",
    "https://xn--pp-7kc.example.com/callback",
    "https://app\u{3002}example\u{ff0e}com/callback",
    "https://app.example.com\u{2044}callback",
    "https://app.example.com/\u{ff43}allback",
    "https://app.example.com/callback\u{200b}",
    // Of a loopback address only the port may differ.
    "http://127.0.0.1/callback",
    "http://127.0.0.1:8080/other",
    "https://127.0.0.1/cb",
    "http://127.0.0.1:65536/cb",
    "http://127.0.0.1:1234@evil.example/cb",
    "http://127.1/cb",
    "http://127.0.0.2/cb",
    "http://[::1]/cb",
    "http://localhost/cb",
];

fn query(parameters: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(parameters).finish()
}

// [attacks #1]: A redirect to an address that is nearly a registered one, after a sign-in or a sign-out |
//   Addresses are compared byte by byte; only the port of an address of the machine may differ, and after a
//   sign-out not even that. 92 near misses, each with and without `prompt=none`, by `GET` and `POST`
#[tokio::test]
async fn similar_redirect_uris_are_never_redirected_to() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        furnish(&app, tenant, |_| ());
        let mut signed_in = Browser::new(&app);
        signed_in.code(tenant, &[]).await;
        for uri in NEARLY_REGISTERED {
            for prompt in ["", "none"] {
                let more = [("redirect_uri", uri), ("prompt", prompt)];
                let shown = signed_in.authorize(tenant, &more).await;
                assert_eq!((shown.status, shown.header("location")), (400, ""), "{uri:?}");
                assert!(!shown.body.contains("evil.example") && !shown.body.contains("code="), "{uri:?}");
                let form = authorization_request(&more);
                let posted = signed_in.post(&tenant_path(tenant, "/oauth/authorize"), &form).await;
                assert_eq!((posted.status, posted.header("location")), (400, ""), "{uri:?}");
            }
        }
        // The request has two URIs, one of which is registered.
        let twice = format!("{}&redirect_uri={CALLBACK}", query(&authorization_request(&[])));
        signed_in.get(&tenant_path(tenant, &format!("/oauth/authorize?{twice}"))).await.assert_shown(400);
        for uri in [CALLBACK, "http://127.0.0.1/cb", "http://127.0.0.1:1234/cb"] {
            let to = location(&signed_in.authorize(tenant, &[("redirect_uri", uri)]).await);
            assert!(to.as_str().starts_with(uri), "{to}");
        }
    }
}

// [attacks #1]
/// RFC 8252 §7.3: "The authorization server MUST allow any port to be specified at the time of the
/// request for loopback IP redirect URIs". §8.3 advises against `localhost`, whose port has to
/// match.
#[tokio::test]
async fn loopback_address_allows_any_port_localhost_does_not() {
    const SIX: &str = "http://[::1]/six";
    const LOCAL: &str = "http://localhost:3000/local";
    let app = TestApp::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        for (at, registered) in [(tenant, vec![SIX.to_owned(), LOCAL.to_owned()]), (other, Vec::new())] {
            furnish(&app, at, |client| client.code_flow.redirect_uris.extend(registered));
        }
        for uri in [SIX, "http://[::1]:4321/six", "http://[::1]:1/six", "http://[::1]:65535/six", LOCAL] {
            let mut browser = Browser::new(&app);
            let done = browser.signed_in(tenant, &[("redirect_uri", uri)]).await;
            let to = continued(&done);
            assert!(to.as_str().starts_with(&format!("{uri}?code=")), "{to}");
            let elsewhere = browser.authorize(other, &[("redirect_uri", uri)]).await;
            assert_eq!(
                (elsewhere.status, elsewhere.header("location")),
                (400, ""),
                "{uri} at the other tenant"
            );
        }
        for uri in [
            "http://localhost/local",
            "http://localhost:3001/local",
            "http://localhost:4321/six",
            "http://localhost/six",
            "http://127.0.0.1:4321/six",
            "http://127.0.0.1:3000/local",
            "http://[::1]:3000/local",
            "http://[::1]:4321/cb",
            "http://[::1]:4321/six/",
            "http://[::1]:4321/six?a=b",
            "http://[::1]:/six",
            "http://[::1]:65536/six",
            "http://[::1]:4321@evil.example/six",
            "http://[::1].evil.example/six",
            "http://[::2]:4321/six",
            "http://[::]:4321/six",
            "http://[0:0:0:0:0:0:0:1]:4321/six",
            "http://[::ffff:127.0.0.1]:4321/six",
            "http://[::1%25lo]:4321/six",
            "https://[::1]:4321/six",
            "http://app.example.com:4321/six",
        ] {
            let refused = Browser::new(&app).authorize(tenant, &[("redirect_uri", uri)]).await;
            assert_eq!((refused.status, refused.header("location")), (400, ""), "{uri}");
        }
    }
}

// [attacks #1]
#[tokio::test]
async fn similar_post_logout_uris_are_never_redirected_to() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let secret = furnish(&app, tenant, |_| ());
        let mut signed_in = Browser::new(&app);
        let tokens = signed_in.tokens(tenant, &secret, &[]).await;
        let hint = tokens["id_token"].as_str().unwrap();
        let logout = |uri: &str| {
            let query = query(&[("id_token_hint", hint), ("post_logout_redirect_uri", uri)]);
            tenant_path(tenant, &format!("/oauth/logout?{query}"))
        };
        // Includes the URIs for sign-ins, which are not registered for sign-outs.
        let uris = NEARLY_REGISTERED.map(|uri| uri.replace("callback", "signed-out"));
        for uri in uris.iter().map(String::as_str).chain([CALLBACK, "http://127.0.0.1/cb"]) {
            let asked = signed_in.get(&logout(uri)).await;
            assert_eq!((asked.status, asked.header("location")), (200, ""), "{uri:?}");
            assert!(!asked.body.contains("http-equiv=\"refresh\""), "{uri:?}");
            flow(&asked);
            let stranger = Answer::to(app.request(Method::GET, &logout(uri))).await;
            assert_eq!((stranger.status, stranger.header("location")), (200, ""), "{uri:?}");
            assert!(!stranger.body.contains("evil.example"), "{uri:?}");
        }
        assert_eq!(signed_in.authorize(tenant, &[]).await.status, 303, "the person is still signed in");
        assert_eq!(location(&signed_in.get(&logout(SIGNED_OUT)).await).as_str(), SIGNED_OUT);
    }
}
