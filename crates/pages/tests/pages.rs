//! Tests of every page: a snapshot of its HTML, and rules that all pages have to keep.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which lints do not take for tests")]

use pages::examples::{all, common, hostile, texts_outside_table};
use pages::{
    AccountEmail, AccountPage, AllowedApplication, Asset, Common, Continue, ErrorKind, ErrorPage, FormPost,
    FormTarget, HtmlPage, Language, Link, Links, LogoPaths, MomentValue, ScopeLine, SealedForm, SessionEntry,
    Theme,
};

/// Removes the hashes from file names, because they change with the files.
fn without_digests(html: &str) -> String {
    let mut text = html.to_owned();
    for name in ["pages.css", "pages.js", "icon.svg"] {
        text = text.replace(Asset::named(name).unwrap().hash(), "DIGEST");
    }
    let Some((before, rest)) = text.split_once("integrity=\"") else { return text };
    let (_, after) = rest.split_once('"').unwrap();
    format!("{before}integrity=\"DIGEST\"{after}")
}

// [V6 6.2.6]: 1 | Fields for passwords hide what is typed | `type=password`; a button shows it until it is
//   sent
// [V6 6.2.7]: 1 | Pasting, browsers' helpers and password managers work | `autocomplete` names both fields of
//   the one form; no script handles a key or a paste
// [V6 6.4.2]: 1 | There are no hints and no secret questions | An account has no member for one, members that
//   it does not have are refused, and no page shows or asks for one
#[test]
fn each_page_matches_its_snapshot() {
    for (name, page) in all(&common()) {
        insta::assert_snapshot!(name, without_digests(&page.render()));
    }
}

/// The path of the logos of the examples' tenant.
const LOGOS: &str = "/api/v1/tenant/acme/oauth/logo/";

fn with_logos() -> Common {
    let path = |name| format!("{LOGOS}{name}");
    Common { logo: Some(LogoPaths { light: path("light"), dark: Some(path("dark")) }), ..common() }
}

fn header(common: &Common) -> String {
    let (_, page) = all(common).swap_remove(0);
    let html = page.render();
    html[html.find("<header>").unwrap()..html.find("<main ").unwrap()].to_owned()
}

