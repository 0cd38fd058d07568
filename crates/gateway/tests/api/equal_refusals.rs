//! Refused sign-ins look the same for every reason, except for random parts. Runs at two tenants.

use accounts::{Account, AccountPasswords, AccountStatus};

use crate::prelude::*;

// Addresses of the same length, because the page repeats the typed text.
const ACTIVE: &str = "ada@example.com";
const SUSPENDED: &str = "sue@example.com";
const TRIED: &str = "tom@example.com";
/// An address without failed attempts.
const UNTRIED: &str = "liz@example.com";
const UNKNOWN: &str = "bob@example.com";
const UNKNOWN_TRIED: &str = "eve@example.com";
const WRONG: &str = "another passphrase 1";

fn add(app: &TestApp, tenant: &str, number: u8, email: &str, status: AccountStatus) {
    let tenant = fixtures::tenant_id(tenant);
    let person = Account { status, ..requests::account(&tenant, number, &[email]) };
    let hash = password_hash(PASSWORD);
    let password = AccountPasswords::new(&app.pepper).bind(&tenant, &person.id, &hash);
    app.store.put_account(person, password);
}

/// The response without date, request id, nonce, sealed form and typed text, and its length.
fn whole(answer: &Answer, typed: &str) -> (u16, Vec<String>, String, usize) {
    let nonce = answer
        .body
        .split_once("nonce=\"")
        .unwrap_or_else(|| panic!("no page: {answer:?}"))
        .1
        .split('"')
        .next()
        .unwrap();
    let headers = answer.headers.iter().map(|(name, value)| {
        let value = value.to_str().unwrap().replace(nonce, "NONCE");
        match name.as_str() {
            "date" | "x-request-id" => format!("{name}: {} bytes", value.len()),
            _ => format!("{name}: {value}"),
        }
    });
    let body = answer.body.replace(nonce, "NONCE").replace(&flow(answer), "FLOW").replace(typed, "TYPED");
    (answer.status, headers.collect(), body, answer.body.len())
}

// [attacks #17], [V6 6.3.8], [shared 2.7]
#[tokio::test]
async fn refused_sign_ins_look_equal_for_every_reason() {
    let app = TestApp::start();
    for (at, tenant) in [ACME, GLOBEX].into_iter().enumerate() {
        let number = |person: u8| person + 10 * u8::try_from(at).unwrap();
        add(&app, tenant, number(1), ACTIVE, AccountStatus::Active);
        add(&app, tenant, number(2), SUSPENDED, AccountStatus::Suspended);
        add(&app, tenant, number(3), TRIED, AccountStatus::Active);
        add(&app, tenant, number(4), UNTRIED, AccountStatus::Active);
        add_web_client(&app, tenant, |_| ());
    }
    for tenant in [ACME, GLOBEX] {
        let path = tenant_path(tenant, "/oauth/sign-in");
        let mut browser = Browser::new(&app);
        let sealed = flow(&browser.authorize(tenant, &[]).await);
        let try_as = async |browser: &mut Browser<'_>, identifier: &str, password: &str| {
            let form = [("flow", &*sealed), ("identifier", identifier), ("password", password)];
            browser.post(&path, &form).await
        };
        // Signs in with each identifier until its limit is reached. From then on no hash is
        // computed.
        for identifier in [TRIED, UNKNOWN_TRIED] {
            for _ in 0..10 {
                assert_eq!(try_as(&mut browser, identifier, WRONG).await.status, 403);
            }
            let before = app.pool.hashes_computed();
            assert_eq!(try_as(&mut browser, identifier, PASSWORD).await.status, 403);
            assert_eq!(app.pool.hashes_computed(), before, "{identifier} is limited");
        }
        let expected = whole(&try_as(&mut browser, ACTIVE, WRONG).await, ACTIVE);
        assert_eq!(expected.0, 403);
        assert!(
            expected.2.contains("After several failed attempts you may have to wait a few minutes."),
            "{}",
            expected.2
        );
        for (what, identifier, password) in [
            ("an unknown account", UNKNOWN, PASSWORD),
            ("a suspended account, the right password", SUSPENDED, PASSWORD),
            ("a suspended account, a wrong password", SUSPENDED, WRONG),
            ("a limited account, the right password", TRIED, PASSWORD),
            ("a limited account, a wrong password", TRIED, WRONG),
            ("a limited name without an account", UNKNOWN_TRIED, PASSWORD),
            ("a limited name without an account, another password", UNKNOWN_TRIED, WRONG),
        ] {
            let refused = try_as(&mut browser, identifier, password).await;
            assert_eq!(whole(&refused, identifier), expected, "{what}");
        }
        // The source has now failed at twenty accounts.
        let before = app.pool.hashes_computed();
        for at in 0..20 {
            try_as(&mut browser, &format!("nobody-{at}@example.com"), WRONG).await;
        }
        assert_eq!(app.pool.hashes_computed() - before, 15, "it has failed at five before");
        let refused = try_as(&mut browser, UNTRIED, PASSWORD).await;
        assert_eq!(whole(&refused, UNTRIED), expected, "a limited source");
        // The limit also applies in this browser, because the account has not signed in with it
        // before.
        assert!(!browser.cookies.contains_key(&format!("lk-s.{tenant}")));
    }
}

