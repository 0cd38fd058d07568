//! Sign-in forms that are sent after the situation has changed: the client asks for another
//! account, another tab has signed in, the browser blocks cookies, or the page was open for too
//! long. Runs at two tenants.

use accounts::Account;

use crate::prelude::*;

const SIGN_IN: &str = "/oauth/sign-in";

/// A tenant with Ada and Bob, and the secret of its client.
struct People {
    ada: Account,
    bob: Account,
    secret: String,
}

fn prepare(app: &TestApp, tenant: &str, first_party: bool) -> People {
    let ada = add_person(app, tenant);
    let bob = add_someone(app, tenant, if tenant == ACME { 3 } else { 4 }, BOB);
    let secret = add_web_client(app, tenant, |client| client.code_flow.first_party = first_party);
    People { ada, bob, secret }
}

/// The subject of the code that the page continues with.
async fn subject(app: &TestApp, tenant: &str, people: &People, page: &Answer) -> String {
    let tokens = redeem(app, tenant, &people.secret, &code_in(page)).await.json();
    payload(&tokens["id_token"])["sub"].as_str().unwrap().to_owned()
}

#[track_caller]
fn assert_asks(page: &Answer, signed_in: &str, other: &str) {
    assert_eq!(page.status, 200, "{}", page.body);
    for text in [&format!("You are signed in as {signed_in}."), &format!("Continue as {signed_in}"), other] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    assert!(!page.body.contains("type=\"password\""), "{}", page.body);
}

// [core Core §3.1.2.1 d]
#[tokio::test]
async fn choosing_another_account_replaces_the_session() {
    let app = TestApp::start();
    let all = [ACME, GLOBEX].map(|tenant| prepare(&app, tenant, true));
    for ((tenant, other), people) in [(ACME, GLOBEX), (GLOBEX, ACME)].into_iter().zip(&all) {
        let path = tenant_path(tenant, SIGN_IN);
        let mut browser = Browser::new(&app);
        let request = [("prompt", "select_account")];
        let first = browser.authorize(tenant, &request).await;
        assert!(first.body.contains("type=\"password\""), "nobody is signed in: {}", first.body);
        let done = browser.sign_in(tenant, &first, PASSWORD).await;
        assert_eq!(subject(&app, tenant, people, &done).await, people.ada.id.as_str());
        let session = browser.cookies[&format!("lk-s.{tenant}")].clone();
        app.pass(10);

        let page = browser.authorize(tenant, &request).await;
        assert_asks(&page, EMAIL, "Use another account");
        assert_asks(&browser.decide(tenant, &page, "whatever").await, EMAIL, "Use another account");
        let elsewhere = [("flow", &*flow(&page)), ("decision", "continue")];
        assert_eq!(browser.post(&tenant_path(other, SIGN_IN), &elsewhere).await.status, 403);
        let on = browser.decide(tenant, &page, "continue").await;
        let tokens = redeem(&app, tenant, &people.secret, &code_in(&on)).await.json();
        assert_eq!(payload(&tokens["id_token"])["sub"], people.ada.id.as_str());
        assert_eq!(payload(&tokens["id_token"])["auth_time"], app.now() - 10, "no sign-in was needed");

        let form = browser.decide(tenant, &page, "other").await;
        assert!(form.body.contains("type=\"password\"") && !form.body.contains(EMAIL), "{}", form.body);
        assert_eq!(browser.authorize(tenant, &[]).await.status, 303, "until then the session goes on");
        let done = browser.sign_in_at(&path, &form, (BOB, PASSWORD)).await;
        assert_eq!(subject(&app, tenant, people, &done).await, people.bob.id.as_str());
        browser.cookies.insert(format!("lk-s.{tenant}"), session);
        assert_eq!(browser.authorize(tenant, &[]).await.status, 200, "the session before has ended");
    }
}

#[tokio::test]
async fn account_is_chosen_once_before_consent() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let people = prepare(&app, tenant, false);
        let mut browser = Browser::new(&app);
        let page = browser.authorize(tenant, &[]).await;
        browser.sign_in(tenant, &page, PASSWORD).await;
        app.pass(10);
        let page = browser.authorize(tenant, &[("prompt", "select_account")]).await;
        assert_asks(&page, EMAIL, "Use another account");
        let consent = browser.decide(tenant, &page, "continue").await;
        assert!(consent.body.contains("value=\"allow\""), "{}", consent.body);
        let done = browser.decide(tenant, &consent, "allow").await;
        assert_eq!(subject(&app, tenant, &people, &done).await, people.ada.id.as_str());
    }
}

