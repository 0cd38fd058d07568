//! The files that pages load.

use pages::{Asset, Theme};
use reqwest::Method;

use tenancy::{Branding, Colour};
use testkit::fixtures;

use crate::answer::Answer;
use crate::app::{ACME, GLOBEX, TestApp, options, tenant_path};

#[tokio::test]
async fn a_file_at_its_digest_is_kept_for_ever_and_does_nothing_by_itself() {
    // Which tenant is the default one changes nothing.
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
            for (header, expected) in [
                ("content-type", media_type),
                ("cache-control", "public, max-age=31536000, immutable"),
                ("content-security-policy", "sandbox; default-src 'none'"),
                ("cross-origin-resource-policy", "same-origin"),
                ("x-content-type-options", "nosniff"),
            ] {
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
async fn a_file_of_another_version_is_ours_for_this_time_only_and_an_unknown_file_is_none() {
    let app = TestApp::start();
    let answer = app.get("/assets/another-digest/pages.css").await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-cache"));
    for path in [
        "/assets/x/pages.html",
        "/assets/x/..%2fpages.css",
        "/assets/x/PAGES.CSS",
        "/assets/x/",
        "/assets/pages.css",
    ] {
        assert_eq!(app.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn each_tenant_has_its_own_style_and_one_that_declares_none_has_that_of_all() {
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
        // The digest of one tenant shows nothing of it at another.
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
