//! Which pages keep a reference to the window that opened them: only those of a sign-in for a
//! client with `popup`. Runs at two tenants with opposite settings of the same clients.

use crate::error_pages::refusals;
use crate::prelude::*;

const SEVERED: &str = "noopener-allow-popups";
const KEPT: &str = "unsafe-none";

#[track_caller]
fn assert_policy(what: &str, page: &Answer, expected: &str) {
    assert!(page.header("content-type").starts_with("text/html"), "{what}: {} {}", page.status, page.body);
    assert_eq!(page.header("cross-origin-opener-policy"), expected, "{what}: {}", page.body);
}

/// Each page of a sign-in for a client, from the first one to the answer.
async fn pages_of_sign_ins(app: &TestApp, tenant: &str, client: &str) -> Vec<(&'static str, Answer)> {
    let mut browser = Browser::new(app);
    let mut pages = Vec::new();
    let authorize = async |browser: &mut Browser<'_>, more: &[(&str, &str)]| {
        browser.authorize(tenant, &[&[("client_id", client)][..], more].concat()).await
    };
    let sign_in = authorize(&mut browser, &[]).await;
    let refused = browser.sign_in(tenant, &sign_in, "a wrong passphrase").await;
    let consent = browser.sign_in(tenant, &sign_in, PASSWORD).await;
    pages.push(("the way back", browser.decide(tenant, &consent, "deny").await));
    pages.push(("the answer", browser.decide(tenant, &consent, "allow").await));
    pages.push(("the choice of an account", authorize(&mut browser, &[("prompt", "select_account")]).await));
    pages.push(("the answer as a form", authorize(&mut browser, &[("response_mode", "form_post")]).await));
    pages.push(("an error", authorize(&mut browser, &[("scope", "openid unknown")]).await));
    let old = authorize(&mut browser, &[("prompt", "login")]).await;
    app.pass(86_401);
    pages.push(("a page that was open for too long", browser.sign_in(tenant, &old, PASSWORD).await));
    pages.extend([("the sign-in", sign_in), ("a refused password", refused), ("the consent", consent)]);
    pages
}

/// All pages that do not belong to a sign-in for a client, except error pages.
async fn other_pages(app: &TestApp, tenant: &str) -> Vec<(&'static str, Answer)> {
    let mut browser = Browser::new(app);
    let mut pages = Vec::new();
    let (account, device) = (tenant_path(tenant, "/account"), tenant_path(tenant, "/device"));
    let logout = tenant_path(tenant, "/oauth/logout");
    let begun = begin(app, tenant).await;
    let user_code = begun["user_code"].as_str().unwrap();
    let code_page = browser.get(&device).await;
    let unknown = browser.at_device(tenant, &code_page, &[("user_code", "BBBB-BBBB")]).await;
    pages.push(("an unknown code of a device", unknown));
    let sign_in = browser.at_device(tenant, &code_page, &[("user_code", user_code)]).await;
    let wrong = [("identifier", EMAIL), ("password", "a wrong passphrase")];
    pages.push(("a refused password for a device", browser.at_device(tenant, &sign_in, &wrong).await));
    let confirm = browser.at_device(tenant, &sign_in, &[("identifier", EMAIL), ("password", PASSWORD)]).await;
    pages.push(("a connected device", browser.at_device(tenant, &confirm, &[("decision", "allow")]).await));
    pages.extend([("the code of a device", code_page), ("the sign-in for a device", sign_in)]);
    pages.push(("the question about a device", confirm));

    let mut stranger = Browser::new(app);
    let sign_in = stranger.get(&account).await;
    pages.push((
        "a refused password for the account",
        stranger.sign_in_at(&account, &sign_in, (BOB, "a wrong passphrase")).await,
    ));
    pages.push(("the sign-in to the account", sign_in));
    pages.push(("the account", browser.get(&account).await));
    let question =
        browser.get(&format!("{logout}?client_id=web&post_logout_redirect_uri={SIGNED_OUT}")).await;
    let out = [("flow", &*flow(&question)), ("decision", "sign_out")];
    pages.push(("the way back after a sign-out", browser.post(&logout, &out).await));
    pages.push(("the question at a sign-out", question));
    pages.push(("the page after a sign-out", browser.get(&logout).await));
    pages.push((
        "a path of no page",
        Answer::to(app.request(Method::GET, &authorize_path("nobody", &[]))).await,
    ));
    pages
}

#[tokio::test]
async fn only_pages_of_popup_clients_keep_their_opener() {
    let app = TestApp::start();
    for (at, tenant) in [ACME, GLOBEX].into_iter().enumerate() {
        add_person(&app, tenant);
        add_someone(&app, tenant, 3 + u8::try_from(at).unwrap(), BOB);
        for client in ["web", "other"] {
            add_web_client(&app, tenant, |changed| {
                changed.id = fixtures::client_id(client);
                public(changed);
                changed.grant_types = vec![GrantType::AuthorizationCode, GrantType::DeviceCode];
                changed.code_flow.first_party = false;
                changed.code_flow.popup = (client == "web") == (tenant == ACME);
            });
        }
    }
    for (tenant, [with, without]) in [(ACME, ["web", "other"]), (GLOBEX, ["other", "web"])] {
        for (client, expected) in [(with, KEPT), (without, SEVERED)] {
            let pages = pages_of_sign_ins(&app, tenant, client).await;
            assert_eq!(pages.len(), 9);
            for (what, page) in pages {
                assert_policy(&format!("{what} for {client} of {tenant}"), &page, expected);
            }
        }
        // The device pages are for the client `web`, which has `popup` at one of the tenants.
        for (what, page) in other_pages(&app, tenant).await {
            assert_policy(&format!("{what} at {tenant}"), &page, SEVERED);
        }
        for (status, page) in refusals(&app, tenant, PUBLIC_URL).await {
            assert_policy(&format!("an error {status} at {tenant}"), &page, SEVERED);
        }
    }
}
