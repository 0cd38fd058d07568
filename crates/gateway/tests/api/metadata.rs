//! Authorization server metadata: one document at three paths, which lists only features that work
//! (RFC 8414).

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tenancy::{Issuer, TokenFormat};

use crate::prelude::*;

fn paths(tenant: &str) -> [String; 3] {
    [
        tenant_path(tenant, "/.well-known/openid-configuration"),
        tenant_path(tenant, "/.well-known/oauth-authorization-server"),
        format!("/.well-known/oauth-authorization-server/api/v1/tenant/{tenant}"),
    ]
}

// [metadata RFC 8414 §3]: The document is at the well-known path inserted between host and path of the
//   issuer; here also at the path appended to the issuer, and at the OpenID form
// [rfc9700 §2.6]: Metadata is published | At three well-known paths; it lists only what works
// [discovery Discovery §4.1], [metadata RFC 8414 §2 b]
#[tokio::test]
async fn same_document_is_served_at_three_paths() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let mut documents = Vec::new();
        for path in paths(tenant) {
            let answer = app.get(&path).await;
            let found = (answer.status, answer.header("cache-control"));
            assert_eq!(found, (200, "public, max-age=300"), "{path}");
            answer.assert_json();
            documents.push(answer.body);
        }
        assert!(documents.iter().all(|document| *document == documents[0]));
        if tenant == ACME {
            let algorithms = r#""RS256","RS384","RS512","PS256","ES256","ES384","EdDSA""#;
            let document = documents[0].replace(algorithms, "algorithms");
            insta::assert_snapshot!(document.replace(",\"", ",\n\""), @r#"
            {"issuer":"http://localhost:3000/api/v1/tenant/acme",
            "authorization_endpoint":"http://localhost:3000/api/v1/tenant/acme/oauth/authorize",
            "token_endpoint":"http://localhost:3000/api/v1/tenant/acme/oauth/token",
            "jwks_uri":"http://localhost:3000/api/v1/tenant/acme/.well-known/jwks.json",
            "scopes_supported":["api:read",
            "api:write",
            "orders:read"],
            "response_types_supported":[],
            "grant_types_supported":["client_credentials"],
            "token_endpoint_auth_methods_supported":["client_secret_basic",
            "client_secret_post",
            "private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported":[algorithms],
            "dpop_signing_alg_values_supported":[algorithms],
            "introspection_endpoint":"http://localhost:3000/api/v1/tenant/acme/oauth/introspect",
            "introspection_endpoint_auth_methods_supported":["client_secret_basic",
            "client_secret_post",
            "private_key_jwt"],
            "introspection_endpoint_auth_signing_alg_values_supported":[algorithms],
            "revocation_endpoint":"http://localhost:3000/api/v1/tenant/acme/oauth/revoke",
            "revocation_endpoint_auth_methods_supported":["client_secret_basic",
            "client_secret_post",
            "private_key_jwt",
            "none"],
            "revocation_endpoint_auth_signing_alg_values_supported":[algorithms],
            "revocations_uri":"http://localhost:3000/api/v1/tenant/acme/oauth/revocations"}
            "#);
        } else {
            let acme = app.get(&paths(ACME)[0]).await.body;
            assert_eq!(documents[0], acme.replace("/tenant/acme", "/tenant/globex"));
        }
    }
}