// [shared 2.18]: The text of the authorization endpoint told which ids are those of clients that sign people
//   in | fixed | One page answers for an unknown client, for a client that signs nobody in, and for a
//   redirect URI that is not registered. A request object and a request URI of an unknown client are refused
//   as those of a client without keys and without pushed requests are; a client with keys refuses with other
//   texts. The log and `latchkey refusals` say which it was. Pushed requests need the client's credential;
//   the id of a public client is no secret there
#[tokio::test]
async fn unknown_client_and_unregistered_redirect_uri_look_equal() {
    capture();
    let app = TestApp::start();
    add_web_client(&app, ACME, |_| ());
    // The client of acme does not exist at globex.
    app.change_tenant(GLOBEX, |tenant| tenant.strategies.oidc = true);
    let ask = async |tenant, client: &str, more: &[(&str, &str)]| {
        let answer = app.get(&authorize_path(tenant, &[more, &[("client_id", client)]].concat())).await;
        answer.assert_shown(400);
        let line = line_of(&answer).await;
        let shown = answer.body.replace(answer.header("x-request-id"), "ID");
        let names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
        ((shown, names), [line.get("reason"), line.get("claimed_client_id")].map(str::to_owned))
    };
    let elsewhere = ("redirect_uri", "https://evil.example/cb");
    for (more, of_known, of_unknown) in [
        (elsewhere, ["redirect_uri_not_registered", "web"], "unknown_client"),
        (("request", "e30.e30."), ["request_object_not_supported", ""], "unknown_client"),
        (
            ("request_uri", "urn:ietf:params:oauth:request_uri:none"),
            ["request_uri_not_valid", ""],
            "unknown_client",
        ),
        (("request_uri", "https://evil.example/r"), ["request_uri_elsewhere", ""], "request_uri_elsewhere"),
        (("redirect_uri", ""), ["missing_parameter", ""], "missing_parameter"),
    ] {
        for tenant in [ACME, GLOBEX] {
            let (page, logged) = ask(tenant, "web", &[more]).await;
            assert_eq!(logged, if tenant == ACME { of_known } else { [of_unknown, ""] }, "{tenant} {more:?}");
            for unknown in ["nobody", SVC, "mal\u{7}formed"] {
                let (other, logged) = ask(tenant, unknown, &[more]).await;
                assert_eq!((other, logged), (page.clone(), [of_unknown, ""].map(str::to_owned)), "{unknown}");
            }
        }
    }
    // Redirect URIs are not valid for another client.
    let (page, _) = ask(ACME, "web", &[elsewhere]).await;
    assert_eq!(ask(ACME, "nobody", &[]).await.0, page);
}
