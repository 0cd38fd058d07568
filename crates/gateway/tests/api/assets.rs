//! The files that pages load.

use pages::{Asset, Theme};

use tenancy::{Branding, Logo};
use values::Colour;

use crate::prelude::*;

/// The headers of a file with a hash in its path.
const PASSIVE: [(&str, &str); 4] = [
    ("cache-control", "public, max-age=31536000, immutable"),
    ("content-security-policy", "sandbox; default-src 'none'"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
];
const PNG: &[u8] = include_bytes!("../../../testkit/images/dark.png");
const WEBP: &[u8] = include_bytes!("../../../testkit/images/logo.webp");

#[tokio::test]
async fn hashed_asset_is_immutable_and_passive() {
    // The default tenant has the same path.
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&options(tenant));
        for (name, media_type) in [
            ("pages.css", "text/css; charset=utf-8"),
            ("pages.js", "text/javascript; charset=utf-8"),
            ("icon.svg", "image/svg+xml"),
        ] {
            let file = Asset::named(name).unwrap();
            let answer = app.get(&file.path()).await;
            assert_eq!((answer.status, &*answer.body), (200, file.text()), "{name}");
            assert_eq!(answer.header("content-type"), media_type, "{name}");
            for (header, expected) in PASSIVE {
                assert_eq!(answer.header(header), expected, "{name}");
            }
            let tag = answer.header("etag").to_owned();
            for (tags, status) in [(tag.as_str(), 304), ("\"other\"", 200)] {
                let again = app.request(Method::GET, &file.path()).header("if-none-match", tags);
                let again = Answer::to(again).await;
                assert_eq!((again.status, again.header("etag")), (status, &*tag), "{name} {tags}");
                assert_eq!(again.body.is_empty(), status == 304, "{name} {tags}");
            }
        }
    }
}

#[tokio::test]
async fn asset_with_another_hash_is_not_cached() {
    let app = TestApp::start();
    let answer = app.get("/assets/another-digest/pages.css").await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-cache"));
    for path in ["x/pages.html", "x/..%2fpages.css", "x/PAGES.CSS", "x/", "pages.css"] {
        assert_eq!(app.get(&format!("/assets/{path}")).await.status, 404, "{path}");
    }
}

/// Returns the paths of both logos.
fn put_logos(app: &TestApp, tenant: &str) -> [String; 2] {
    let logo = |scheme: &str, content: &[u8]| Logo::new(format!("{tenant}-{scheme}"), content);
    let (light, dark) = (logo("light", WEBP), logo("dark", PNG));
    let paths = [&light, &dark].map(|logo| logo_path(tenant, logo.hash()));
    let branding = Branding { logo: Some(light), logo_dark: Some(dark), ..Branding::default() };
    app.store.put_tenant(tenancy::Tenant { branding, ..fixtures::tenant(tenant) });
    paths
}

fn logo_path(tenant: &str, hash: &str) -> String {
    tenant_path(tenant, &format!("/oauth/logo/{hash}"))
}

// [limits #32]
#[tokio::test]
async fn logo_is_immutable_and_served_only_by_its_tenant() {
    for (owner, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let app = TestApp::start();
        let [light, dark] = put_logos(&app, owner);
        put_logos(&app, other);
        for (path, media_type, content) in [(&light, "image/webp", WEBP), (&dark, "image/png", PNG)] {
            let answer = app.request(Method::GET, path).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
            assert_eq!(answer.headers()["content-type"], media_type, "{path}");
            for (header, expected) in PASSIVE {
                assert_eq!(answer.headers()[header], expected, "{path}");
            }
            assert!(!answer.headers().contains_key("access-control-allow-origin"), "{path}");
            let tag = answer.headers()["etag"].clone();
            assert_eq!(answer.bytes().await.unwrap(), content, "{path}");
            let again = app.request(Method::GET, path).header("if-none-match", tag);
            assert_eq!(Answer::to(again).await.status, 304, "{path}");
        }
        let reads = app.store.calls().find_logo;
        for path in [
            // The hash of one tenant's logo is unknown at another tenant.
            logo_path(other, &format!("{owner}-light")),
            logo_path(other, &format!("{owner}-dark")),
            logo_path("unknown", &format!("{owner}-light")),
            logo_path(owner, "another"),
            logo_path(owner, ""),
            logo_path(owner, &format!("..%2f{owner}-light")),
        ] {
            let answer = app.get(&path).await;
            assert_eq!((answer.status, answer.header("content-type")), (404, "application/json"), "{path}");
            assert!(!answer.header("cache-control").contains("immutable"), "{path}");
        }
        assert_eq!(app.store.calls().find_logo, reads, "what the tenant does not show is not looked for");
        app.change_tenant(owner, |tenant| tenant.branding = Branding::default());
        assert_eq!(app.get(&light).await.status, 404);
    }
}

#[tokio::test]
async fn each_tenant_serves_only_its_own_theme() {
    for (owner, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let app = TestApp::start();
        let branding = Branding { primary: Colour::rgb(0xb0, 0x10, 0x40), ..Branding::default() };
        let own = Theme::new(&branding).unwrap();
        app.store.put_tenant(tenancy::Tenant { branding, ..fixtures::tenant(owner) });
        let path = |tenant, hash: &str| tenant_path(tenant, &format!("/oauth/theme/{hash}.css"));
        let answer = app.get(&path(owner, &own.hash())).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, own.css().as_str()));
        assert_eq!(answer.header("content-type"), "text/css; charset=utf-8");
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(answer.header("content-security-policy"), "sandbox; default-src 'none'");
        // Another tenant does not serve the file with this hash.
        let elsewhere = app.get(&path(other, &own.hash())).await;
        assert_eq!((elsewhere.status, elsewhere.body.as_str()), (200, Theme::default().css().as_str()));
        assert_eq!(elsewhere.header("cache-control"), "no-cache");
        for path in [
            path("unknown", &own.hash()),
            tenant_path(owner, "/oauth/theme/style"),
            tenant_path(owner, "/oauth/theme/"),
        ] {
            assert_eq!(app.get(&path).await.status, 404, "{path}");
        }
    }
}
