//! The OpenAPI document, its page, and unknown paths.

use aws_lc_rs::digest::{SHA256, digest};
use base64::prelude::BASE64_STANDARD;

use crate::prelude::*;

#[test]
fn committed_openapi_document_is_current() {
    let committed = include_str!("../../../../docs/openapi.json");
    assert!(gateway::openapi_of_types() == committed, "run `cargo xtask codegen` and read what it changes");
    assert!(gateway::openapi_document() == committed, "the program has another document");
}

#[test]
fn token_request_documents_exactly_the_served_grant_types() {
    let document: serde_json::Value = serde_json::from_str(&gateway::openapi_document()).unwrap();
    let grant_type = &document["components"]["schemas"]["TokenForm"]["properties"]["grant_type"];
    for grant in GrantType::ALL {
        let is_named = grant_type["description"].as_str().unwrap().contains(&format!("`{grant}`"));
        assert_eq!(is_named, GrantType::SERVED.contains(&grant), "{grant}: {grant_type}");
    }
}

/// The calls in routes.rs that register routes. The routes of the admin API come from the document.
fn registrations() -> Vec<&'static str> {
    let page = include_str!("../../src/routes.rs");
    let starts = ["get(\"", "any(\"", "post(\"", "route(\"", "all(\"", "one(\""];
    let mut starts: Vec<_> = starts
        .iter()
        .flat_map(|start| page.match_indices(start).map(|(at, _)| at))
        .chain([page.len()])
        .collect();
    starts.sort_unstable();
    starts.windows(2).map(|bounds| &page[bounds[0]..bounds[1]]).collect()
}

#[test]
fn every_registered_route_is_documented() {
    let mut registered: Vec<_> = registrations()
        .into_iter()
        .flat_map(|call| {
            let path = call.split('"').nth(1).unwrap().to_owned();
            let methods = ["get", "post", "patch", "delete", "put"];
            let takes = |method: &&str| {
                // A route for any method is documented as GET.
                let starts = call.starts_with(&format!("{method}("));
                starts
                    || call.contains(&format!(".{method}("))
                    || (call.starts_with("any(") && *method == "get")
            };
            let methods: Vec<_> = methods.into_iter().filter(takes).collect();
            methods.into_iter().map(move |method| (method.to_owned(), path.clone()))
        })
        .collect();
    // Routes of pages register their methods themselves.
    let others = |path: &str| routes::is_of_people(path) || routes::is_admin(path);
    registered.extend(routes::all().into_iter().filter(|(_, path)| others(path)));
    registered.sort();
    assert_eq!(registered, routes::all());
}

// [shared 2.17]: The page of the API is of the origin of sign-in pages; its policy said nothing of forms, and
//   it had no `X-Frame-Options` | fixed | One function makes the headers of all pages: in no frame, by policy
//   and by `X-Frame-Options`, and with the targets of forms. The tests of the gateway compare each page that
//   they see
// [V13 13.2.5]: 2 | The server loads listed files only | Those that the settings name. No input of a caller
//   becomes a path or an address
// [V13 13.4.7]: 3 | Only files of listed kinds are served | Two documents and a script, built into the
//   program
#[tokio::test]
async fn api_reference_loads_nothing_from_other_servers() {
    let app = TestApp::start();
    let document = app.get("/openapi.json").await;
    document.assert_json();
    assert_eq!((document.status, document.body), (200, gateway::openapi_document()));

    let page = app.get("/docs").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    let content = |tag: &str| {
        let (_, content) = page.body.split_once(&format!("<{tag}>")).unwrap();
        content.split_once(&format!("</{tag}>")).unwrap().0
    };
    let inside = |tag: &str| {
        format!("{tag}-src 'sha256-{}'", BASE64_STANDARD.encode(digest(&SHA256, content(tag).as_bytes())))
    };
    let policy = page.header("content-security-policy");
    let expected = [
        "default-src 'none'",
        &inside("script"),
        &inside("style"),
        "img-src data:",
        "connect-src 'self'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "worker-src 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ];
    assert_eq!(policy, expected.join("; "));
    assert_eq!(page.header("x-frame-options"), "DENY");
    for loads in [" src=", "href=\"http", "url(", "@import"] {
        assert!(!page.body.contains(loads), "{loads}");
    }
    assert!(!content("script").contains("import "), "a script may not import another");
    assert!(page.body.contains("rel=\"icon\""), "a browser would fetch /favicon.ico");
    let compressed = app.request(Method::HEAD, "/docs").header("accept-encoding", "gzip");
    let length: usize = Answer::to(compressed).await.header("content-length").parse().unwrap();
    assert!(length <= 100_000, "{length}");
}

