//! Sign-ins of people at two tenants: pages, sessions, codes, ID tokens and userinfo.

use tenancy::{Issuer, UserinfoTokens};

use crate::prelude::*;

// [core Core §8]: Public and pairwise subjects, by client or tenant; metadata says both
// [attacks #4]: Answers of one tenant that are given out as another's | Each answer names its issuer, and
//   libraries of clients compare it
// [V10 10.1.2]: 2 | A client accepts only results of its own transaction | not ours | It concerns clients.
//   The server gives each what it compares: `state`, `nonce` and `iss` come back, and a code needs its code
//   verifier. The example client refuses answers of another transaction
// [core Core §2], [core Core §2 b], [core Core §3.1.2.1 g]
#[tokio::test]
async fn a_person_signs_in_at_its_tenant() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let person = add_person(&app, tenant);
        let secret = add_web_client(&app, tenant, |_| ());
        let mut browser = Browser::new(&app);
        let page = browser.authorize(tenant, &[]).await;
        assert_eq!((page.status, page.header("cache-control")), (200, "no-store"));
        assert!(page.header("content-security-policy").contains("form-action 'self'"));
        assert_eq!(browser.cookies.len(), 1, "{:?}", browser.cookies);
        let wrong = browser.sign_in(tenant, &page, "another long password").await;
        assert!(wrong.status == 403 && !wrong.body.contains("another long password"), "{}", wrong.body);
        let to = continued(&browser.sign_in(tenant, &wrong, PASSWORD).await);
        assert!(to.as_str().starts_with(CALLBACK));
        assert_eq!((parameter(&to, "state"), parameter(&to, "iss")), ("s1".to_owned(), issuer(tenant)));
        assert!(browser.cookies.contains_key(&format!("lk-s.{tenant}")), "{:?}", browser.cookies);

        let tokens = redeem(&app, tenant, &secret, &parameter(&to, "code")).await;
        assert_eq!(tokens.header("cache-control"), "no-store");
        let tokens = tokens.json_of(200);
        let id_token = payload(&tokens["id_token"]);
        assert_eq!(id_token["iss"], issuer(tenant));
        assert_eq!((&id_token["sub"], &id_token["aud"]), (&person.id.as_str().into(), &"web".into()));
        assert_eq!((&id_token["nonce"], &id_token["auth_time"]), (&"n1".into(), &app.now().into()));
        assert_eq!((&id_token["acr"], &id_token["amr"][0]), (&"urn:latchkey:acr:1".into(), &"pwd".into()));
        assert!(id_token["name"].is_null());
        assert_eq!(tokens["scope"], "openid profile");
        let access_token = tokens["access_token"].as_str().unwrap();
        assert_eq!(payload(&tokens["access_token"])["sub"], person.id.as_str());
        assert_eq!(payload(&tokens["access_token"])["grant_id"].as_str().unwrap().len(), 22);

        let found = app.userinfo(tenant, access_token).await.json_of(200);
        assert_eq!((text(&found, "sub"), text(&found, "name")), (person.id.as_str(), "Ada Lovelace"));
        assert!(found["email"].is_null(), "the scope email was not requested");

        // The session continues, so the next request needs no page.
        let again = location(&browser.authorize(tenant, &[("state", "s2")]).await);
        assert_eq!(parameter(&again, "state"), "s2");
        let again = redeem(&app, tenant, &secret, &parameter(&again, "code")).await.json();
        assert_eq!(payload(&again["id_token"])["sid"], id_token["sid"]);
    }
}

/// For manually configured clients, because discovery by the issuer leads to another server.
#[tokio::test]
async fn person_signs_in_at_a_tenant_with_custom_issuer() {
    let app = TestApp::start();
    let issuer = |tenant: &str| format!("https://id.{tenant}.example");
    let secrets = [ACME, GLOBEX].map(|tenant| {
        let secret = furnish(&app, tenant, |_| ());
        app.change_provider(tenant, |changed| changed.issuer = Issuer::parse(&issuer(tenant)).unwrap());
        secret
    });
    for ((tenant, other), secret) in [(ACME, GLOBEX), (GLOBEX, ACME)].into_iter().zip(&secrets) {
        let mut browser = Browser::new(&app);
        let to = continued(&browser.signed_in(tenant, &[]).await);
        assert_eq!(parameter(&to, "iss"), issuer(tenant));
        let tokens = redeem(&app, tenant, secret, &parameter(&to, "code")).await.json();
        let [id_token, access_token] = ["id_token", "access_token"].map(|name| text(&tokens, name));
        for token in ["id_token", "access_token"] {
            assert_eq!(payload(&tokens[token])["iss"], issuer(tenant), "{token}");
        }
        let audiences = json!(["api", issuer(tenant)]);
        assert_eq!(payload(&tokens["access_token"])["aud"], audiences, "with openid the issuer, too");
        assert_eq!(app.userinfo(tenant, access_token).await.json_of(200)["name"], "Ada Lovelace");
        assert_eq!(app.userinfo(other, access_token).await.status, 401);
        // The ID token is accepted as a hint: for the person without a page, and for the session at
        // sign-out.
        let hinted = [("prompt", "none"), ("id_token_hint", id_token)];
        let back = location(&browser.authorize(tenant, &hinted).await);
        assert_eq!(parameter(&back, "iss"), issuer(tenant));
        assert!(!parameter(&back, "code").is_empty());
        let out = format!("/oauth/logout?id_token_hint={id_token}&post_logout_redirect_uri={SIGNED_OUT}");
        assert_eq!(location(&browser.get(&tenant_path(tenant, &out)).await).as_str(), SIGNED_OUT);
        let back = location(&browser.authorize(tenant, &[("prompt", "none")]).await);
        assert_eq!(parameter(&back, "error"), "login_required");
        assert_eq!(parameter(&back, "iss"), issuer(tenant));
        assert_eq!(app.userinfo(tenant, access_token).await.status, 401, "the session has ended");
    }
}

