//! The device grant at two tenants.

use crate::prelude::*;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Adds a public client.
fn add_device_client(app: &TestApp, tenant: &str, grant_types: &[GrantType]) {
    add_web_client(app, tenant, |client| {
        client.grant_types = grant_types.to_vec();
        public(client);
        client.code_flow = registry::CodeFlow::default();
    });
}

pub(crate) async fn authorize_device(app: &TestApp, tenant: &str, more: &[(&str, &str)]) -> Answer {
    let form = [&[("client_id", "web"), ("scope", "openid profile")], more].concat();
    app.post(&tenant_path(tenant, "/oauth/device_authorization"), &form).await
}

pub(crate) async fn begin(app: &TestApp, tenant: &str) -> Value {
    let begun = authorize_device(app, tenant, &[]).await;
    assert_eq!((begun.status, begun.header("cache-control")), (200, "no-store"), "{}", begun.body);
    begun.json()
}

pub(crate) async fn poll(app: &TestApp, tenant: &str, begun: &Value) -> Answer {
    let form = [("grant_type", GRANT), ("client_id", "web"), ("device_code", text(begun, "device_code"))];
    app.post(&token_path(tenant), &form).await
}

#[track_caller]
fn refused(answer: &Answer, expected: &str) {
    answer.assert_error(400, expected);
}

/// Types a code, and signs in if the page asks for it.
pub(crate) async fn to_the_question(browser: &mut Browser<'_>, tenant: &str, user_code: &str) -> Answer {
    let page = browser.get(&tenant_path(tenant, "/device")).await;
    let next = browser.at_device(tenant, &page, &[("user_code", user_code)]).await;
    next.assert_status(200);
    if !next.body.contains("type=\"password\"") {
        return next;
    }
    let next = browser.at_device(tenant, &next, &[("identifier", EMAIL), ("password", PASSWORD)]).await;
    assert_eq!(next.status, 200, "{}", next.body);
    next
}

/// The codes of a device that Ada has allowed.
pub(crate) async fn allowed(browser: &mut Browser<'_>, tenant: &str) -> Value {
    let begun = begin(browser.app, tenant).await;
    let page = to_the_question(browser, tenant, text(&begun, "user_code")).await;
    browser.at_device(tenant, &page, &[("decision", "allow")]).await.assert_status(200);
    begun
}