#[tokio::test]
async fn api_reference_offers_tokens_only_on_public_listeners() {
    for (public, admin) in [(true, true), (true, false), (false, true)] {
        let mut options = options(ACME);
        options.listeners[0].surface = ListenerSurface::new(public, admin);
        let page = TestApp::start_with(&options).get("/docs").await;
        let policy = page.header("content-security-policy");
        assert_eq!(policy.contains("connect-src 'self'"), public, "{policy}");
        assert_eq!(page.body.contains("<form data-path=\"/api/v1/tenant/{id}/oauth/token\" hidden>"), public);
        assert!(
            page.body.contains("curl &#39;http://localhost:3000/api/v1/tenant/test-tenant/oauth/token&#39;")
        );
        for (operation, is_shown) in [("token", public), ("create_client", admin), ("live", true)] {
            assert_eq!(page.body.contains(&format!("<details id=\"{operation}\">")), is_shown, "{operation}");
        }
    }
}

#[tokio::test]
async fn documents_are_compressed_and_revalidated() {
    let app = TestApp::start();
    for (path, part) in [("/docs", "<h1>Latchkey API</h1>"), ("/openapi.json", "\"openapi\"")] {
        let file = async |method: Method, accepted: Option<&str>| {
            let mut request = app.request(method, path);
            if let Some(accepted) = accepted {
                request = request.header("accept-encoding", accepted);
            }
            Answer::to(request).await
        };
        let plain = file(Method::GET, None).await;
        assert!(plain.body.len() > 100_000 && plain.body.contains(part));
        for (accepted, coding) in [
            ("gzip", "gzip"),
            ("br, gzip;q=0.5", "gzip"),
            ("gzip, deflate, br, zstd", "gzip"),
            ("identity", ""),
            ("br", ""),
            ("gzip;q=0", ""),
            ("", ""),
        ] {
            let answer = file(Method::GET, Some(accepted)).await;
            assert_eq!((answer.status, answer.header("content-encoding")), (200, coding), "{accepted}");
            assert_eq!(answer.header("vary"), "accept-encoding", "{accepted}");
            assert!(answer.body == plain.body, "{accepted}: another file");
            let head = file(Method::HEAD, Some(accepted)).await;
            assert_eq!(head.header("content-length"), answer.header("content-length"), "{accepted}");
            assert_eq!(head.header("content-encoding"), coding, "{accepted}");
        }
        let tag = plain.header("etag");
        assert!(tag.starts_with("W/\"") && tag.len() > 10, "{tag}");
        for (known, status) in [(tag, 304), ("W/\"other\"", 200)] {
            let answer = Answer::to(app.request(Method::GET, path).header("if-none-match", known)).await;
            assert_eq!((answer.status, answer.header("etag")), (status, tag), "{path}");
        }
    }
}

#[tokio::test]
async fn listener_document_describes_only_its_own_routes() {
    for (public, admin) in [(true, true), (true, false), (false, true)] {
        for tenant in [ACME, GLOBEX] {
            let mut options = options(tenant);
            options.listeners[0].surface = ListenerSurface::new(public, admin);
            let app = TestApp::start_with(&options);
            app.change_tenant(tenant, routes::show_logo);
            assert_eq!(app.get("/docs").await.status, 200);
            let document = app.get("/openapi.json").await.json();
            for (method, path) in routes::all() {
                let sent: Method = method.to_uppercase().parse().unwrap();
                let answer = Answer::to(app.request(sent, &routes::placed(&path, tenant))).await;
                let is_known = answer.status != 404 || !answer.body.contains("Unknown path");
                // The public URL is not the issuer of a tenant, so its metadata path is not found.
                let is_of_nobody = path.starts_with("/.well-known/") && !path.contains('{');
                let is_served = if is_of_nobody { public && !is_known } else { is_known };
                let is_described = document["paths"][&path][&method].is_object();
                assert_eq!(is_described, is_served, "{method} {path} with {public}, {admin}: {answer:?}");
            }
            let text = document.to_string();
            for (part, names_it) in
                [("latchkey:clients", admin), ("\"scheme\":\"basic\"", public), ("\"Get a token\"", public)]
            {
                assert_eq!(text.contains(part), names_it, "{part} with {public}, {admin}");
            }
            let references = text.split("#/components/schemas/").skip(1);
            for name in references.map(|rest| rest.split('"').next().unwrap()) {
                assert!(document["components"]["schemas"][name].is_object(), "{name}");
            }
        }
    }
}

/// The URL in the `Link` header.
fn help_of(answer: &Answer) -> Option<String> {
    let link = answer.header("link").strip_suffix(">; rel=\"help\"")?;
    Some(link.strip_prefix(&format!("<{}/docs/errors#", crate::app::PUBLIC_URL))?.to_owned())
}