// [oauth RFC 6749 §4.1.2.1]: Errors go back to the client with `error` and `state`. Here a person who has not
//   signed in sees them first, because of RFC 9700 §4.11.2 | departs
// [native RFC 9207 §2]: Each answer names the issuer
// [attacks #2]: A client whose requests fail on purpose, so that this server sends people on | An error goes
//   back by itself with `prompt=none`, or to a first-party client of a person who is signed in; else a page
//   shows it
// [rfc9700 §4.11.2]: The authorization server is an open redirector | Nothing is redirected before the person
//   has signed in, except with `prompt=none`
// [V10 10.6.1]: 2 | An OpenID Provider allows safe response types only | `code` alone: no implicit and no
//   hybrid one. The answer is a `query` or a `form_post`, never a fragment
// [oauth RFC 6749 §3.1.1, §4.1.1], [rfc9700 §2.1]
/// "The authorization server MUST always authenticate the user first … before
/// redirecting" (RFC 9700 §4.11.2).
#[tokio::test]
async fn errors_are_redirected_only_if_silent_or_signed_in() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        furnish(&app, tenant, |_| ());
        let mut browser = Browser::new(&app);
        let cases: [(&[(&str, &str)], &str); 8] = [
            (&[("response_type", "token")], "unsupported_response_type"),
            (&[("response_type", "")], "invalid_request"),
            (&[("scope", "openid admin")], "invalid_scope"),
            (&[("resource", "https://other.example")], "invalid_target"),
            (&[("audience", "other")], "invalid_target"),
            (&[("code_challenge", "")], "invalid_request"),
            (&[("code_challenge_method", "plain")], "invalid_request"),
            (&[("max_age", "soon")], "invalid_request"),
        ];
        for (more, expected) in cases {
            let shown = browser.authorize(tenant, more).await;
            assert_eq!((shown.status, shown.header("location")), (400, ""), "{more:?}");
            assert!(shown.body.contains(expected), "{more:?} {}", shown.body);
            let back = location(&browser.authorize(tenant, &[more, &[("prompt", "none")]].concat()).await);
            assert_eq!((&*parameter(&back, "error"), &*parameter(&back, "state")), (expected, "s1"));
            assert_eq!(parameter(&back, "iss"), issuer(tenant));
        }
        assert_eq!(browser.silent_error(tenant, &[]).await, "login_required");
        browser.code(tenant, &[]).await;
        for (more, expected) in cases {
            assert_eq!(parameter(&location(&browser.authorize(tenant, more).await), "error"), expected);
        }
        let back = location(&browser.authorize(tenant, &[("prompt", "none")]).await);
        assert!(!parameter(&back, "code").is_empty());
    }
}

// [core Core §3.1.3.2]: A code is redeemed by the client it was issued to, once, with the redirect URI of its
//   request
// [native RFC 7636 §4.4]: The challenge is bound to the code
// [attacks #5]: A code that is injected into another sign-in | A code belongs to its tenant, client, redirect
//   URI, challenge, key and session. Each is broken alone, and the refusals are equal
// [rfc9700 §4.3.1]: Codes in the browser's history | A code is used once, within a minute, by its client;
//   `form_post` keeps it out of addresses
// [rfc9700 §4.5]: Injection of authorization codes | PKCE; a code is bound to client, redirect URI, challenge
//   and tenant
// [rfc9700 §4.8]: PKCE downgrade | A verifier without a challenge is refused, and so is `plain`
// [V10 10.4.2]: 1 | A code works once | At all replicas; a second use ends all that was granted
// [V10 10.4.3]: 1 | A code is short-lived | 60 s
// [oauth RFC 6749 §4.1.2], [core Core §16.11, §16.12], [native RFC 7636 §4.2, §4.6], [rfc9700 §2.1.1]
#[tokio::test]
async fn code_is_redeemed_once_with_its_original_parameters() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let secret = furnish(&app, tenant, |_| ());
        let mut browser = Browser::new(&app);
        let code = browser.code(tenant, &[]).await;
        let other_verifier = VERIFIER.replace('d', "e");
        for more in [
            &[("code_verifier", "")] as &[(&str, &str)],
            &[("code_verifier", &*other_verifier)],
            &[("redirect_uri", "https://app.example.com/")],
            &[("code", "0AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")],
            &[("code", "x")],
        ] {
            let form = [&[("client_secret", &*secret), ("code", &*code)], more].concat();
            println!("{more:?}");
            let refused = redeem_with(&app, tenant, &form).await;
            refused.assert_refused(400, "invalid_grant", "The authorization code is not valid");
        }
        let access_token = redeem(&app, tenant, &secret, &code).await.access_token();
        assert_eq!(app.userinfo(tenant, &access_token).await.status, 200);
        assert_eq!(redeem(&app, tenant, &secret, &code).await.json()["error"], "invalid_grant");
        let after = app.userinfo(tenant, &access_token).await;
        assert_eq!(after.status, 401, "a second use ends what the first one gave");

        let code = code_at(&browser.authorize(tenant, &[]).await);
        app.pass(60);
        redeem(&app, tenant, &secret, &code).await.assert_error(400, "invalid_grant");
    }
}