#[tokio::test]
async fn form_asks_if_another_tab_changed_the_person() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let people = prepare(&app, tenant, true);
        let path = tenant_path(tenant, SIGN_IN);
        for (decision, chosen) in [("continue", &people.bob), ("other", &people.ada)] {
            let mut browser = Browser::new(&app);
            let page = browser.authorize(tenant, &[]).await;
            let tab = browser.authorize(tenant, &[]).await;
            app.pass(5);
            continued(&browser.sign_in_at(&path, &tab, (BOB, PASSWORD)).await);
            let before = app.store.calls().find_by_identifier;
            let asked = browser.sign_in_at(&path, &page, (EMAIL, PASSWORD)).await;
            assert_asks(&asked, BOB, &format!("Sign in as {EMAIL}"));
            assert_eq!(app.store.calls().find_by_identifier, before, "no password was checked");
            let mut next = browser.decide(tenant, &asked, decision).await;
            if decision == "other" {
                assert!(next.body.contains(&format!("value=\"{EMAIL}\"")), "{}", next.body);
                next = browser.sign_in_at(&path, &next, (EMAIL, PASSWORD)).await;
            }
            assert_eq!(subject(&app, tenant, &people, &next).await, chosen.id.as_str());
        }
    }
}

#[tokio::test]
async fn form_continues_for_the_same_or_expected_person() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let people = prepare(&app, tenant, true);
        let path = tenant_path(tenant, SIGN_IN);
        let mut browser = Browser::new(&app);
        let (page, tab) = (browser.authorize(tenant, &[]).await, browser.authorize(tenant, &[]).await);
        app.pass(5);
        let code = code_in(&browser.sign_in(tenant, &tab, PASSWORD).await);
        let tokens = redeem(&app, tenant, &people.secret, &code).await.json();
        let hint = tokens["id_token"].as_str().unwrap();
        // The identifier is spelled differently, and a wrong password is still refused.
        let wrong = [("flow", &*flow(&page)), ("identifier", "ADA@example.com"), ("password", "wrong")];
        browser.post(&path, &wrong).await.assert_says(403, "Wrong email or password");
        let done = browser.sign_in_at(&path, &page, (" ADA@Example.com", PASSWORD)).await;
        assert_eq!(subject(&app, tenant, &people, &done).await, people.ada.id.as_str());

        // The client expects Ada, so the person of the other tab could not continue.
        let mut browser = Browser::new(&app);
        let page = browser.authorize(tenant, &[("id_token_hint", hint)]).await;
        let tab = browser.authorize(tenant, &[]).await;
        app.pass(5);
        continued(&browser.sign_in_at(&path, &tab, (BOB, PASSWORD)).await);
        let done = browser.sign_in(tenant, &page, PASSWORD).await;
        assert_eq!(subject(&app, tenant, &people, &done).await, people.ada.id.as_str());
    }
}

#[tokio::test]
async fn consent_form_does_not_apply_to_another_person() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let people = prepare(&app, tenant, false);
        let path = tenant_path(tenant, SIGN_IN);
        let mut browser = Browser::new(&app);
        // Bob has already consented to everything.
        let page = browser.authorize(tenant, &[]).await;
        let consent = browser.sign_in_at(&path, &page, (BOB, PASSWORD)).await;
        continued(&browser.decide(tenant, &consent, "allow").await);
        for decision in ["allow", "deny"] {
            browser.cookies.remove(&format!("lk-s.{tenant}"));
            let page = browser.authorize(tenant, &[]).await;
            let tab = browser.authorize(tenant, &[]).await;
            let consent = browser.sign_in(tenant, &page, PASSWORD).await;
            assert!(consent.body.contains(EMAIL) && consent.body.contains("value=\"allow\""));
            continued(&browser.sign_in_at(&path, &tab, (BOB, PASSWORD)).await);
            let asked = browser.decide(tenant, &consent, decision).await;
            assert_asks(&asked, BOB, "Use another account");
            let done = browser.decide(tenant, &asked, "continue").await;
            assert_eq!(subject(&app, tenant, &people, &done).await, people.bob.id.as_str());
        }
    }
}

#[tokio::test]
async fn browser_without_cookies_can_retry_the_same_request() {
    let app = TestApp::start();
    let all = [ACME, GLOBEX].map(|tenant| prepare(&app, tenant, true));
    for ((tenant, other), people) in [(ACME, GLOBEX), (GLOBEX, ACME)].into_iter().zip(&all) {
        let path = tenant_path(tenant, SIGN_IN);
        let mut browser = Browser::new(&app);
        let page = browser.authorize(tenant, &[("state", "kept")]).await;
        browser.cookies.clear();
        let before = app.store.calls();
        let told = browser.sign_in_at(&path, &page, (EMAIL, PASSWORD)).await;
        told.assert_says(403, "blocks cookies");
        assert!(told.body.contains(&format!("value=\"{EMAIL}\"")) && !told.body.contains(PASSWORD));
        assert!(told.header("set-cookie").starts_with("lk-b="), "{:?}", told.headers);
        let after = app.store.calls();
        assert_eq!((after.find_by_identifier, after.sign_ins), (before.find_by_identifier, before.sign_ins));

        // The browser still blocks cookies. The page says so, and does not ask for the password
        // again.
        let kept = std::mem::take(&mut browser.cookies);
        let again = browser.sign_in_at(&path, &told, (EMAIL, PASSWORD)).await;
        again.assert_says(403, "blocks cookies");
        assert!(!again.body.contains("<form"), "{}", again.body);

        browser.cookies = kept;
        browser.sign_in_at(&tenant_path(other, SIGN_IN), &told, (EMAIL, PASSWORD)).await.assert_status(403);
        let done = browser.sign_in_at(&path, &told, (EMAIL, PASSWORD)).await;
        assert_eq!(parameter(&continued(&done), "state"), "kept");
        assert_eq!(subject(&app, tenant, people, &done).await, people.ada.id.as_str());

        // A sign-in starts again only for a sealed form of this tenant.
        browser.cookies.clear();
        let elsewhere = flow(&browser.get(&tenant_path(other, "/account")).await);
        browser.cookies.clear();
        for bad in ["", "x", &elsewhere, &flow(&page)[1..]] {
            browser.post(&path, &[("flow", bad)]).await.assert_says(403, "Start again");
            browser.cookies.clear();
        }
        let foreign = browser.request(Method::POST, &path).header("origin", "https://evil.example");
        browser.send(foreign.form(&[("flow", flow(&page))])).await.assert_says(403, "Start again");
        assert_eq!(browser.cookies.len(), 0);
    }
}