/// Screen readers read the tenant's name only once.
#[test]
fn logo_has_the_tenant_name_and_a_dark_variant() {
    insta::assert_snapshot!(header(&with_logos()), @r#"
    <header>
    <picture>
    <source srcset="/api/v1/tenant/acme/oauth/logo/dark" media="(prefers-color-scheme:dark)">
    <img src="/api/v1/tenant/acme/oauth/logo/light" alt="Acme Ltd">
    </picture>
    <p aria-hidden="true">Acme Ltd</p>
    </header>
    "#);
    assert!(header(&common()).contains("<span class=\"mark\" aria-hidden=\"true\">AL</span>"));
    assert!(!header(&with_logos()).contains("class=\"mark\""));
    let light = LogoPaths { light: format!("{LOGOS}light"), dark: None };
    let one = header(&Common { logo: Some(light), ..common() });
    assert!(!one.contains("<source") && one.contains("alt=\"Acme Ltd\""), "{one}");
    for (name, page) in all(&with_logos()) {
        assert_eq!(page.render().matches("<img ").count(), 1, "{name}");
    }
}

// [attacks #40]: A person at the page of another tenant than the one that is meant | Every page names its
//   tenant
#[test]
fn each_page_has_language_heading_and_tenant_name() {
    for (name, page) in all(&common()) {
        let html = page.render();
        assert!(html.starts_with("<!doctype html>\n<html lang=\"en\">\n"), "{name}");
        assert_eq!(html.matches("<h1>").count(), 1, "{name}");
        assert_eq!(html.matches("<main ").count(), 1, "{name}");
        assert!(html.contains("<p>Acme Ltd</p>"), "{name}");
        assert!(html.contains(" · Acme Ltd</title>"), "{name}");
    }
}

// [V6 6.2.7]
#[test]
fn pages_have_no_inline_code_or_external_files() {
    for (name, page) in all(&common()).into_iter().chain(all(&with_logos())) {
        let html = page.render();
        for inline in ["<style", " style=", "javascript:", " on", "<base", "<iframe", "<object"] {
            let tags = html.split('<').filter_map(|rest| rest.split('>').next());
            let found = tags.map(|tag| format!("<{tag}")).find(|tag| tag.contains(inline));
            assert!(found.is_none(), "{name}: {found:?}");
        }
        for loading in ["<script src=\"", "<link rel=\"stylesheet\" href=\"", "<img src=\"", "srcset=\""] {
            for rest in html.split(loading).skip(1) {
                let is_ours = rest.starts_with("/assets/") || rest.starts_with(LOGOS);
                assert!(is_ours, "{name}: {loading}{rest}");
            }
        }
        let scripts = html.matches("<script").count();
        assert_eq!(
            html.matches("nonce=\"bm9uY2Utbm9uY2Utbm9uY2U\" defer></script>").count(),
            scripts,
            "{name}"
        );
    }
}

#[test]
fn each_form_carries_its_flow_or_session_token() {
    let mut forms = 0;
    for (name, page) in all(&common()) {
        let html = page.render();
        let posts = html.matches("<form method=\"post\"").count();
        if name.starts_with("console_") {
            // Forms contain the token of their session, except forms before a session and searches.
            let bound = html.matches("name=\"form\" value=\"").count();
            assert!(bound == posts || ["console_link", "console_sign_in"].contains(&name), "{name}");
            continue;
        }
        assert_eq!(html.matches("<form").count(), posts, "{name}");
        forms += posts;
        if page.form_target() == FormTarget::Own {
            assert_eq!(html.matches("name=\"flow\" value=\"").count(), posts, "{name}");
            assert_eq!(html.matches("action=\"/api/v1/tenant/").count(), posts, "{name}");
        } else {
            assert_eq!(name, "form_post");
        }
    }
    assert!(forms >= 10, "{forms}");
}

/// A page with this text in every value, and this number of sessions and applications.
fn account_of(common: &Common, text: &str, entries: usize) -> AccountPage {
    let text = || text.to_owned();
    let moment = || MomentValue::utc(text());
    let session = |at: usize| SessionEntry {
        id: text(),
        user_agent: format!("{at} {}", text()),
        source: Some(text()),
        began: moment(),
        last_seen: moment(),
    };
    let scopes = vec![ScopeLine { name: text(), description: text() }];
    let application =
        AllowedApplication { client: text(), name: text(), scopes, apis: vec![text()], allowed: moment() };
    AccountPage {
        common: common.clone(),
        form: SealedForm { action: text(), flow: text() },
        name: Some(text()),
        account: text(),
        console: None,
        has_password: true,
        email: Some(AccountEmail { address: text(), is_verified: false }),
        offers_mail: true,
        notice: None,
        here: session(0),
        elsewhere: (0..entries).map(session).collect(),
        applications: vec![application; entries.min(AccountPage::MOST)],
        more_applications: 180,
    }
}

// [attacks #14]: Markup and script in names, scopes, addresses and errors | Templates escape every value, and
//   the policy runs no script but ours
/// Markup in every value that a tenant, a client or a person can choose.
#[test]
fn markup_in_values_is_escaped() {
    const MARKUP: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 617 * 613 }}&amp;";
    let evil = || MARKUP.to_owned();
    let links = Links { support: Some(evil()), terms: Some(evil()), privacy: Some(evil()) };
    let common = Common {
        tenant_name: Some(evil()),
        client_name: Some(evil()),
        theme: Some(evil()),
        logo: Some(LogoPaths { light: evil(), dark: Some(evil()) }),
        links,
        account: Some(evil()),
        ..common()
    };
    let mut pages = all(&common);
    let form = SealedForm { action: evil(), flow: evil() };
    pages.extend(hostile(&common, &form, &Link { name: evil(), url: evil() }, MARKUP));
    pages.push(("continue", Box::new(Continue { common: common.clone(), to: evil() })));
    pages.push(("account", Box::new(account_of(&common, MARKUP, 1))));
    let fields = vec![(evil(), evil())];
    pages.push(("form_post", Box::new(FormPost { common: common.clone(), to: evil(), fields })));
    for (name, page) in pages {
        let html = page.render();
        assert!(!html.contains("alert(1)<") && !html.contains("<img src=x"), "{name}: {html}");
        assert!(!html.contains("<script>") && !html.contains("\"'>"), "{name}: {html}");
        assert!(html.contains("&lt;script&gt;") || html.contains("&#60;script&#62;"), "{name}: {html}");
        assert!(!html.contains("378221"), "{name}: {html}");
    }
}