// [native RFC 7636 §4.6]: Another verifier is `invalid_grant`
// [native RFC 8252 §8.1]: Native apps, which are public clients, use PKCE
// [rfc9700 §2.1.1]: Authorization code grant with PKCE | S256 is required. A client that authenticates can be
//   exempted (`require_pkce: false`), a public one never
// [V10 10.4.6]: 2 | The code grant needs PKCE with S256 | As RFC 9700 §2.1.1
// [oauth RFC 6749 §4.1.3], [native RFC 8252 §8.4], [attacks #6]
#[tokio::test]
async fn a_public_client_needs_its_verifier_and_no_secret() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        furnish(&app, tenant, public);
        let code = Browser::new(&app).code(tenant, &[]).await;
        let without = redeem_with(&app, tenant, &[("code", &code), ("code_verifier", "")]).await;
        without.assert_error(400, "invalid_grant");
        redeem_with(&app, tenant, &[("code", &code)]).await.assert_status(200);
        let form = [("grant_type", "client_credentials"), ("client_id", "web")];
        app.post(&token_path(tenant), &form).await.assert_status(401);
    }
}

// [attacks #20]: A client that is not what it says, on the page that asks for consent | The page shows the
//   host where the answer goes, and no picture of the client. It asks again when more is requested, or of a
//   client that was renamed, and each time for an app of the machine
// [V10 10.7.1]: 2 | Users consent to each authorization | Once for each client and what it requests; a
//   `first_party` client of the operator is not asked about
// [V10 10.7.2]: 2 | They see clearly what they consent to | The client, the host that it returns to, and each
//   scope
// [core Core §3.1.2.4], [V7 7.6.2]
#[tokio::test]
async fn consent_is_asked_once_and_refusal_is_returned() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let secret = furnish(&app, tenant, |client| client.code_flow.first_party = false);
        let mut browser = Browser::new(&app);
        let consent = browser.signed_in(tenant, &[]).await;
        consent.assert_says(200, "app.example.com");
        consent.assert_says(200, "profile");
        let denied = browser.decide(tenant, &consent, "deny").await;
        assert_eq!(parameter(&continued(&denied), "error"), "access_denied");
        assert_eq!(browser.silent_error(tenant, &[]).await, "login_required", "nobody learns who it is");
        let code = code_in(&browser.decide(tenant, &consent, "allow").await);
        assert_eq!(redeem(&app, tenant, &secret, &code).await.status, 200);
        assert!(!code_at(&browser.authorize(tenant, &[]).await).is_empty());
        let more = browser.authorize(tenant, &[("scope", "openid profile email")]).await;
        assert!(more.body.contains("email"), "more is asked for");
        assert_eq!(browser.silent_error(tenant, &[("scope", "openid email")]).await, "consent_required");
        // The consent form of another browser is refused.
        let mut thief = Browser::new(&app);
        thief.code(tenant, &[]).await;
        thief.decide(tenant, &more, "allow").await.assert_status(403);
    }
}

/// Adds a person and a client that asks for consent. Two APIs describe `api:read` in these words.
fn describe_scope(app: &TestApp, tenant: &str, [at_api, at_orders]: [&str; 2]) {
    furnish(app, tenant, |client| client.code_flow.first_party = false);
    app.change_provider(tenant, |tenant| {
        for (server, said) in tenant.resource_servers.iter_mut().zip([at_api, at_orders]) {
            if !said.is_empty() {
                server.scope_descriptions.insert("api:read".to_owned(), said.to_owned());
            }
        }
    });
}

/// The tenants describe the same scope differently.
#[tokio::test]
async fn pages_show_the_tenants_scope_description_for_the_api() {
    let app = TestApp::start();
    describe_scope(&app, GLOBEX, ["Read <b>bills</b>", "Elsewhere"]);
    describe_scope(&app, ACME, ["", "Read everything"]);
    let scope = [("scope", "openid profile api:read")];
    for (tenant, said, others) in [
        (GLOBEX, "Read &#60;b&#62;bills&#60;/b&#62;", ["Elsewhere", "everything"]),
        (ACME, "Read everything", ["bills", "Elsewhere"]),
    ] {
        let mut browser = Browser::new(&app);
        let consent = browser.signed_in(tenant, &scope).await;
        continued(&browser.decide(tenant, &consent, "allow").await);
        let account = browser.get(&tenant_path(tenant, "/account")).await;
        for page in [consent, account] {
            page.assert_says(200, said);
            page.assert_says(200, "See your name");
            assert!(!others.iter().any(|other| page.body.contains(other)), "{}", page.body);
        }
    }
}