// [core RFC 9126 §5]: `pushed_authorization_request_endpoint` and `require_pushed_authorization_requests` in
//   metadata
// [revocation RFC 8414 §2], [metadata RFC 8414 §2 d], [metadata RFC 8414 §2 e], [rfc9700 §2.6]
#[tokio::test]
async fn every_listed_endpoint_works() {
    let app = TestApp::start();
    let formats = TokenFormat::NAMED.map(|(_, format)| format);
    for (tenant, format) in
        [ACME, GLOBEX].into_iter().flat_map(|tenant| formats.map(|format| (tenant, format)))
    {
        app.change_tenant(tenant, |tenant| tenant.access_token.format = format);
        let document = app.get(&paths(tenant)[0]).await.json();
        let path = |name: &str| document[name].as_str().unwrap().strip_prefix(PUBLIC_URL).unwrap().to_owned();
        let secret = Some(app.secrets(tenant).of(SVC));
        let mut tokens = 0;
        for grant in document["grant_types_supported"].as_array().unwrap() {
            for scope in document["scopes_supported"].as_array().unwrap() {
                let form = [("grant_type", grant.as_str().unwrap()), ("scope", scope.as_str().unwrap())];
                let request = app.request(Method::POST, &path("token_endpoint")).basic_auth(SVC, secret);
                assert_eq!(Answer::to(request.form(&form)).await.status, 200, "{scope}");
                tokens += 1;
            }
        }
        let names = [
            "authorization_endpoint",
            "token_endpoint",
            "token_endpoint_auth_methods_supported",
            "scopes_supported",
        ];
        let named = names.map(|name| document.get(name).is_some());
        assert_eq!((tokens, named), (3, [true; 4]), "{format:?}");
        let formats = (format == TokenFormat::Opaque).then(|| json!(["opaque"]));
        assert_eq!(document.get("access_token_formats_supported"), formats.as_ref());
        // Nobody can sign in to this tenant, and its authorization endpoint shows an error page.
        assert_eq!(document["response_types_supported"], json!([]));
        let page = app.get(&path("authorization_endpoint")).await;
        assert_eq!((page.status, page.header("content-type")), (400, "text/html; charset=utf-8"));
        assert_eq!(app.get(&path("jwks_uri")).await.status, 200);
        let request = app.request(Method::POST, &path("introspection_endpoint")).basic_auth(SVC, secret);
        assert_eq!(Answer::to(request.form(&[("token", "x")])).await.status, 200);
    }
}

#[tokio::test]
async fn tenant_without_scopes_lists_none() {
    let app = TestApp::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        app.change_tenant(tenant, |tenant| tenant.resource_servers.clear());
        assert!(app.get(&paths(tenant)[0]).await.json().get("scopes_supported").is_none());
        assert!(app.get(&paths(other)[0]).await.json().get("scopes_supported").is_some());
        app.change_tenant(tenant, |_| {});
    }
}

// [metadata RFC 8414 §3.3]: `issuer` equals the URL from which the document's path was derived. That holds
//   for every tenant without a configured issuer; with one, only at that issuer's host | departs
#[tokio::test]
async fn configured_issuer_leaves_the_endpoints_unchanged() {
    let app = TestApp::start();
    app.change_tenant(GLOBEX, |tenant| tenant.issuer = Issuer::parse("https://id.globex.example").unwrap());
    let document = app.get(&paths(GLOBEX)[0]).await.json();
    assert_eq!(document["issuer"], "https://id.globex.example");
    assert_eq!(document["token_endpoint"], format!("{PUBLIC_URL}/api/v1/tenant/globex/oauth/token"));
    assert_eq!(app.get(&paths(ACME)[0]).await.json()["issuer"], format!("{PUBLIC_URL}/api/v1/tenant/acme"));
}

// [rfc9700 §4.13]: A proxy that terminates TLS forwards forged headers | Names come from the settings and
//   never from `Host` or `X-Forwarded-…`. The caller's address comes from the one header that a listener's
//   `trusted_proxies` names, from its right end, and only on connections from the proxy itself
// [metadata RFC 8414 §2 f]
#[tokio::test]
async fn host_headers_do_not_change_the_document() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let request = app.request(Method::GET, &paths(tenant)[0]).header("host", "evil.example");
        let request =
            request.header("x-forwarded-host", "evil.example").header("forwarded", "host=evil.example");
        assert_eq!(Answer::to(request).await.body, app.get(&paths(tenant)[0]).await.body);
    }
}

#[tokio::test]
async fn tenant_without_oauth2_has_no_metadata() {
    let app = TestApp::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        app.change_tenant(tenant, |tenant| tenant.strategies.oauth2 = false);
        app.change_tenant(other, |tenant| tenant.strategies.oidc = false);
        for path in paths(tenant) {
            app.get(&path).await.assert_refused(404, "not_found", "Unknown tenant");
        }
        for path in paths(other) {
            assert_eq!(app.get(&path).await.status, 200);
        }
    }
}