// [devices §3.3]: The person is told which client requests access, and can refuse
// [devices §3.3.1]: With `verification_uri_complete` the person still confirms the code that the device shows
// [devices §5.4]: The page warns of codes that strangers send; the refusal is the main choice
// [attacks #27]: A person who connects the attacker's device | The code is typed, the page names client,
//   place and time, and its main button refuses. Guesses are limited
// [V6 6.3.4]: 2 | There is no undocumented way to sign in, and all have the same controls and strength | not
//   met | The pages of sign-in, device and account have one function behind them, and there is no password
//   grant. `/flow/execute` has other limits and no rule for passwords
// [devices §3.2]
#[tokio::test]
async fn a_person_connects_a_device_at_its_tenant() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let person = add_person(&app, tenant);
        add_device_client(&app, tenant, &[GrantType::DeviceCode]);
        app.change_provider(tenant, |tenant| {
            let said = format!("The name at {}", tenant.id);
            tenant.resource_servers[0].scope_descriptions.insert("profile".to_owned(), said);
        });
        let begun = begin(&app, tenant).await;
        let user_code = begun["user_code"].as_str().unwrap();
        let uri = format!("{PUBLIC_URL}{}", tenant_path(tenant, "/device"));
        assert_eq!(begun["verification_uri"], *uri);
        assert_eq!(begun["verification_uri_complete"], format!("{uri}?user_code={user_code}"));
        assert_eq!((&begun["expires_in"], &begun["interval"]), (&600.into(), &5.into()));
        refused(&poll(&app, tenant, &begun).await, "authorization_pending");

        let mut browser = Browser::new(&app);
        let typed = format!("?user_code={}", user_code.to_lowercase());
        let page = browser.get(&tenant_path(tenant, &format!("/device{typed}"))).await;
        assert!(page.status == 200 && page.body.contains(&format!("value=\"{user_code}\"")), "{}", page.body);
        app.pass(5);
        refused(&poll(&app, tenant, &begun).await, "authorization_pending");
        let page = browser.at_device(tenant, &page, &[("user_code", user_code)]).await;
        let wrong = [("identifier", EMAIL), ("password", "another long password")];
        let page = browser.at_device(tenant, &page, &wrong).await;
        assert_eq!(page.status, 403, "the password is wrong");
        let page = browser.at_device(tenant, &page, &[("identifier", EMAIL), ("password", PASSWORD)]).await;
        let described = format!("The name at {tenant}");
        for shown in [user_code, "127.0.0.1", "profile", &described, EMAIL, "UTC"] {
            assert!(page.body.contains(shown), "{shown}: {}", page.body);
        }
        let [main, other] = ["deny", "allow"].map(|it| page.body.find(&format!("value=\"{it}\"")).unwrap());
        let is_primary = page.body[..main].ends_with("class=\"primary\" name=\"decision\" ");
        assert!(main < other && is_primary, "{}", page.body);
        browser.at_device(tenant, &page, &[("decision", "allow")]).await.assert_status(200);
        let again = browser.at_device(tenant, &page, &[("decision", "deny")]).await;
        assert_eq!(again.status, 403, "a decision is the last word");

        app.pass(5);
        let tokens = poll(&app, tenant, &begun).await;
        assert_eq!((tokens.status, tokens.header("cache-control")), (200, "no-store"), "{}", tokens.body);
        let tokens = tokens.json();
        let id_token = payload(&tokens["id_token"]);
        assert_eq!((&id_token["sub"], &id_token["aud"]), (&person.id.as_str().into(), &"web".into()));
        assert_eq!((&id_token["acr"], &id_token["amr"][0]), (&"urn:latchkey:acr:1".into(), &"pwd".into()));
        assert!(id_token["sid"].is_null() && id_token["nonce"].is_null(), "it is in no session of a browser");
        assert_eq!(tokens["scope"], "openid profile");
        let found = app.userinfo(tenant, tokens["access_token"].as_str().unwrap()).await;
        assert_eq!((found.status, &found.json()["name"]), (200, &"Ada Lovelace".into()));
        app.pass(5);
        refused(&poll(&app, tenant, &begun).await, "invalid_grant");
    }
}

#[tokio::test]
async fn device_refreshes_tokens_after_the_person_signs_out() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let person = add_person(&app, tenant);
        add_device_client(&app, tenant, &[GrantType::DeviceCode, GrantType::RefreshToken]);
        let mut browser = Browser::new(&app);
        let begun = allowed(&mut browser, tenant).await;
        let mut tokens = poll(&app, tenant, &begun).await.json();
        let logout = tenant_path(tenant, "/oauth/logout");
        let page = flow(&browser.get(&logout).await);
        assert_eq!(browser.post(&logout, &[("flow", &page), ("decision", "sign_out")]).await.status, 200);
        for _ in 0..2 {
            let token = text(&tokens, "refresh_token").to_owned();
            tokens = refresh_with(&app, tenant, &token, &[]).await.json_of(200);
            assert_ne!(tokens["refresh_token"], *token);
            assert_eq!(payload(&tokens["id_token"])["sub"], person.id.as_str());
        }
    }
}

// [devices §3.3]
#[tokio::test]
async fn refused_device_gets_no_tokens() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        add_person(&app, tenant);
        add_device_client(&app, tenant, &[GrantType::DeviceCode]);
        let begun = begin(&app, tenant).await;
        let mut browser = Browser::new(&app);
        let page = to_the_question(&mut browser, tenant, text(&begun, "user_code")).await;
        let undecided = browser.at_device(tenant, &page, &[]).await;
        assert!(undecided.body.contains("value=\"allow\""), "the question again");
        assert_eq!(browser.at_device(tenant, &page, &[("decision", "deny")]).await.status, 200);
        refused(&poll(&app, tenant, &begun).await, "access_denied");
        app.pass(5);
        refused(&poll(&app, tenant, &begun).await, "access_denied");
    }
}