// [core Core §3.1.2.4 b], [attacks #20]
/// The client may also be renamed while the page is open. The person has not consented to the new
/// name.
#[tokio::test]
async fn renaming_the_client_requires_new_consent() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let app = TestApp::start();
        let (mut browser, mut theirs) = (Browser::new(&app), Browser::new(&app));
        for (tenant, browser) in [(tenant, &mut browser), (other, &mut theirs)] {
            add_person(&app, tenant);
            add_named_client(&app, tenant, "Calendar");
            let page = browser.signed_in(tenant, &[]).await;
            page.assert_says(200, "Calendar");
            code_in(&browser.decide(tenant, &page, "allow").await);
            code_at(&browser.authorize(tenant, &[]).await);
        }
        add_named_client(&app, tenant, "Bank");
        assert_eq!(browser.silent_error(tenant, &[]).await, "consent_required");
        let page = browser.authorize(tenant, &[]).await;
        page.assert_says(200, "Bank");
        add_named_client(&app, tenant, "Post");
        let page = browser.decide(tenant, &page, "allow").await;
        page.assert_says(200, "Post");
        code_in(&browser.decide(tenant, &page, "allow").await);
        for (tenant, browser) in [(tenant, &mut browser), (other, &mut theirs)] {
            code_at(&browser.authorize(tenant, &[("prompt", "none")]).await);
        }
    }
}

fn add_named_client(app: &TestApp, tenant: &str, name: &str) {
    add_web_client(app, tenant, |client| {
        client.code_flow.first_party = false;
        client.name = name.to_owned();
    });
}

// [attacks #11]: A session whose cookie the attacker knows from before | Each sign-in has a new cookie, and
//   the one before opens nothing
// [attacks #37]: An old sign-in where a fresh or a stronger one is demanded | `max_age`, `prompt=login` and
//   an essential `acr`. Another password takes the present one
// [V7 7.2.2]: 1 | A session has a token that is made for it, not a static key | A new cookie at each sign-in
// [V7 7.2.4]: 1 | Each sign-in, also a repeated one, has a new token and ends the present one | The session
//   of the same person continues under the new cookie alone, and that of another person in the browser ends
// [V7 7.5.3]: 3 | A further proof is required before very sensitive operations | not met | Not built yet on
//   our pages. A client requires it for its own operations by `max_age` or `prompt=login`, with the password
//   again
// [core Core §3.1.2.1 d], [V10 10.3.4]
#[tokio::test]
async fn client_can_require_a_recent_sign_in() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let secret = furnish(&app, tenant, |_| ());
        let mut browser = Browser::new(&app);
        browser.code(tenant, &[]).await;
        app.pass(10);
        assert_eq!(browser.authorize(tenant, &[("max_age", "10")]).await.status, 303);
        for more in [[("max_age", "9")], [("max_age", "0")], [("prompt", "login")]] {
            let page = browser.authorize(tenant, &more).await;
            assert_eq!(page.status, 200, "{more:?}");
            app.pass(1);
            let code = code_in(&browser.sign_in(tenant, &page, PASSWORD).await);
            let tokens = redeem(&app, tenant, &secret, &code).await.json();
            assert_eq!(payload(&tokens["id_token"])["auth_time"], app.now());
            app.pass(10);
        }
        let before = browser.cookies[&format!("lk-s.{tenant}")].clone();
        browser.code(tenant, &[("prompt", "login")]).await;
        assert_ne!(browser.cookies[&format!("lk-s.{tenant}")], before, "a sign-in has a cookie of its own");
        browser.cookies.insert(format!("lk-s.{tenant}"), before);
        assert_eq!(browser.authorize(tenant, &[]).await.status, 200, "and the one before opens nothing");
    }
}

// [oauth RFC 6749 §3.1]: The authorization endpoint takes GET, and may take POST. A POST is answered by a
//   redirect to GET, which brings the cookies of the browser
// [core Core §3.1.2.3 b], [attacks #13]
#[tokio::test]
async fn authorization_endpoint_serves_only_navigations() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        add_web_client(&app, tenant, |_| ());
        let browser = Browser::new(&app);
        let path = authorize_path(tenant, &[]);
        for (name, value) in [
            ("sec-fetch-dest", "empty"),
            ("sec-fetch-dest", "iframe"),
            ("sec-fetch-dest", "object"),
            ("sec-fetch-dest", "serviceworker"),
            ("sec-purpose", "prefetch;prerender"),
            ("service-worker", "script"),
        ] {
            let refused = Answer::to(browser.request(Method::GET, &path).header(name, value)).await;
            assert_eq!((refused.status, refused.header("set-cookie")), (400, ""), "{name}: {value}");
        }
        let endpoint = tenant_path(tenant, "/oauth/authorize");
        let form = Browser::new(&app).post(&endpoint, &authorization_request(&[])).await;
        assert_eq!(form.status, 303, "the browser comes again by GET, with its cookies");
        assert_eq!(form.header("location").split_once('?'), path.split_once('?'));
        for bad in [("client_id", ""), ("client_id", "svc"), ("redirect_uri", ""), ("redirect_uri", "x:y")] {
            let refused = Browser::new(&app).post(&endpoint, &authorization_request(&[bad])).await;
            assert_eq!((refused.status, refused.header("location")), (400, ""), "{bad:?}");
        }
    }
}

