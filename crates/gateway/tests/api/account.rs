//! The account page of a person at two tenants: what it shows, which sessions and consents its
//! buttons end, and that other accounts are not affected.

use grants::{LogoutOutbox as _, LogoutTurn};

use crate::account_password::{is_signed_in, path};
use crate::prelude::*;

/// Signs in first if the page requires it.
async fn account_of(browser: &mut Browser<'_>, tenant: &str, identifier: &str) -> Answer {
    let page = browser.get(&path(tenant)).await;
    if page.body.contains("type=\"password\"") {
        let done = browser.sign_in_at(&path(tenant), &page, (identifier, PASSWORD)).await;
        assert_eq!((done.status, done.header("location")), (303, &*path(tenant)), "{}", done.body);
        return Box::pin(account_of(browser, tenant, identifier)).await;
    }
    page.assert_says(200, identifier);
    page
}

async fn press(browser: &mut Browser<'_>, tenant: &str, page: &Answer, button: (&str, &str)) -> Answer {
    browser.post(&path(tenant), &[("flow", &*flow(page)), button]).await
}

/// The ids of the other sessions on the page.
fn others(page: &Answer) -> Vec<String> {
    let buttons = page.body.split("name=\"session\" value=\"").skip(1);
    buttons.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

/// Adds Ada and a client that gets refresh tokens and asks for consent. Returns the client's
/// secret.
fn prepare(app: &TestApp, tenant: &str) -> String {
    furnish(app, tenant, |client| {
        client.grant_types.push(GrantType::RefreshToken);
        client.scope = fixtures::scope("openid profile offline_access");
        client.name = "Notes of Acme".to_owned();
        client.code_flow.first_party = false;
    })
}

/// Ada consents to the scope. Returns the tokens.
async fn allow(browser: &mut Browser<'_>, app: &TestApp, tenant: &str, secret: &str, scope: &str) -> Value {
    let mut page = browser.authorize(tenant, &[("scope", scope)]).await;
    if page.body.contains("type=\"password\"") {
        page = browser.sign_in(tenant, &page, PASSWORD).await;
    }
    if page.body.contains("value=\"allow\"") {
        page = browser.decide(tenant, &page, "allow").await;
    }
    let to = if page.status == 303 { page.header("location").parse().unwrap() } else { continued(&page) };
    redeem(app, tenant, secret, &parameter(&to, "code")).await.json_of(200)
}

/// Whether the access token and the refresh token are valid.
async fn live(app: &TestApp, tenant: &str, secret: &str, tokens: &Value) -> [bool; 2] {
    let shown = app.userinfo(tenant, text(tokens, "access_token")).await;
    let own = [("client_secret", secret)];
    let refreshed = refresh_with(app, tenant, text(tokens, "refresh_token"), &own).await;
    if refreshed.status != 200 {
        assert_eq!(refreshed.json()["error"], "invalid_grant", "{}", refreshed.body);
    }
    [shown.status == 200, refreshed.status == 200]
}

// [attacks #30], [V6 6.3.4]
#[tokio::test]
async fn account_page_requires_sign_in_and_shows_the_session() {
    let app = TestApp::start();
    for (tenant, other) in BOTH {
        add_person(&app, tenant);
        app.change_provider(tenant, |_| ());
        let mut browser = Browser::new(&app);
        let page = browser.get(&path(tenant)).await;
        page.assert_says(200, "type=\"password\"");
        browser
            .sign_in_at(&path(tenant), &page, (EMAIL, "another long password"))
            .await
            .assert_says(403, EMAIL);
        let page = account_of(&mut browser, tenant, EMAIL).await;
        for shown in [
            "Ada Lovelace",
            "This browser",
            "127.0.0.1",
            "No other sessions",
            "not allowed any application",
            "UTC",
        ] {
            assert!(page.body.contains(shown), "{shown}: {}", page.body);
        }
        page.assert_not_stored();
        assert!(!browser.get(&path(other)).await.body.contains(EMAIL), "nobody is signed in there");
        let alias = browser.get("/account").await;
        assert_eq!(alias.body.contains(EMAIL), tenant == ACME, "the default tenant's: {}", alias.body);
    }
}

// [V7 7.5.2]: 2 | Users see their sessions and, after they have signed in again, end them | not met | They
//   see the 20 that were used last, and end one or all, but are not asked to sign in again
#[tokio::test]
async fn ending_another_session_revokes_its_tokens() {
    let test_env = TestEnv::start();
    let app = &test_env.app;
    for (number, (tenant, _)) in BOTH.into_iter().enumerate() {
        let secret = prepare(app, tenant);
        let (mut here, mut elsewhere) = (Browser::new(app), Browser::new(app));
        let tokens = allow(&mut elsewhere, app, tenant, &secret, "openid profile").await;
        let sid = payload(&tokens["id_token"])["sid"].as_str().unwrap().to_owned();
        app.pass(60);
        let page = account_of(&mut here, tenant, EMAIL).await;
        assert_eq!(others(&page), std::slice::from_ref(&sid), "{}", page.body);
        assert_eq!(live(app, tenant, &secret, &tokens).await, [true, true]);
        let due = || async {
            let now = Timestamp::from_seconds(app.now());
            app.store.due_logouts(now, 100, &LogoutTurn::default()).await.unwrap()
        };
        assert_eq!(due().await.len(), number);

        let ended = press(&mut here, tenant, &page, ("session", &sid)).await;
        ended.assert_says(200, "Signed out of the session.");
        assert_eq!(others(&ended), [""; 0]);
        assert!(!is_signed_in(&mut elsewhere, tenant).await && is_signed_in(&mut here, tenant).await);
        assert_eq!(live(app, tenant, &secret, &tokens).await, [false, false]);
        let queued = due().await;
        assert!(queued.len() == number + 1 && queued.iter().any(|queued| queued.session.as_str() == sid));
        let again = press(&mut here, tenant, &ended, ("session", &sid)).await;
        assert!(again.status == 200 && !again.body.contains("has ended"), "{}", again.body);

        let ops = test_env.token(PLATFORM, OPS).await;
        let record = &test_env.get(&ops, &tenant_path(tenant, "/audit")).await.json()["items"][0];
        let account = format!("account:{}", record["subject"].as_str().unwrap());
        assert_eq!((&record["action"], &record["actor"]), (&"account.session_ended".into(), &account.into()));
        assert_eq!((&record["source"], &record["detail"]["session"]), (&"127.0.0.1".into(), &sid.into()));
    }
}

#[tokio::test]
async fn equal_sessions_of_one_person_end_together() {
    let app = TestApp::start();
    for (tenant, _) in BOTH {
        prepare(&app, tenant);
        add_someone(&app, tenant, 9, BOB);
        let mut elsewhere: Vec<_> = (0..3).map(|_| Browser::new(&app)).collect();
        for browser in &mut elsewhere {
            account_of(browser, tenant, EMAIL).await;
        }
        let (mut bob, mut second) = (Browser::new(&app), Browser::new(&app));
        account_of(&mut bob, tenant, BOB).await;
        let of_bob = others(&account_of(&mut second, tenant, BOB).await).remove(0);
        let mut here = Browser::new(&app);
        let page = account_of(&mut here, tenant, EMAIL).await;
        let [equal] = <[String; 1]>::try_from(others(&page)).unwrap();
        assert!(page.body.contains("3 sessions, last used"), "{}", page.body);
        let sent = format!("{equal} {of_bob} x");
        let answer = press(&mut here, tenant, &page, ("session", &sent)).await;
        answer.assert_says(200, "Signed out of the sessions.");
        for browser in &mut elsewhere {
            assert!(!is_signed_in(browser, tenant).await);
        }
        assert!(is_signed_in(&mut bob, tenant).await && is_signed_in(&mut here, tenant).await);
    }
}

// [V7 7.4.4]: 2 | Each page behind a sign-in leads to the sign-out | not met | The page of the account does.
//   Those of consent and of a device do not
#[tokio::test]
async fn ending_the_current_session_signs_out() {
    let app = TestApp::start();
    for (tenant, _) in BOTH {
        let secret = prepare(&app, tenant);
        for by_id in [false, true] {
            let (mut here, mut elsewhere) = (Browser::new(&app), Browser::new(&app));
            account_of(&mut elsewhere, tenant, EMAIL).await;
            let tokens = allow(&mut here, &app, tenant, &secret, "openid").await;
            let own = payload(&tokens["id_token"])["sid"].as_str().unwrap().to_owned();
            let page = account_of(&mut here, tenant, EMAIL).await;
            let button = if by_id { ("session", &*own) } else { ("decision", "sign_out") };
            let out = press(&mut here, tenant, &page, button).await;
            out.assert_says(200, "You are signed out");
            assert!(out.body.contains(&format!("href=\"{}\"", path(tenant))), "the way on: {}", out.body);
            assert!(!here.cookies.keys().any(|name| name.starts_with("lk-s.")), "{:?}", here.cookies);
            assert_eq!(live(&app, tenant, &secret, &tokens).await, [false, false]);
            assert!(is_signed_in(&mut elsewhere, tenant).await);
            // A form of a session that has ended shows the sign-in page.
            let late = press(&mut here, tenant, &page, ("decision", "sign_out_everywhere")).await;
            late.assert_says(200, "type=\"password\"");
            assert!(is_signed_in(&mut elsewhere, tenant).await);
            let page = account_of(&mut elsewhere, tenant, EMAIL).await;
            press(&mut elsewhere, tenant, &page, ("decision", "sign_out")).await;
        }
    }
}

// [V7 7.5.2], [V10 10.4.9]
#[tokio::test]
async fn a_person_signs_out_everywhere() {
    let app = TestApp::start();
    let secrets = BOTH.map(|(tenant, _)| (tenant, prepare(&app, tenant)));
    let mut unharmed = Browser::new(&app);
    for (at, (tenant, secret)) in secrets.iter().enumerate() {
        let other = BOTH[at].1;
        account_of(&mut unharmed, other, EMAIL).await;
        let (mut here, mut elsewhere) = (Browser::new(&app), Browser::new(&app));
        let offline = allow(&mut elsewhere, &app, tenant, secret, "openid offline_access").await;
        let page = account_of(&mut here, tenant, EMAIL).await;
        assert_eq!(live(&app, tenant, secret, &offline).await, [true, true]);
        let out = press(&mut here, tenant, &page, ("decision", "sign_out_everywhere")).await;
        out.assert_says(200, "You are signed out");
        for browser in [&mut here, &mut elsewhere] {
            assert!(!is_signed_in(browser, tenant).await);
        }
        assert_eq!(live(&app, tenant, secret, &offline).await, [false, false]);
        assert!(is_signed_in(&mut unharmed, other).await);
        app.pass(2);
        account_of(&mut here, tenant, EMAIL).await;
    }
}

// [V10 10.4.9]: 2 | Users revoke refresh tokens and opaque access tokens | On the page of the account: of an
//   application, of a session, or all
// [V10 10.7.3]: 2 | They can list and withdraw consents | On the page of the account, the last 20 at a time
#[tokio::test]
async fn removed_application_loses_tokens_and_consent() {
    let app = TestApp::start();
    for (tenant, _) in BOTH {
        let secret = prepare(&app, tenant);
        let mut browser = Browser::new(&app);
        let tokens = allow(&mut browser, &app, tenant, &secret, "openid offline_access").await;
        let page = account_of(&mut browser, tenant, EMAIL).await;
        for shown in ["Notes of Acme", "Know who you are", "<code>offline_access</code>", "Allowed <time "] {
            assert!(page.body.contains(shown), "{shown}: {}", page.body);
        }
        assert_eq!(live(&app, tenant, &secret, &tokens).await, [true, true]);
        let removed = press(&mut browser, tenant, &page, ("client", "web")).await;
        removed.assert_says(200, "no longer has access");
        assert!(!removed.body.contains("Notes of Acme"));
        assert_eq!(live(&app, tenant, &secret, &tokens).await, [false, false]);
        let asked = browser.authorize(tenant, &[("scope", "openid offline_access")]).await;
        asked.assert_says(200, "value=\"allow\"");
        let again = press(&mut browser, tenant, &page, ("client", "web")).await;
        assert!(again.status == 200 && !again.body.contains("no longer has access"), "{}", again.body);
        app.pass(2);
        let tokens = allow(&mut browser, &app, tenant, &secret, "openid offline_access").await;
        assert_eq!(live(&app, tenant, &secret, &tokens).await, [true, true], "allowed anew");
    }
}

/// The page without the nonce and the sealed form, which differ in each response.
fn without_secrets(page: &Answer) -> String {
    let nonce = page.body.split_once("nonce=\"").unwrap().1.split('"').next().unwrap();
    page.body.replace(&flow(page), "FLOW").replace(nonce, "NONCE")
}

// [V7 7.5.2]
#[tokio::test]
async fn account_page_cannot_affect_other_accounts_or_tenants() {
    let app = TestApp::start();
    for (tenant, _) in BOTH {
        prepare(&app, tenant);
        add_someone(&app, tenant, 9, BOB);
    }
    for (tenant, other) in BOTH {
        let (mut ada, mut bob, mut elsewhere) = (Browser::new(&app), Browser::new(&app), Browser::new(&app));
        let page = account_of(&mut ada, tenant, EMAIL).await;
        account_of(&mut bob, tenant, BOB).await;
        let mut second = Browser::new(&app);
        let [of_bob] = <[String; 1]>::try_from(others(&account_of(&mut second, tenant, BOB).await)).unwrap();
        account_of(&mut elsewhere, other, EMAIL).await;
        let mut third = Browser::new(&app);
        let of_other = others(&account_of(&mut third, other, EMAIL).await).remove(0);
        let unknown = press(&mut ada, tenant, &page, ("session", "AAAAAAAAAAAAAAAAAAAAAA")).await;
        for button in [
            ("session", &*of_bob),
            ("session", &*of_other),
            ("session", "x"),
            ("client", "web"),
            ("client", "no-client"),
            ("client", "\u{e9}"),
            ("decision", "x"),
        ] {
            let answer = press(&mut ada, tenant, &page, button).await;
            assert_eq!(answer.status, 200, "{button:?}");
            assert_eq!(without_secrets(&answer), without_secrets(&unknown), "{button:?}");
        }
        // A form with two buttons is ignored.
        let both = [("flow", &*flow(&page)), ("decision", "sign_out"), ("session", &of_bob)];
        assert!(ada.post(&path(tenant), &both).await.body.contains("This browser"));
        // Only navigations get the page. forged_forms.rs tests forms of another browser, tenant,
        // step and origin.
        let query = format!("{}?decision=sign_out_everywhere&session={of_bob}", path(tenant));
        assert_eq!(ada.get(&query).await.status, 200);
        let framed = ada.request(Method::GET, &path(tenant)).header("sec-fetch-dest", "iframe");
        assert_eq!(ada.send(framed).await.status, 400);
        for browser in [&mut ada, &mut bob, &mut second] {
            assert!(is_signed_in(browser, tenant).await);
        }
        assert!(is_signed_in(&mut elsewhere, other).await && is_signed_in(&mut third, other).await);
        // Bob signs in with Ada's browser. Her page has no effect on his session.
        let own = account_of(&mut ada, tenant, EMAIL).await;
        let cookies = ada.cookies.clone();
        ada.cookies.retain(|name, _| !name.starts_with("lk-s."));
        account_of(&mut ada, tenant, BOB).await;
        let shown = press(&mut ada, tenant, &own, ("decision", "sign_out_everywhere")).await;
        assert!(shown.body.contains(BOB) && shown.body.contains("This browser"), "{}", shown.body);
        assert!(is_signed_in(&mut ada, tenant).await && is_signed_in(&mut bob, tenant).await);
        ada.cookies = cookies;
        assert!(is_signed_in(&mut ada, tenant).await);
    }
}

#[tokio::test]
async fn ending_sessions_is_rate_limited() {
    let app = TestApp::start();
    for (tenant, _) in BOTH {
        prepare(&app, tenant);
        let mut browser = Browser::new(&app);
        let page = account_of(&mut browser, tenant, EMAIL).await;
        let button = ("session", "AAAAAAAAAAAAAAAAAAAAAA");
        for _ in 0..60 {
            assert_eq!(press(&mut browser, tenant, &page, button).await.status, 200);
        }
        let late = press(&mut browser, tenant, &page, button).await;
        assert_eq!((late.status, late.header("retry-after")), (429, "60"), "{}", late.body);
        assert_eq!(browser.get(&path(tenant)).await.status, 200, "to look is free");
        app.pass(60);
        assert_eq!(press(&mut browser, tenant, &page, button).await.status, 200);
    }
}

/// The three reads are of the session, the other sessions and the consents. Nothing is written.
#[tokio::test]
async fn account_page_takes_three_store_reads() {
    let app = TestApp::start();
    for (tenant, _) in BOTH {
        let secret = prepare(&app, tenant);
        let mut browser = Browser::new(&app);
        allow(&mut browser, &app, tenant, &secret, "openid").await;
        let calls = || {
            let calls = app.store.calls();
            (calls.sign_ins, calls.administration)
        };
        let before = calls();
        account_of(&mut browser, tenant, EMAIL).await;
        assert_eq!(calls(), (before.0 + 1, before.1 + 2));
        assert_eq!(Browser::new(&app).get(&path(tenant)).await.status, 200);
        assert_eq!(calls(), (before.0 + 1, before.1 + 2));
    }
}