// [devices §3.5 b], [attacks #27]
#[tokio::test]
async fn polling_too_often_slows_down_without_store_reads() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        add_person(&app, tenant);
        add_device_client(&app, tenant, &[GrantType::DeviceCode]);
        let before = app.store.calls().sign_ins;
        let begun = begin(&app, tenant).await;
        assert_eq!(app.store.calls().sign_ins - before, 1, "one write");
        refused(&poll(&app, tenant, &begun).await, "authorization_pending");
        assert_eq!(app.store.calls().sign_ins - before, 2, "one read");
        refused(&poll(&app, tenant, &begun).await, "slow_down");
        assert_eq!(app.store.calls().sign_ins - before, 2, "nothing is read");
        app.pass(6);
        refused(&poll(&app, tenant, &begun).await, "slow_down");
        app.pass(15);
        refused(&poll(&app, tenant, &begun).await, "authorization_pending");
        app.pass(600);
        refused(&poll(&app, tenant, &begun).await, "expired_token");
        let malformed = json!({ "device_code": "x" });
        let before = app.store.calls().sign_ins;
        refused(&poll(&app, tenant, &malformed).await, "invalid_grant");
        assert_eq!(app.store.calls().sign_ins, before);
    }
}

// [devices §3.4]: The code is bound to its client
// [attacks #27]
#[tokio::test]
async fn device_code_is_bound_to_client_and_session() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        add_person(&app, tenant);
        add_device_client(&app, tenant, &[GrantType::DeviceCode]);
        let mut other = fixtures::client(&fixtures::tenant(tenant), "radio");
        public(&mut other);
        other.grant_types = vec![GrantType::DeviceCode];
        app.store.put_client(other);
        let begun = begin(&app, tenant).await;
        let code = begun["device_code"].as_str().unwrap();
        let form = [("grant_type", GRANT), ("client_id", "radio"), ("device_code", code)];
        refused(&app.post(&token_path(tenant), &form).await, "invalid_grant");
        let mut browser = Browser::new(&app);
        let question = to_the_question(&mut browser, tenant, text(&begun, "user_code")).await;
        app.pass(5);
        refused(&poll(&app, tenant, &begun).await, "authorization_pending");
        // The session that saw the question has ended.
        browser.cookies.retain(|name, _| !name.starts_with("lk-s."));
        let asked = browser.at_device(tenant, &question, &[("decision", "allow")]).await;
        asked.assert_says(200, "type=\"password\"");
    }
}

// [devices §5.1]: User codes cannot be guessed: 34.5 bits, 10 minutes, and limits of a browser and of an
//   address
// [attacks #27], [shared 2.13]
#[tokio::test]
async fn wrong_user_codes_are_limited_per_browser_and_address() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        add_person(&app, tenant);
        add_device_client(&app, tenant, &[GrantType::DeviceCode]);
        let user_code = begin(&app, tenant).await["user_code"].as_str().unwrap().to_owned();
        let [mut known, mut other] = [Browser::new(&app), Browser::new(&app)];
        let mut pages = Vec::new();
        for browser in [&mut known, &mut other] {
            pages.push(browser.get(&tenant_path(tenant, "/device")).await);
            to_the_question(browser, tenant, &user_code).await;
        }
        let mut wrong = 0;
        for _ in 0..5 {
            let mut browser = Browser::new(&app);
            let page = browser.get(&tenant_path(tenant, "/device")).await;
            for _ in 0..10 {
                let answer = browser.at_device(tenant, &page, &[("user_code", "BBBB-BBBB")]).await;
                wrong += u32::from(answer.status == 403);
            }
            let right = browser.at_device(tenant, &page, &[("user_code", &user_code)]).await;
            assert_eq!(right.status, 429, "also the right code");
        }
        assert_eq!(wrong, 50);
        let mut browser = Browser::new(&app);
        let page = browser.get(&tenant_path(tenant, "/device")).await;
        assert_eq!(browser.at_device(tenant, &page, &[("user_code", &user_code)]).await.status, 429);
        // A person who has signed in with the browser before may continue. All browsers of that
        // person together have ten attempts.
        for _ in 0..10 {
            known.at_device(tenant, &pages[0], &[("user_code", &user_code)]).await.assert_status(200);
            other.at_device(tenant, &pages[1], &[("user_code", "BBBB-BBBB")]).await.assert_status(403);
        }
        known.at_device(tenant, &pages[0], &[("user_code", &user_code)]).await.assert_status(429);
        app.pass(60);
        let page = browser.get(&tenant_path(tenant, "/device")).await;
        assert_eq!(browser.at_device(tenant, &page, &[("user_code", &user_code)]).await.status, 200);
    }
}