// [native Form Post §2]: `response_mode=form_post` posts the answer
// [rfc9700 §4.3.1], [V10 10.6.1]
#[tokio::test]
async fn response_can_be_posted_as_a_form() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        furnish(&app, tenant, |_| ());
        let mut browser = Browser::new(&app);
        let done = browser.signed_in(tenant, &[("response_mode", "form_post")]).await;
        assert!(done.body.contains(&format!("action=\"{CALLBACK}\"")) && done.body.contains("name=\"code\""));
        assert!(!done.header("content-security-policy").contains("form-action"));
        let silent = browser.authorize(tenant, &[("response_mode", "form_post"), ("prompt", "none")]).await;
        silent.assert_says(200, "name=\"code\"");
    }
}

// [sign-out Logout §2 c]: A logout without a valid hint of the session asks the person; no redirect to what
//   is not registered
// [sign-out Logout §2 d]: An expired hint is accepted, also after its signing key was rotated away
// [sign-out Logout §2 e]: `client_id` and the audience of the hint are the same; otherwise the hint does not
//   count
// [attacks #3]: A sign-out that another site causes | Without an ID token of this very session as a hint a
//   page asks
// [V10 10.6.2]: 2 | It does not log users out by force | A valid hint of this browser's own session ends it;
//   everything else asks the person
// [sign-out Logout §2]
#[tokio::test]
async fn sign_out_needs_a_hint_or_confirmation() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let secret = furnish(&app, tenant, |_| ());
        let mut browser = Browser::new(&app);
        let code = browser.code(tenant, &[]).await;
        let id_token = redeem(&app, tenant, &secret, &code).await.text("id_token");
        let logout = |query: &str| tenant_path(tenant, &format!("/oauth/logout?{query}"));
        // An expired hint is accepted.
        app.pass(4_000);
        let to = format!("id_token_hint={id_token}&post_logout_redirect_uri={SIGNED_OUT}&state=a%26b");
        let bad = browser.get(&logout(&to.replace("signed-out", "elsewhere"))).await;
        assert_eq!((bad.status, bad.header("location")), (200, ""), "no redirect to what is not registered");
        flow(&bad);
        // A hint for another client is refused.
        flow(&browser.get(&logout(&format!("id_token_hint={id_token}&client_id=svc"))).await);
        let still = browser.authorize(tenant, &[]).await.status;
        assert_eq!(still, 303, "the person is asked, and still signed in");
        browser.get(&logout(&format!("id_token_hint={id_token}"))).await.assert_shown(200);
        assert_eq!(browser.authorize(tenant, &[]).await.status, 200, "and the person is signed out");
        browser.code(tenant, &[]).await;
        // The hint is of the previous session, so the person is asked.
        let question = browser.get(&logout(&to)).await;
        question.assert_shown(200);
        let path = tenant_path(tenant, "/oauth/logout");
        let stays = browser.fill_in(&path, &question, &[("decision", "stay")]).await;
        assert_eq!((stays.status, stays.header("location")), (303, &*tenant_path(tenant, "/account")));
        assert_eq!(browser.authorize(tenant, &[]).await.status, 303, "the session goes on");
        let out = browser.fill_in(&path, &question, &[("decision", "sign_out")]).await;
        assert_eq!(continued(&out).as_str(), format!("{SIGNED_OUT}?state=a%26b"));
        assert!(!browser.cookies.contains_key(&format!("lk-s.{tenant}")));
        assert_eq!(browser.authorize(tenant, &[]).await.status, 200);
        // Nobody is signed in. With a hint the sign-out redirects to the client, without one it
        // does not.
        assert_eq!(location(&browser.get(&logout(&to)).await).as_str(), format!("{SIGNED_OUT}?state=a%26b"));
        for query in [
            "",
            "state=x",
            &format!("client_id=web&post_logout_redirect_uri={SIGNED_OUT}"),
            "id_token_hint=x",
        ] {
            let answer = browser.get(&logout(query)).await;
            assert_eq!((answer.status, answer.header("location")), (200, ""), "{query}");
        }
    }
}