/// RFC 8414 §2 refers to the values of RFC 7591 §2, which include `none`.
#[tokio::test]
async fn auth_method_none_is_listed_with_sign_in() {
    let app = TestApp::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        app.change_provider(tenant, |_| ());
        app.change_tenant(other, |tenant| tenant.strategies.oidc = false);
        for (tenant, expected) in [(tenant, true), (other, false)] {
            let document = app.get(&paths(tenant)[0]).await.json();
            let lists = |name: &str| document[name].as_array().unwrap().iter().any(|method| method == "none");
            assert_eq!(lists("token_endpoint_auth_methods_supported"), expected, "{tenant}");
            assert!(lists("revocation_endpoint_auth_methods_supported"), "{tenant}");
            assert!(!lists("introspection_endpoint_auth_methods_supported"), "{tenant}");
        }
    }
}

/// With and without a path in the public URL, and with and without a slash at the end of the
/// issuer. A proxy strips the path of the public URL, except from the location of RFC 8414, which
/// is outside that path.
#[tokio::test]
async fn issuer_below_the_public_url_is_discoverable() {
    for (public_url, path) in [("http://localhost:3000", ""), ("http://localhost:3000/auth/", "/auth")] {
        for slash in ["", "/"] {
            let mut options = options(ACME);
            options.public_url = public_url.to_owned();
            let app = TestApp::start_with(&options);
            let own = |tenant: &str| match tenant {
                ACME => String::new(),
                _ => format!("/login/{tenant}"),
            };
            let issuer = |tenant: &str| format!("http://localhost:3000{path}{}{slash}", own(tenant));
            for tenant in [ACME, GLOBEX] {
                app.change_tenant(tenant, |row| row.issuer = Issuer::parse(&issuer(tenant)).unwrap());
            }
            for tenant in [ACME, GLOBEX, GLOBEX] {
                let endpoint = format!("http://localhost:3000{path}/api/v1/tenant/{tenant}/oauth/token");
                for location in [
                    format!("{}/.well-known/openid-configuration", own(tenant)),
                    format!("{}{slash}/.well-known/openid-configuration", own(tenant)),
                    format!("/.well-known/oauth-authorization-server{path}{}", own(tenant)),
                    format!("/.well-known/oauth-authorization-server{path}{}{slash}", own(tenant)),
                    format!("/.well-known/oauth-authorization-server{path}/api/v1/tenant/{tenant}"),
                ] {
                    let document = app.get(&location).await.json();
                    assert_eq!(document["issuer"], issuer(tenant), "{location} of {public_url}");
                    assert_eq!(document["token_endpoint"], endpoint);
                }
            }
            // The tenant's previous issuer has no metadata any more.
            app.change_tenant(GLOBEX, |row| row.issuer = Issuer::parse("https://else.example.com").unwrap());
            let left = app.get(&format!("{}/.well-known/openid-configuration", own(GLOBEX))).await;
            assert_eq!(left.status, 404, "{left:?}");
            assert_eq!(left.body, app.get("/login/nobody/.well-known/openid-configuration").await.body);
        }
    }
}

/// Anyone can ask for any issuer, and a lookup needs a database connection of the admin pool.
#[tokio::test]
async fn unknown_issuers_are_looked_up_one_at_a_time() {
    const CALLERS: usize = 20;
    let mut options = options(ACME);
    options.public_url = "http://localhost:3000".to_owned();
    let app = TestApp::start_with(&options);
    let location = |name: &str| format!("/login/{name}/.well-known/openid-configuration");
    let issuer = Issuer::parse("http://localhost:3000/login/globex").unwrap();
    app.change_tenant(GLOBEX, |row| row.issuer = issuer);
    app.get(&location(GLOBEX)).await.assert_status(200);
    let (before, held) = (app.store.calls().administration, app.store.hold_answers().await);
    let names: Vec<_> = (0..CALLERS).map(|number| location(&number.to_string())).collect();
    let mut strangers: FuturesUnordered<_> = names.iter().map(|name| app.get(name)).collect();
    for _ in 1..CALLERS {
        strangers.next().await.unwrap().assert_status(503);
    }
    drop(held);
    strangers.next().await.unwrap().assert_status(404);
    app.get(&location(GLOBEX)).await.assert_status(200);
    assert_eq!(app.store.calls().administration, before + 1, "a known issuer needs no lookup");
}