// [attacks #32]
#[tokio::test]
async fn pending_codes_per_address_are_limited_to_twenty() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        add_device_client(&app, tenant, &[GrantType::DeviceCode]);
        for _ in 0..20 {
            begin(&app, tenant).await;
        }
        let over = authorize_device(&app, tenant, &[]).await;
        assert_eq!(over.header("retry-after"), "60");
        over.assert_error(429, "slow_down");
        app.pass(600);
        begin(&app, tenant).await;
    }
}

// [shared 2.14]
#[tokio::test]
async fn pending_codes_per_client_are_limited() {
    let app = TestApp::start();
    let mut of_acme = None;
    for (tenant, id) in [(ACME, "tv"), (GLOBEX, "web"), (ACME, "web")] {
        add_web_client(&app, tenant, |client| {
            client.id = registry::ClientId::parse(id).unwrap();
            client.grant_types = vec![GrantType::DeviceCode];
            public(client);
            client.code_flow = registry::CodeFlow::default();
            of_acme = Some(client.clone());
        });
    }
    // A hundred addresses have requested codes.
    let (of_acme, now) = (of_acme.unwrap(), Timestamp::from_seconds(app.now()));
    for number in 0..2_000_u32 {
        let source = std::net::Ipv4Addr::from_bits(number / 20).into();
        let source = secrets::CallerAddress::new(Some(source));
        let devices = app.authorizations.devices();
        let begun = devices.begin(&of_acme, grants::Granted::default(), &source, String::new(), now).await;
        assert!(begun.unwrap().is_some(), "{number}");
    }
    let over = authorize_device(&app, ACME, &[]).await;
    assert_eq!(over.header("retry-after"), "60");
    over.assert_error(429, "slow_down");
    let of_another =
        app.post(&tenant_path(ACME, "/oauth/device_authorization"), &[("client_id", "tv")]).await;
    of_another.assert_status(200);
    authorize_device(&app, GLOBEX, &[]).await.assert_status(200);
    app.pass(600);
    begin(&app, ACME).await;
}

// [devices §3.1]: Confidential clients authenticate at the device authorization endpoint, and public ones
//   name themselves
// [resources RFC 8707 §2 e]
#[tokio::test]
async fn device_request_beyond_its_client_is_refused() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        add_device_client(&app, tenant, &[GrantType::DeviceCode]);
        for (more, status, error) in [
            (&[("scope", "openid phone")] as &[(&str, &str)], 400, "invalid_scope"),
            (&[("resource", "https://other.example")], 400, "invalid_target"),
            (&[("audience", "other")], 400, "invalid_target"),
            (&[("client_id", "svc")], 401, "invalid_client"),
            (&[("client_id", "nobody")], 401, "invalid_client"),
        ] {
            let form = [("client_id", "web"), ("scope", "openid")];
            let mut form: Vec<_> = form.into_iter().filter(|(name, _)| more[0].0 != *name).collect();
            form.extend(more);
            let answer = app.post(&tenant_path(tenant, "/oauth/device_authorization"), &form).await;
            println!("{more:?}");
            answer.assert_error(status, error);
        }
        add_web_client(&app, tenant, public);
        refused(&authorize_device(&app, tenant, &[]).await, "unauthorized_client");
        app.change_tenant(tenant, |tenant| tenant.strategies.oidc = false);
        assert_eq!(authorize_device(&app, tenant, &[]).await.status, 404);
        assert_eq!(Answer::to(app.request(Method::GET, &tenant_path(tenant, "/device"))).await.status, 404);
    }
}

/// A change between the person's decision and the device's poll takes effect.
#[tokio::test]
async fn device_of_a_suspended_person_gets_no_tokens() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let mut person = add_person(&app, tenant);
        add_device_client(&app, tenant, &[GrantType::DeviceCode]);
        let begun = allowed(&mut Browser::new(&app), tenant).await;
        person.status = accounts::AccountStatus::Suspended;
        app.store.put_account(person, None);
        refused(&poll(&app, tenant, &begun).await, "invalid_grant");
    }
}