/// If the person stays signed in or has not answered, neither the person nor the client is told
/// that the session has ended.
#[tokio::test]
async fn no_page_claims_a_sign_out_while_signed_in() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        add_person(&app, tenant);
        add_someone(&app, tenant, 3, BOB);
        add_web_client(&app, tenant, |_| ());
        let path = tenant_path(tenant, "/oauth/logout");
        let with_address = format!("{path}?client_id=web&post_logout_redirect_uri={SIGNED_OUT}");
        for question in [&path, &with_address] {
            let mut browser = Browser::new(&app);
            browser.code(tenant, &[]).await;
            let asked = browser.get(question).await;
            let stays = browser.fill_in(&path, &asked, &[("decision", "stay")]).await;
            assert_eq!((stays.status, stays.header("set-cookie")), (303, ""), "{}", stays.body);
            browser.get(stays.header("location")).await.assert_says(200, EMAIL);

            // Bob signs in in another tab. The open question is about Ada's session.
            continued(&browser.sign_in_as(tenant, BOB).await);
            let again = browser.fill_in(&path, &asked, &[("decision", "sign_out")]).await;
            again.assert_says(200, BOB);
            let ended = ["signed out", "http-equiv"].map(|text| again.body.contains(text));
            assert_eq!(ended, [false; 2], "{}", again.body);
            assert_eq!(browser.authorize(tenant, &[]).await.status, 303, "Bob is signed in");
            let out = browser.fill_in(&path, &again, &[("decision", "sign_out")]).await;
            assert!(out.body.contains("signed out") || continued(&out).as_str() == SIGNED_OUT);
            assert_eq!(browser.authorize(tenant, &[]).await.status, 200);
            // Nobody is signed in any more, and the answer to either button says so.
            let late = browser.fill_in(&path, &again, &[("decision", "stay")]).await;
            assert_eq!(late.body.contains("http-equiv"), *question == with_address, "{}", late.body);
        }
    }
}

/// The session is stored together with a code, or when the consent page is shown.
#[tokio::test]
async fn session_ended_by_another_sign_in_is_noticed_immediately() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        add_person(&app, tenant);
        add_someone(&app, tenant, 3, BOB);
        for first_party in [true, false] {
            add_web_client(&app, tenant, |client| client.code_flow.first_party = first_party);
            let mut browser = Browser::new(&app);
            let mut noticed = Vec::new();
            for who in [EMAIL, EMAIL, BOB] {
                let before = app.store.calls().noticed_revocations;
                assert_eq!(browser.sign_in_as(tenant, who).await.status, 200);
                noticed.push(app.store.calls().noticed_revocations - before);
            }
            assert_eq!(noticed, [0, 0, 1], "{tenant} {first_party}");
        }
    }
}

// [V7 7.4.1]: 1 | A session that has ended or run out is of no use | Both are judged at each read. The end of
//   a session also revokes its codes, its access tokens and its refresh tokens without `offline_access`; a
//   verifier that neither introspects nor reads the [revocation feed](revocation.md) accepts the access
//   tokens until `exp`, and so do all where a session has run out
/// Signing out ends the access tokens of the session, at this tenant only. Those of the next
/// session are valid immediately.
#[tokio::test]
async fn signing_out_revokes_the_tokens_of_the_session() {
    let app = TestApp::start();
    let secrets = [ACME, GLOBEX].map(|tenant| furnish(&app, tenant, |_| ()));
    let (mut browser, mut theirs) = (Browser::new(&app), Browser::new(&app));
    let tokens = browser.tokens(ACME, &secrets[0], &[]).await;
    let of_other = theirs.tokens(GLOBEX, &secrets[1], &[]).await;
    let token = text(&tokens, "access_token");
    let out = format!("/oauth/logout?id_token_hint={}", text(&tokens, "id_token"));
    browser.get(&tenant_path(ACME, &out)).await.assert_status(200);
    app.userinfo(ACME, token).await.assert_status(401);
    app.userinfo(GLOBEX, text(&of_other, "access_token")).await.assert_status(200);
    let own = [("token", token), ("client_id", "web"), ("client_secret", &*secrets[0])];
    assert_eq!(app.post(&tenant_path(ACME, "/oauth/introspect"), &own).await.body, r#"{"active":false}"#);
    let next = browser.tokens(ACME, &secrets[0], &[]).await;
    app.userinfo(ACME, text(&next, "access_token")).await.assert_status(200);
}

// [core Core §5.3.3]: Errors are those of RFC 6750
// [bearer RFC 6750 §2]: A token that is sent by more than one method is 400 `invalid_request`: userinfo
//   refuses one in the header and in the form
// [V10 10.3.1]: 2 | A resource server accepts only tokens for itself | The sample resource, userinfo and the
//   administration compare `aud`
// [core Core §3.1.2.1 b], [core Core §5.3, §5.4]
#[tokio::test]
async fn userinfo_accepts_only_tokens_for_its_issuer() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let secret = furnish(&app, tenant, |_| ());
        let mut browser = Browser::new(&app);
        let path = tenant_path(tenant, "/oauth/userinfo");
        let machine = app.token(tenant).await;
        assert_eq!(app.userinfo(tenant, &machine).await.status, 401, "a machine is no person");
        let token = |tokens: Answer| tokens.text("access_token");
        let code = browser.code(tenant, &[("scope", "api:read")]).await;
        let without = token(redeem(&app, tenant, &secret, &code).await);
        assert_eq!(app.userinfo(tenant, &without).await.status, 401, "it is for the API, not for the issuer");
        let code = code_at(&browser.authorize(tenant, &[("scope", "openid email")]).await);
        let good = token(redeem(&app, tenant, &secret, &code).await);
        let posted = app.post(&path, &[("access_token", &good)]).await;
        assert_eq!((posted.status, &posted.json()["email"]), (200, &EMAIL.into()), "{}", posted.body);
        assert_eq!(posted.json()["email_verified"], false);
        // RFC 6750 §2: a request may send the token by only one method.
        let twice = app.request(Method::POST, &path).bearer_auth(&good).form(&[("access_token", &good)]);
        Answer::to(twice).await.assert_error(400, "invalid_request");
        for form in [None, Some([("other", "1")])] {
            let request = app.request(Method::POST, &path).bearer_auth(&good);
            let request = form.iter().fold(request, reqwest::RequestBuilder::form);
            assert_eq!(Answer::to(request).await.status, 200, "{form:?}");
        }
        let none = app.get(&path).await;
        assert_eq!((none.status, none.header("www-authenticate").is_empty()), (401, false));
        let in_query = app.get(&format!("{path}?access_token={good}")).await;
        assert_eq!(in_query.status, 401, "a token in the query is none");
    }
}