#[test]
fn pages_fit_in_40_kilobytes_and_the_console_in_60() {
    let files = ["pages.css", "pages.js", "icon.svg"].map(|name| Asset::named(name).unwrap().text().len());
    let files: usize = files.iter().sum::<usize>() + Theme::default().css().len();
    for (name, page) in all(&common()) {
        // A real sealed request is a few kilobytes longer than the example.
        let whole = files + page.render().len() + 4096;
        let is_of_operators = name.starts_with("console") || name == "components";
        let most = if is_of_operators { 60 * 1024 } else { 40 * 1024 };
        assert!(whole <= most, "{name} has {whole} bytes");
    }
}

/// Sessions over the limit can be ended with "sign out everywhere".
#[test]
fn full_account_page_fits_in_32_kilobytes() {
    let html = account_of(&common(), "about thirty letters of text", AccountPage::MOST + 180).render();
    assert_eq!(html.matches("180 more ").count(), 2);
    assert!(html.len() <= 32 * 1024, "{}", html.len());
}

/// One button ends all sessions of an entry.
#[test]
fn equal_sessions_share_one_entry_and_button() {
    let of = |ids: usize| {
        let mut page = account_of(&common(), "x", 1);
        let session = page.elsewhere.remove(0);
        let with_id = |at: usize| SessionEntry { id: format!("id-{at}"), ..session.clone() };
        page.elsewhere = (0..ids).map(with_id).collect();
        page.elsewhere.push(SessionEntry { source: None, id: "elsewhere".to_owned(), ..session });
        page.render()
    };
    for (count, label, button) in [
        (1, "Sign out of this session", "value=\"id-0\""),
        (3, "Sign out of 3 sessions", "value=\"id-0 id-1 id-2\""),
        (25, "Sign out of 20 sessions", "id-18 id-19\""),
    ] {
        let html = of(count);
        assert_eq!(html.matches("name=\"session\"").count(), 2, "{count}");
        assert!(
            html.contains(label) && html.contains(button) && html.contains("value=\"elsewhere\""),
            "{html}"
        );
        assert_eq!(html.contains(&format!("{count} sessions, last used")), count > 1, "{html}");
    }
}

#[test]
fn page_loads_files_below_the_proxy_path() {
    for (name, page) in all(&Common { base: "/auth".to_owned(), ..common() }) {
        let html = page.render();
        assert!(html.contains("href=\"/auth/assets/") && !html.contains("\"/assets/"), "{name}");
    }
}

#[test]
fn each_error_is_explained_in_each_language() {
    for language in Language::ALL {
        for kind in ErrorKind::ALL {
            let (title, explanation) = (language.texts().error)(kind);
            assert!(!title.is_empty() && explanation.ends_with('.'), "{kind:?}");
        }
    }
}

/// Names and other data in the examples.
const DATA: &[&str] = &[
    "2001:db8:85a3:8d3:1319:8a2e:370:7348",
    "AL",
    "Acme Ltd",
    "Acme Notes",
    "Ada Lovelace",
    "Billing",
    "Calendar",
    "Go",
    "Nightly export",
    "Reset your password at Acme",
    "The id is taken",
    "a-program-with-a-very-long-name-that-no-list-of-browsers-has",
    "ada@acme.example",
    "ada@globex.example",
    "app.acme.example",
    "billing",
    "client:globex/ops",
    "curl",
    "globex",
    "invalid_request_uri",
    "invalid_scope",
    "orders",
    "latchkey:audit",
    "orders:read",
    "orders:write",
    "reports:read",
    "staff",
];

#[test]
fn each_visible_text_comes_from_the_table() {
    let mut found = Vec::new();
    for (name, page) in all(&Common { language: Language::Pseudo, ..common() }) {
        // The sheet of components has texts of its own.
        if name != "components" {
            let is_data = |piece: &str| {
                let is_longest_name = piece.contains("any-place-where-it-could-break");
                DATA.contains(&piece) || piece.starts_with("Program ") || is_longest_name
            };
            let texts = texts_outside_table(&page.render(), is_data);
            found.extend(texts.into_iter().map(|text| format!("{name}: {text}")));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The page must not show which client, tenant or account the request named.
#[test]
fn page_without_tenant_has_no_header() {
    let common = Common { nonce: "n".to_owned(), ..Common::default() };
    let (kind, detail) = (ErrorKind::NotFound, None);
    let html = ErrorPage { common, kind, detail, code: None, request_id: None, back: None }.render();
    assert!(html.contains("<title>Page not found</title>") && !html.contains("<header>"), "{html}");
}
