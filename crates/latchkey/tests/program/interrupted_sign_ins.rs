//! Tests a program that is killed between the steps of a sign-in, and what the store keeps about people who
//! did not authenticate. Each test uses two tenants.

use std::collections::BTreeMap;
use std::process::Command;

use reqwest::Method;
use serde_json::Value;

use crate::answer::Answer;
use crate::folder::Folder;
use crate::host::run;
use crate::person::{Browser, EMAIL, after, code_in, public_url};
use crate::program::Program;
use crate::running::tenant_path;
use crate::two_providers::{ProviderTenant, TwoProviders};

// [attacks #39]: A program that is killed in the middle of a sign-in | The next one serves on with the page,
//   the code, the refresh token and the session, and what was used up stays so
#[tokio::test]
async fn sign_in_continues_after_kills_between_steps() {
    let TwoProviders { tenants, folder, program } = TwoProviders::start("http://127.0.0.1:9");
    let url = public_url(&tenants);
    let again = |program: Program| {
        program.kill();
        Program::start(&folder)
    };
    let mut browsers = tenants.each_ref().map(|tenant| Browser::new(&url, tenant));
    let mut pages = Vec::new();
    for browser in &mut browsers {
        pages.push(browser.authorize().await);
    }
    let program = again(program);
    let mut codes = Vec::new();
    for (browser, page) in browsers.iter_mut().zip(&pages) {
        let password = browser.tenant.password.clone();
        let done = browser.sign_in(page, EMAIL, &password).await;
        assert_eq!(done.status, 200, "{done:?}");
        codes.push(code_in(&after(&done, "content=\"0;url=")));
    }
    let program = again(program);
    let mut tokens = Vec::new();
    for (at, browser) in browsers.iter_mut().enumerate() {
        // The code of the other tenant is refused, and stays unused.
        let other = browser.tokens("authorization_code", "code", &codes[1 - at]).await;
        other.assert_refused(400, "invalid_grant");
    }
    for (browser, code) in browsers.iter_mut().zip(&codes) {
        let redeemed = browser.tokens("authorization_code", "code", code).await;
        assert_eq!(redeemed.status, 200, "{redeemed:?}");
        tokens.push(redeemed.json());
    }
    let program = again(program);
    for (browser, tokens) in browsers.iter_mut().zip(&mut tokens) {
        let refresh = tokens["refresh_token"].as_str().unwrap();
        let refreshed = browser.tokens("refresh_token", "refresh_token", refresh).await;
        assert_eq!(refreshed.status, 200, "{refreshed:?}");
        *tokens = refreshed.json();
        assert_eq!(userinfo(&program, browser.tenant, tokens).await, 200);
    }
    let program = again(program);
    for ((browser, tokens), code) in browsers.iter_mut().zip(&tokens).zip(&codes) {
        let session = browser.authorize().await;
        assert_eq!(session.status, 303, "the person is still signed in: {session:?}");
        code_in(session.header("location"));
        // The code was used before the program was killed twice. Using it again revokes the grant.
        browser.tokens("authorization_code", "code", code).await.assert_refused(400, "invalid_grant");
        assert_eq!(userinfo(&program, browser.tenant, tokens).await, 401);
    }
    let program = again(program);
    for (browser, tokens) in browsers.iter_mut().zip(&tokens) {
        let refresh = tokens["refresh_token"].as_str().unwrap();
        browser.tokens("refresh_token", "refresh_token", refresh).await.assert_refused(400, "invalid_grant");
        assert_eq!(userinfo(&program, browser.tenant, tokens).await, 401, "what has ended stays so");
    }
}

async fn userinfo(program: &Program, tenant: &ProviderTenant, tokens: &Value) -> u16 {
    let request = program.request(Method::GET, &tenant_path(tenant.id, "/oauth/userinfo"));
    Answer::to(request.bearer_auth(tokens["access_token"].as_str().unwrap())).await.status
}

/// The rows of each table except `leases`, with all columns.
fn rows(folder: &Folder) -> BTreeMap<String, Vec<String>> {
    let script = "import json, sqlite3, sys\n\
        store = sqlite3.connect(sys.argv[1])\n\
        names = [name for (name,) in store.execute(\"select name from sqlite_master where type = 'table'\")]\n\
        print(json.dumps({name: sorted(map(repr, store.execute(f'select * from \"{name}\"'))) for name in names}))";
    let path = folder.path("data/latchkey.db");
    let ran = run(Command::new("python3").arg("-c").arg(script).arg(path));
    let mut rows: BTreeMap<String, Vec<String>> = serde_json::from_str(&ran.output()).unwrap();
    // The program itself renews leases, whatever callers do.
    rows.remove("leases").unwrap();
    rows
}

// [attacks #32]
#[tokio::test]
async fn anonymous_requests_write_only_counts_and_refusals() {
    const PAGES: usize = 480;
    /// After failures at twenty accounts of a tenant, an address must wait. This is fewer.
    const PASSWORDS: usize = 15;
    let TwoProviders { tenants, folder, program: _program } = TwoProviders::start("http://127.0.0.1:9");
    let url = public_url(&tenants);
    let before = rows(&folder);
    for tenant in &tenants {
        let mut browser = Browser::new(&url, tenant);
        for at in 0..PAGES {
            browser.cookies.clear();
            let page = match at % 4 {
                0 => browser.send(Method::GET, "/device", &[]).await,
                1 => browser.send(Method::GET, "/account", &[]).await,
                2 => browser.send(Method::GET, "/oauth/logout", &[]).await,
                _ => browser.authorize().await,
            };
            assert_eq!(page.status, 200, "{page:?}");
        }
        for at in 0..PASSWORDS {
            browser.cookies.clear();
            let page = browser.authorize().await;
            let refused = browser.sign_in(&page, &format!("nobody-{at}@example.com"), &tenant.secret).await;
            assert_eq!(refused.status, 403, "{refused:?}");
        }
    }
    let now = rows(&folder);
    assert!(now.keys().eq(before.keys()) && now.len() > 20, "{:?}", now.keys());
    // Only counts and refusals are written, and their number is limited.
    let is_written = |table: &str| ["refusals", "usage_days", "usage_batches"].contains(&table);
    for (table, rows) in now.iter().filter(|(table, _)| !is_written(table)) {
        assert_eq!(rows, &before[table], "{table}");
    }
    // Proves that the comparison would notice a row.
    let mut browser = Browser::new(&url, &tenants[0]);
    let page = browser.authorize().await;
    browser.sign_in(&page, EMAIL, &tenants[0].password).await;
    assert_ne!(self::rows(&folder), before);
}