// [shared 2.9]: An access token with the scope `openid` that was requested for no resource was for the
//   client's APIs and for userinfo: each of these APIs, and who robs one, read who the person is | fixed |
//   With `userinfo: separate` of a tenant or a client such a token is for userinfo alone, and a token for an
//   API is requested by `resource`, also with a refresh token. `check` and the admin API advise it for
//   clients to which it applies ([decision 57](decisions/0057-tokens-for-userinfo-may-be-for-no-api.md))
// [rfc9700 §4.9.2], [V10 10.3.1]
#[tokio::test]
async fn userinfo_refuses_api_tokens_if_tokens_are_separate() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        add_person(&app, tenant);
    }
    let api = fixtures::AUDIENCE;
    let with_refresh = |client: &mut Client| client.grant_types.push(GrantType::RefreshToken);
    for (tenant, is_for_api) in [(ACME, false), (GLOBEX, true)] {
        let secret = add_web_client(&app, tenant, with_refresh);
        app.change_tenant(ACME, |tenant| {
            tenant.strategies.oidc = true;
            tenant.userinfo = UserinfoTokens::Separate;
        });
        let tokens = Browser::new(&app).tokens(tenant, &secret, &[("scope", "openid api:read")]).await;
        let aud = if is_for_api { json!([api, issuer(tenant)]) } else { json!(issuer(tenant)) };
        assert_eq!(payload(&tokens["access_token"])["aud"], aud);
        assert_eq!(app.userinfo(tenant, text(&tokens, "access_token")).await.status, 200);
        let refresh = async |audience: &str| {
            let form = [("client_secret", &*secret), ("audience", audience)];
            refresh_with(&app, tenant, text(&tokens, "refresh_token"), &form).await
        };
        let of_api = refresh(api).await.access_token();
        assert_eq!(claims_of(&of_api)["aud"], api);
        assert_eq!(app.userinfo(tenant, &of_api).await.status, 401, "an API has this token");
        refresh("other").await.assert_error(400, "invalid_target");
    }
}

// [core Core §5.4 b]
#[tokio::test]
async fn client_setting_adds_scope_claims_to_id_tokens() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let app = TestApp::start();
        add_person(&app, tenant);
        add_person(&app, other);
        let with = |client: &mut Client| {
            client.code_flow.claims_in_id_token = true;
            client.grant_types.push(GrantType::RefreshToken);
        };
        let (secret, plain) = (add_web_client(&app, tenant, with), add_web_client(&app, other, |_| ()));
        let profile = [("scope", "openid profile")];
        let found = Browser::new(&app).tokens(tenant, &secret, &profile).await;
        let id_token = payload(&found["id_token"]);
        assert_eq!((&id_token["name"], &id_token["email"]), (&"Ada Lovelace".into(), &Value::Null));
        assert_eq!(payload(&found["access_token"])["name"], Value::Null, "APIs are told nothing");
        // A refreshed ID token has the claims, too. For a narrower scope it has only the claims of
        // that scope.
        let refresh = async |scope: &str| {
            let own = [("scope", scope), ("client_secret", &secret)];
            let next = refresh_with(&app, tenant, text(&found, "refresh_token"), &own).await.json();
            payload(&next["id_token"])["name"].clone()
        };
        assert_eq!(refresh("openid profile").await, "Ada Lovelace");
        assert_eq!(refresh("openid").await, Value::Null);
        let found = Browser::new(&app).tokens(other, &plain, &profile).await;
        assert_eq!(payload(&found["id_token"])["name"], Value::Null, "it is a setting of one client");
    }
}