#[tokio::test]
async fn expired_page_restarts_the_sign_in() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let people = prepare(&app, tenant, true);
        let path = tenant_path(tenant, SIGN_IN);
        let mut browser = Browser::new(&app);
        let (page, other) = (browser.authorize(tenant, &[]).await, browser.authorize(tenant, &[]).await);
        app.pass(86_400);
        let told = browser.sign_in_at(&path, &page, (EMAIL, PASSWORD)).await;
        told.assert_says(403, "open for too long");
        let done = browser.sign_in_at(&path, &told, (EMAIL, PASSWORD)).await;
        assert_eq!(subject(&app, tenant, &people, &done).await, people.ada.id.as_str());
        // The person has signed in since, so the page asks nothing.
        let on = browser.sign_in_at(&path, &other, (EMAIL, PASSWORD)).await;
        assert_eq!(subject(&app, tenant, &people, &on).await, people.ada.id.as_str());
        let asked = browser.sign_in_at(&path, &other, (BOB, PASSWORD)).await;
        assert_asks(&asked, EMAIL, &format!("Sign in as {BOB}"));
    }
}

#[tokio::test]
async fn old_tabs_continue_with_their_own_requests() {
    let app = TestApp::start();
    let all = [ACME, GLOBEX].map(|tenant| prepare(&app, tenant, true));
    for order in [[0, 1], [1, 0]] {
        let mut browser = Browser::new(&app);
        let mut opened = Vec::new();
        for tenant in [ACME, GLOBEX] {
            let mut tabs = Vec::new();
            for state in ["first", "second"] {
                tabs.push(browser.authorize(tenant, &[("state", state), ("nonce", state)]).await);
            }
            opened.push(tabs);
        }
        app.pass(12 * 3_600);
        for tab in order {
            for ((tenant, people), tabs) in [ACME, GLOBEX].into_iter().zip(&all).zip(&opened) {
                let to = continued(&browser.sign_in(tenant, &tabs[tab], PASSWORD).await);
                let state = ["first", "second"][tab];
                assert_eq!(parameter(&to, "state"), state, "{tenant}");
                let tokens = redeem(&app, tenant, &people.secret, &parameter(&to, "code")).await.json();
                let claims = payload(&tokens["id_token"]);
                assert_eq!([&claims["sub"], &claims["nonce"]], [people.ada.id.as_str(), state]);
            }
        }
    }
}

#[tokio::test]
async fn expired_account_page_restarts_and_device_page_explains() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        prepare(&app, tenant, true);
        let account = tenant_path(tenant, "/account");
        let mut browser = Browser::new(&app);
        let page = browser.get(&account).await;
        let device = browser.get(&tenant_path(tenant, "/device")).await;
        let cookies = std::mem::take(&mut browser.cookies);
        let told = browser.sign_in_at(&account, &page, (EMAIL, PASSWORD)).await;
        told.assert_says(403, "blocks cookies");
        assert_eq!(location_path(&browser.sign_in_at(&account, &told, (EMAIL, PASSWORD)).await), account);
        browser.cookies.clear();
        let form = [("flow", &*flow(&device)), ("user_code", "WDJB-MJHT")];
        let refused = browser.post(&tenant_path(tenant, "/device"), &form).await;
        refused.assert_says(403, "blocks cookies");
        assert!(!refused.body.contains("<form"), "{}", refused.body);

        browser.cookies = cookies;
        app.pass(86_400);
        let told = browser.sign_in_at(&account, &page, (EMAIL, PASSWORD)).await;
        told.assert_says(403, "open for too long");
        assert_eq!(location_path(&browser.sign_in_at(&account, &told, (EMAIL, PASSWORD)).await), account);
        browser.post(&tenant_path(tenant, "/device"), &form).await.assert_says(403, "open for too long");
        // The signed-in person continues. All other fields of the old form are ignored.
        let shown =
            browser.post(&account, &[("flow", &flow(&page)), ("decision", "sign_out_everywhere")]).await;
        shown.assert_says(200, "This browser");
        assert_eq!(browser.authorize(tenant, &[]).await.status, 303);
    }
}

/// The path of a redirect within this server.
fn location_path(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer.header("location").to_owned()
}