#[tokio::test]
async fn each_error_links_to_its_section() {
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&options(tenant));
        let page = app.get("/docs/errors").await;
        assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
        let (_, style) = page.body.split_once("<style>").unwrap();
        let style = style.split_once("</style>").unwrap().0;
        let hash = BASE64_STANDARD.encode(digest(&SHA256, style.as_bytes()));
        let allowed = format!("default-src 'none'; style-src 'sha256-{hash}'; frame-ancestors 'none'");
        assert!(page.header("content-security-policy").starts_with(&allowed), "{page:?}");
        assert!(!page.body.contains("<script") && page.header("link").is_empty(), "{page:?}");
        let path = |rest| tenant_path(tenant, rest);
        for (answer, code) in [
            (app.post(&path("/oauth/token"), &[]).await, "invalid_request"),
            (app.post(&path("/oauth/introspect"), &[("token", "x")]).await, "invalid_client"),
            (app.get(&tenant_path("initech", "/strategies")).await, "not_found"),
            (app.get(&path("/oauth/token")).await, "invalid_request"),
            (app.get("/no/such/path").await, "not_found"),
            (app.get(RESOURCE).await, "authentication-required"),
            (app.get(&path("/clients")).await, "authentication-required"),
            (app.get(&path("/clients/a/b/c/d")).await, "not-found"),
            (app.get("/flow/execute").await, "LK-4050"),
        ] {
            assert_eq!(help_of(&answer).as_deref(), Some(code), "{answer:?}");
            assert!(page.body.contains(&format!("<h3 id=\"{code}\">")), "{code}");
        }
        let good = app.get(&path("/strategies")).await;
        assert_eq!((good.status, good.header("link")), (200, ""));
        // The link starts with the public URL, whatever host the request names.
        let request = app.request(Method::GET, "/x").header("host", "evil.example");
        assert_eq!(help_of(&Answer::to(request).await).as_deref(), Some("not_found"));
    }
}

// [http RFC 9110 §9.1], [http RFC 9110 §15.5.6]
#[tokio::test]
async fn each_path_refuses_other_methods_with_allow_header() {
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&options(tenant));
        // Proxies ask with the method of their caller.
        let takes_all = |path: &str| path.ends_with("/forward-auth");
        let others = |path: &str| routes::is_admin(path) || routes::is_of_people(path) || takes_all(path);
        for (method, path) in routes::all().into_iter().filter(|(_, path)| !others(path)) {
            let path = path.replace("{id}", tenant);
            let takes_both =
                routes::all().iter().filter(|(_, other)| other.replace("{id}", tenant) == path).count() == 2;
            let [known, allow] = match (method.as_str(), takes_both) {
                ("get", false) => ["HEAD", "GET, HEAD"],
                ("get", true) => ["HEAD", "GET, HEAD, POST"],
                (_, true) => ["POST", "GET, HEAD, POST"],
                _ => ["POST", "POST"],
            };
            for (method, taken) in [(known, true), ("PUT", false), ("DELETE", false), ("OPTIONS", false)] {
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                let answer = Answer::to(app.request(method, &path)).await;
                assert_eq!(answer.status != 405, taken, "{path}");
                assert_eq!(answer.header("allow"), if taken { "" } else { allow }, "{path}");
            }
        }
    }
}

// [V13 13.4.1]: 1 | No source control data is served | No folder is served; the image contains only the
//   program
// [V13 13.4.3]: 2 | No listing of folders | No folder is served
// [V13 13.2.5]
#[tokio::test]
async fn unknown_paths_return_json_404() {
    let app = TestApp::start();
    let mut paths: Vec<_> = [ACME, GLOBEX]
        .into_iter()
        .flat_map(|tenant| {
            ["", "/", "/oauth", "/oauth/token/", "/oauth2/token", "/Strategies"]
                .map(|rest| tenant_path(tenant, rest))
        })
        .collect();
    paths.extend(
        ["/oauth", "/oauth/token/", "/OAuth/token", "/favicon.ico", "/api/v1/tenant/", "/api//v1"]
            .map(str::to_owned),
    );
    for path in paths {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            Answer::to(app.request(method, &path)).await.assert_refused(404, "not_found", "Unknown path");
        }
    }
    assert_eq!(app.store_calls(), 0);
}

// [V13 13.4.5]
#[tokio::test]
async fn admin_listener_serves_no_public_endpoints() {
    for tenant in [ACME, GLOBEX] {
        let mut options = options(tenant);
        options.listeners[0].surface.public = false;
        let app = TestApp::start_with(&options);
        for (_, path) in routes::all() {
            let answer = app.get(&path.replace("{id}", tenant)).await;
            if path == "/openapi.json" || path.starts_with("/docs") {
                assert_eq!(answer.status, 200, "{path}");
                continue;
            }
            if routes::is_admin(&path) {
                assert!([401, 405].contains(&answer.status), "{path}");
                continue;
            }
            if routes::is_of_people(&path) {
                continue;
            }
            if ["/health/live", "/health/ready", "/metrics"].contains(&path.as_str()) {
                assert_eq!(answer.status, 200, "{path}");
                continue;
            }
            answer.assert_refused(404, "not_found", "Unknown path");
        }
    }
}