// [core Core §5.5], [attacks #37]
#[tokio::test]
async fn claims_can_be_requested_individually() {
    let app = TestApp::start();
    let requested = r#"{"userinfo":{"email":{"essential":true},"phone_number":null},"id_token":{"name":null,"phone_number":{"essential":true}}}"#;
    for tenant in [ACME, GLOBEX] {
        let secret = furnish(&app, tenant, |client| client.code_flow.first_party = false);
        let mut browser = Browser::new(&app);
        let request = [("scope", "openid"), ("claims", requested)];
        let asked = browser.signed_in(tenant, &request).await;
        assert!(asked.body.contains("claim email") && asked.body.contains("claim name"), "{}", asked.body);
        assert!(!asked.body.contains("phone_number"), "the client is not registered for the scope phone");
        let allowed = browser.decide(tenant, &asked, "allow").await;
        let tokens = redeem(&app, tenant, &secret, &code_in(&allowed)).await.json();
        let id_token = payload(&tokens["id_token"]);
        assert_eq!(id_token["name"], "Ada Lovelace");
        assert!(id_token["email"].is_null() && id_token["phone_number"].is_null());
        let found = app.userinfo(tenant, tokens["access_token"].as_str().unwrap()).await.json();
        assert_eq!((&found["email"], &found["name"]), (&EMAIL.into(), &Value::Null));
        // The consent is remembered. The person is asked again if the client requests more.
        assert_eq!(browser.authorize(tenant, &request).await.status, 303);
        let more = requested.replace("\"phone_number\":null", "\"nickname\":null");
        assert_eq!(browser.authorize(tenant, &[("scope", "openid"), ("claims", &more)]).await.status, 200);
        // The server cannot authenticate people in this way.
        let demanded = r#"{"id_token":{"acr":{"essential":true,"values":["phr"]}}}"#;
        let refused = location(&browser.authorize(tenant, &[("claims", demanded), ("prompt", "none")]).await);
        assert_eq!(parameter(&refused, "error"), "unmet_authentication_requirements");
        let other = r#"{"id_token":{"sub":{"value":"usr_aaaaaaaaaaaaaaaaaaaaaaaaaa"}}}"#;
        assert_eq!(browser.silent_error(tenant, &[("claims", other)]).await, "login_required");
    }
}

// [core Core §3.1.2.4 b], [resources RFC 8707 §2 e], [resources RFC 8707 §2.2], [shared 2.8]
/// The page names the API. Nobody is asked twice for the same access.
#[tokio::test]
async fn consent_to_one_api_does_not_cover_another() {
    const PAYROLL: &str = "https://payroll.example/api";
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let secret = furnish(&app, tenant, |client| {
            client.code_flow.first_party = false;
            client.resources = vec![PAYROLL.to_owned()];
        });
        let mut browser = Browser::new(&app);
        let page = browser.signed_in(tenant, &[]).await;
        assert!(page.body.contains("<code>api</code>") && !page.body.contains(PAYROLL), "{}", page.body);
        let code = code_in(&browser.decide(tenant, &page, "allow").await);
        redeem(&app, tenant, &secret, &code).await.assert_status(200);
        let other = [("resource", PAYROLL)];
        assert_eq!(browser.silent_error(tenant, &[("resource", PAYROLL)]).await, "consent_required");
        let page = browser.authorize(tenant, &other).await;
        assert!(page.body.contains(PAYROLL), "{}", page.body);
        let code = code_in(&browser.decide(tenant, &page, "allow").await);
        let tokens = redeem(&app, tenant, &secret, &code).await.json();
        assert_eq!(payload(&tokens["access_token"])["aud"], PAYROLL);
        for request in [&other[..], &[]] {
            assert_eq!(browser.authorize(tenant, request).await.status, 303, "both are remembered");
        }
        // An audience is treated like a resource. The token endpoint refuses it in the redemption
        // of a code, and the code stays valid.
        for (more, aud) in [
            (&[("audience", PAYROLL)] as &[(&str, &str)], json!(PAYROLL)),
            (&[("audience", "api"), ("resource", PAYROLL)], json!(["api", PAYROLL])),
        ] {
            let code = parameter(&location(&browser.authorize(tenant, more).await), "code");
            let form = [("client_secret", &*secret), ("code", &code), ("audience", "api")];
            let refused = redeem_with(&app, tenant, &form).await;
            let words = "The parameter audience is not valid here: send it in the authorization request";
            refused.assert_refused(400, "invalid_request", words);
            let tokens = redeem(&app, tenant, &secret, &code).await.json();
            assert_eq!(payload(&tokens["access_token"])["aud"], aud);
        }
    }
}

// [shared 2.4]
/// One session sends the longest requests without pause. The number of rows per minute is limited,
/// and the next client gets its codes.
#[tokio::test]
async fn codes_per_session_are_rate_limited() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let secret = furnish(&app, tenant, |_| ());
        let mut browser = Browser::new(&app);
        browser.code(tenant, &[]).await;
        let nonce = "n".repeat(512);
        let request = [("prompt", "none"), ("nonce", &*nonce), ("state", "s9")];
        let mut codes = Vec::new();
        for number in 0..60 {
            let to = location(&browser.authorize(tenant, &request).await);
            assert_eq!(parameter(&to, "state"), "s9");
            if number < 19 {
                codes.push(parameter(&to, "code"));
            } else {
                assert_eq!(parameter(&to, "error"), "temporarily_unavailable", "{number}");
            }
        }
        assert_eq!(redeem(&app, tenant, &secret, &codes[18]).await.status, 200);
        assert_eq!(browser.silent_error(tenant, &[("nonce", &*"n".repeat(513))]).await, "invalid_request");
        app.pass(61);
        assert!(!parameter(&location(&browser.authorize(tenant, &request).await), "code").is_empty());
    }
}
