//! The files that pages load.

use pages::Asset;
use reqwest::Method;

use crate::answer::Answer;
use crate::app::{ACME, GLOBEX, TestApp, options};

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
