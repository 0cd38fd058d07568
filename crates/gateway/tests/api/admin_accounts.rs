//! `/api/v1/tenant/{id}/accounts…`: the life of an account, through the tenant's own administrator and the platform's, and what of it a
//! person notices.

use reqwest::Method;
use serde_json::{Value, json};

use crate::administrators::{PLATFORM, STEWARD, TestEnv, accounts_path, ask};
use crate::answer::Answer;
use crate::app::{ACME, GLOBEX, TestApp, tenant_path, token_path};
use crate::person::{Browser, EMAIL, PASSWORD, add_web_client, continued, parameter, redeem};

const OTHER_PASSWORD: &str = "nine lanterns beside the river";
const BOTH: [(&str, &str); 2] = [(ACME, GLOBEX), (GLOBEX, ACME)];

/// Creates Ada, and returns the path of her account.
async fn create(test_env: &TestEnv, token: &str, tenant: &str) -> String {
    let body = json!({ "email": EMAIL, "password": PASSWORD, "claims": { "name": "Ada" } });
    let made = test_env.post(token, &accounts_path(tenant), body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    made.header("location").to_owned()
}

async fn step(test_env: &TestEnv, token: &str, path: &str) -> Answer {
    test_env.ask(token, ask(Method::POST, path)).await
}

/// Signs Ada in with a browser of her own, and returns the browser with the answer to its code.
async fn sign_in<'a>(app: &'a TestApp, tenant: &str, secret: &str) -> (Browser<'a>, Value) {
    let mut browser = Browser::new(app);
    let code = browser.code(tenant, &[]).await;
    let tokens = redeem(app, tenant, secret, &code).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    (browser, tokens.json())
}

async fn userinfo(app: &TestApp, tenant: &str, tokens: &Value) -> u16 {
    let request = app.request(Method::GET, &tenant_path(tenant, "/oauth/userinfo"));
    Answer::to(request.bearer_auth(tokens["access_token"].as_str().unwrap())).await.status
}

/// Whether the browser is signed in at the tenant: a request that may show no page gets a code.
async fn is_signed_in(browser: &mut Browser<'_>, tenant: &str) -> bool {
    let answer = browser.authorize(tenant, &[("prompt", "none")]).await;
    answer.header("location").contains("code=")
}

#[tokio::test]
async fn both_administrators_create_accounts_and_no_tenant_sees_the_others() {
    let test_env = TestEnv::start();
    for (tenant, other) in BOTH {
        for (at, email) in [(tenant, "ada@example.com"), (PLATFORM, "bob@example.com")] {
            let token = test_env.token(at, STEWARD).await;
            let body = json!({ "email": email, "password": PASSWORD });
            let made = test_env.post(&token, &accounts_path(tenant), body).await;
            assert_eq!(made.status, 201, "{}", made.body);
            made.assert_not_stored();
            let account = made.json();
            let id = account["account_id"].as_str().unwrap();
            assert_eq!(made.header("location"), format!("{}/{id}", accounts_path(tenant)));
            assert_eq!((&account["status"], &account["email"]), (&json!("active"), &json!(email)));
            assert!(!made.body.contains("password\""), "{}", made.body);
            let looked = test_env.get(&token, made.header("location")).await;
            assert_eq!((looked.status, looked.header("etag")), (200, made.header("etag")));
            let platform = test_env.token(PLATFORM, STEWARD).await;
            let elsewhere = format!("{}/{id}", accounts_path(other));
            test_env.get(&platform, &elsewhere).await.assert_problem(404, "not-found");
            let page =
                test_env.get(&platform, &format!("{}?identifier={email}", accounts_path(tenant))).await;
            assert_eq!(page.json()["items"], json!([account]));
        }
    }
}

#[tokio::test]
async fn an_identifier_and_an_external_id_belong_to_one_account_of_a_tenant() {
    let test_env = TestEnv::start();
    for (tenant, _) in BOTH {
        let token = test_env.token(tenant, STEWARD).await;
        let path = accounts_path(tenant);
        for body in [
            json!({ "email": "ada@example.com", "username": "ada", "external_id": "7" }),
            json!({ "email": "bob@example.com" }),
        ] {
            assert_eq!(test_env.post(&token, &path, body).await.status, 201);
        }
        for body in [
            json!({ "email": "ADA@example.com" }),
            json!({ "username": "Ada" }),
            json!({ "username": "eve", "external_id": "7" }),
        ] {
            test_env.post(&token, &path, body).await.assert_problem(409, "conflict");
        }
        let bob = test_env.get(&token, &format!("{path}?identifier=bob@example.com")).await.json();
        let bob = format!("{path}/{}", bob["items"][0]["account_id"].as_str().unwrap());
        for patch in [json!({ "username": "ada" }), json!({ "external_id": "7" })] {
            test_env.patch(&token, &bob, patch).await.assert_problem(409, "conflict");
        }
        let by_external_id = test_env.get(&token, &format!("{path}?external_id=7")).await.json();
        assert_eq!(by_external_id["items"][0]["username"], "ada");
        for none in [
            "identifier=eve",
            "external_id=8",
            "identifier=a%20b",
            "identifier=bob@example.com&external_id=7",
        ] {
            assert_eq!(
                test_env.get(&token, &format!("{path}?{none}")).await.json()["items"],
                json!([]),
                "{none}"
            );
        }
    }
}

#[tokio::test]
async fn a_password_that_is_short_or_easily_guessed_is_refused_with_the_reason() {
    for (tenant, other) in BOTH {
        let test_env = TestEnv::start();
        let token = test_env.token(tenant, STEWARD).await;
        let path = create(&test_env, &token, tenant).await;
        for (password, why) in [
            ("short", "15 characters"),
            ("passwordpassword", "easily guessed"),
            ("ada@example.com", "easily guessed"),
            ("a line\u{7f}feed in it", "control characters"),
        ] {
            let body = json!({ "email": "ada@example.com", "username": "ada", "password": password });
            let elsewhere = accounts_path(other);
            let platform = test_env.token(PLATFORM, STEWARD).await;
            let created = test_env.post(&platform, &elsewhere, body).await;
            let set =
                test_env.post(&token, &format!("{path}/password"), json!({ "password": password })).await;
            for refused in [created, set] {
                refused.assert_problem(400, "invalid-request");
                assert_eq!(refused.pointers(), ["/password"]);
                assert!(refused.body.contains(why) && !refused.body.contains(password), "{}", refused.body);
            }
        }
        let none = test_env.post(&token, &format!("{path}/password"), json!({})).await;
        assert_eq!((none.status, none.pointers()), (400, vec!["/password".to_owned()]));
        let platform = test_env.token(PLATFORM, STEWARD).await;
        let page = test_env.get(&platform, &accounts_path(other)).await.json();
        assert_eq!(page["items"], json!([]), "nothing was created");
    }
}

#[tokio::test]
async fn an_account_is_changed_by_what_a_patch_names() {
    let test_env = TestEnv::start();
    for (tenant, _) in BOTH {
        let token = test_env.token(tenant, STEWARD).await;
        let path = create(&test_env, &token, tenant).await;
        let patch = json!({ "groups": ["staff"], "email_verified": true, "claims": { "locale": "en-GB" } });
        let patched = test_env.patch(&token, &path, patch).await.json();
        assert_eq!(patched["claims"], json!({ "name": "Ada", "locale": "en-GB" }));
        assert_eq!((&patched["groups"], &patched["email_verified"]), (&json!(["staff"]), &json!(true)));
        assert_eq!(test_env.get(&token, &path).await.json(), patched);
        for (patch, pointer) in [
            (json!({ "email": null, "email_verified": null }), ""),
            (json!({ "email": "ada" }), "/email"),
            (json!({ "claims": { "picture": "ada.png" } }), "/claims/picture"),
            (json!({ "password": "seven clouds above the harbour" }), "/password"),
        ] {
            let refused = test_env.patch(&token, &path, patch).await;
            assert_eq!(
                (refused.status, refused.pointers()),
                (400, vec![pointer.to_owned()]),
                "{}",
                refused.body
            );
        }
    }
}

#[tokio::test]
async fn a_suspended_person_is_signed_out_at_once_and_signs_in_again_after_the_suspension() {
    let test_env = TestEnv::start();
    let app = &test_env.app;
    for (tenant, other) in BOTH {
        let (secret, theirs) = (add_web_client(app, tenant, |_| {}), add_web_client(app, other, |_| {}));
        let [token, of_other] = [tenant, other].map(|tenant| test_env.token(tenant, STEWARD));
        let (token, of_other) = (token.await, of_other.await);
        let path = create(&test_env, &token, tenant).await;
        let elsewhere = create(&test_env, &of_other, other).await;
        let (mut browser, tokens) = sign_in(app, tenant, &secret).await;
        let (mut unharmed, unharmed_tokens) = sign_in(app, other, &theirs).await;
        assert!(is_signed_in(&mut browser, tenant).await);
        assert_eq!(userinfo(app, tenant, &tokens).await, 200);

        let suspended = step(&test_env, &token, &format!("{path}/suspend")).await;
        assert_eq!((suspended.status, &suspended.json()["status"]), (200, &json!("suspended")));
        assert!(!is_signed_in(&mut browser, tenant).await);
        assert_eq!(userinfo(app, tenant, &tokens).await, 401);
        let page = browser.authorize(tenant, &[]).await;
        assert_eq!(browser.sign_in(tenant, &page, PASSWORD).await.status, 403);

        let resumed = step(&test_env, &token, &format!("{path}/resume")).await;
        assert_eq!((resumed.status, &resumed.json()["status"]), (200, &json!("active")));
        assert!(!is_signed_in(&mut browser, tenant).await, "the session of before stays ended");
        assert_eq!(userinfo(app, tenant, &tokens).await, 401);
        app.pass(2);
        sign_in(app, tenant, &secret).await;

        assert!(is_signed_in(&mut unharmed, other).await);
        assert_eq!(userinfo(app, other, &unharmed_tokens).await, 200);
        for (path, token) in [(path, token), (elsewhere, of_other)] {
            assert_eq!(test_env.delete(&token, &path).await.status, 204);
        }
    }
}

#[tokio::test]
async fn a_new_password_ends_the_sessions_under_the_old_one() {
    let test_env = TestEnv::start();
    let app = &test_env.app;
    for (tenant, _) in BOTH {
        let secret = add_web_client(app, tenant, |_| {});
        let token = test_env.token(tenant, STEWARD).await;
        let path = create(&test_env, &token, tenant).await;
        let (mut browser, _) = sign_in(app, tenant, &secret).await;
        let body = json!({ "password": OTHER_PASSWORD });
        let set = test_env.post(&token, &format!("{path}/password"), body).await;
        assert_eq!(set.status, 200, "{}", set.body);
        assert!(!set.body.contains(OTHER_PASSWORD));
        assert!(!is_signed_in(&mut browser, tenant).await);
        app.pass(2);
        let page = browser.authorize(tenant, &[]).await;
        assert_eq!(browser.sign_in(tenant, &page, PASSWORD).await.status, 403);
        let page = browser.authorize(tenant, &[]).await;
        let done = browser.sign_in(tenant, &page, OTHER_PASSWORD).await;
        parameter(&continued(&done), "code");
    }
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one_and_all_at_once() {
    let test_env = TestEnv::start();
    let app = &test_env.app;
    for (tenant, other) in BOTH {
        let secret = add_web_client(app, tenant, |_| {});
        let token = test_env.token(tenant, STEWARD).await;
        let path = create(&test_env, &token, tenant).await;
        let sessions = format!("{path}/sessions");
        let (mut first, _) = sign_in(app, tenant, &secret).await;
        app.pass(1);
        let (mut second, tokens) = sign_in(app, tenant, &secret).await;
        let listed = test_env.get(&token, &sessions).await;
        let items = listed.json()["items"].as_array().unwrap().clone();
        assert_eq!(items.len(), 2, "{}", listed.body);
        for (name, value) in first.cookies.iter().chain(&second.cookies) {
            assert!(!listed.body.contains(value), "{name}");
        }
        let id = items[0]["session_id"].as_str().unwrap();
        assert!(id_token(&tokens).contains(id), "those first that were used last");

        // The other tenant's administrators have no access, and the platform's find no such session there.
        let platform = test_env.token(PLATFORM, STEWARD).await;
        let elsewhere = format!("{sessions}/{id}").replace(tenant, other);
        test_env.delete(&platform, &elsewhere).await.assert_problem(404, "not-found");
        assert!(is_signed_in(&mut second, tenant).await);

        let one = format!("{sessions}/{id}");
        assert_eq!(test_env.delete(&token, &one).await.status, 204);
        assert!(!is_signed_in(&mut second, tenant).await && is_signed_in(&mut first, tenant).await);
        test_env.delete(&token, &one).await.assert_problem(404, "not-found");

        assert_eq!(test_env.delete(&token, &sessions).await.status, 204);
        assert!(!is_signed_in(&mut first, tenant).await);
        assert_eq!(test_env.get(&token, &sessions).await.json()["items"], json!([]));
        assert_eq!(userinfo(app, tenant, &tokens).await, 401);
    }
}

/// The payload of the ID token, in clear.
fn id_token(tokens: &Value) -> String {
    use base64::Engine as _;
    let payload = tokens["id_token"].as_str().unwrap().split('.').nth(1).unwrap();
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    String::from_utf8(payload).unwrap()
}

#[tokio::test]
async fn a_consent_is_listed_and_the_person_is_asked_again_once_it_is_revoked() {
    let test_env = TestEnv::start();
    let app = &test_env.app;
    for (tenant, _) in BOTH {
        let secret = add_web_client(app, tenant, |client| client.code_flow.first_party = false);
        let token = test_env.token(tenant, STEWARD).await;
        let path = create(&test_env, &token, tenant).await;
        let consents = format!("{path}/consents");
        assert_eq!(test_env.get(&token, &consents).await.json()["items"], json!([]));
        let mut browser = Browser::new(app);
        let page = browser.authorize(tenant, &[]).await;
        let asked = browser.sign_in(tenant, &page, PASSWORD).await;
        let flow = crate::person::flow(&asked);
        let form = [("flow", &*flow), ("decision", "allow")];
        let allowed = browser.post(&tenant_path(tenant, "/oauth/sign-in"), &form).await;
        let code = parameter(&continued(&allowed), "code");
        let listed = test_env.get(&token, &consents).await.json();
        assert_eq!(listed["items"][0]["client_id"], "web");
        assert!(is_signed_in(&mut browser, tenant).await, "what is allowed is not asked again");

        assert_eq!(test_env.delete(&token, &format!("{consents}/web")).await.status, 204);
        test_env.delete(&token, &format!("{consents}/web")).await.assert_problem(404, "not-found");
        let answer = browser.authorize(tenant, &[("prompt", "none")]).await;
        assert!(answer.header("location").contains("error=login_required"), "{answer:?}");
        let late = redeem(app, tenant, &secret, &code).await;
        assert_eq!(
            (late.status, &late.json()["error"]),
            (400, &json!("invalid_grant")),
            "it was issued before"
        );
    }
}

#[tokio::test]
async fn a_deleted_account_leaves_its_names_free_and_its_id_taken() {
    let test_env = TestEnv::start();
    for (tenant, _) in BOTH {
        let token = test_env.token(tenant, STEWARD).await;
        let path = create(&test_env, &token, tenant).await;
        assert_eq!(test_env.delete(&token, &path).await.status, 204);
        for gone in [path.clone(), format!("{path}/sessions"), format!("{path}/consents")] {
            test_env.get(&token, &gone).await.assert_problem(404, "not-found");
        }
        step(&test_env, &token, &format!("{path}/resume")).await.assert_problem(404, "not-found");
        assert_ne!(create(&test_env, &token, tenant).await, path);
    }
}

#[tokio::test]
async fn the_platform_has_no_accounts_and_an_unknown_id_is_not_found() {
    let test_env = TestEnv::start();
    let token = test_env.token(PLATFORM, STEWARD).await;
    let refused = test_env.post(&token, &accounts_path(PLATFORM), json!({ "username": "ada" })).await;
    refused.assert_problem(409, "conflict");
    for id in ["usr_aaaaaaaaaaaaaaaaaaaaaaaaaa", "usr_x", "..", "svc"] {
        let path = format!("{}/{id}", accounts_path(ACME));
        assert_eq!(test_env.get(&token, &path).await.status, 404, "{id}");
    }
}

#[tokio::test]
async fn the_audit_names_what_happened_to_an_account_and_nothing_of_the_person() {
    let test_env = TestEnv::start();
    for (tenant, _) in BOTH {
        let token = test_env.token(tenant, STEWARD).await;
        let path = create(&test_env, &token, tenant).await;
        test_env.patch(&token, &path, json!({ "claims": { "family_name": "Lovelace" } })).await;
        test_env.post(&token, &format!("{path}/password"), json!({ "password": OTHER_PASSWORD })).await;
        test_env.delete(&token, &format!("{path}/sessions")).await;
        test_env.delete(&token, &path).await;
        let ops = test_env.token(PLATFORM, crate::administrators::OPS).await;
        let audit = test_env.get(&ops, &tenant_path(tenant, "/audit")).await;
        let actions: Vec<_> = audit.json()["items"]
            .as_array()
            .unwrap()
            .iter()
            .rev()
            .map(|record| record["action"].as_str().unwrap().to_owned())
            .collect();
        let expected = [
            "account.added",
            "account.password_set",
            "account.changed",
            "account.password_set",
            "account.signed_out",
            "account.deleted",
        ];
        assert_eq!(actions, expected);
        for personal in [EMAIL, "Lovelace", PASSWORD, OTHER_PASSWORD] {
            assert!(!audit.body.contains(personal), "{personal}");
        }
    }
}

#[tokio::test]
async fn a_known_browser_goes_on_where_strangers_have_failed_too_often_and_a_new_password_lets_all_go_on() {
    let test_env = TestEnv::start();
    let app = &test_env.app;
    for (tenant, other) in BOTH {
        let secret = add_web_client(app, tenant, |_| {});
        add_web_client(app, other, |_| {});
        let [token, of_other] = [tenant, other].map(|tenant| test_env.token(tenant, STEWARD));
        let (token, of_other) = (token.await, of_other.await);
        let path = create(&test_env, &token, tenant).await;
        let elsewhere = create(&test_env, &of_other, other).await;
        let (mut usual, _) = sign_in(app, tenant, &secret).await;
        let attempt = async |browser: &mut Browser<'_>, at: &str, password: &str| {
            let page = browser.authorize(at, &[("prompt", "login")]).await;
            browser.sign_in(at, &page, password).await.status
        };
        let mut stranger = Browser::new(app);
        for _ in 0..10 {
            assert_eq!(attempt(&mut stranger, tenant, "a wrong password").await, 403);
        }
        assert_eq!(attempt(&mut stranger, tenant, PASSWORD).await, 403, "the account's attempts are used up");
        assert_eq!(attempt(&mut usual, tenant, PASSWORD).await, 200);
        // What is known of a browser counts for its own account alone.
        let mut elsewhere_known = Browser::new(app);
        assert_eq!(attempt(&mut elsewhere_known, other, PASSWORD).await, 200);
        assert_eq!(attempt(&mut elsewhere_known, tenant, PASSWORD).await, 403);

        assert_eq!(attempt(&mut stranger, tenant, PASSWORD).await, 403);
        let token = test_env.token(tenant, STEWARD).await;
        let body = json!({ "password": OTHER_PASSWORD });
        assert_eq!(test_env.post(&token, &format!("{path}/password"), body).await.status, 200);
        assert_eq!(attempt(&mut stranger, tenant, OTHER_PASSWORD).await, 200);
        let of_other = test_env.token(other, STEWARD).await;
        for (path, token) in [(path, token), (elsewhere, of_other)] {
            assert_eq!(test_env.delete(&token, &path).await.status, 204);
        }
    }
}

#[tokio::test]
async fn a_throttled_account_is_shown_and_lets_strangers_go_on_once_it_is_unlocked() {
    let test_env = TestEnv::start();
    let app = &test_env.app;
    for (tenant, other) in BOTH {
        add_web_client(app, tenant, |_| {});
        let [token, of_other] = [tenant, other].map(|tenant| test_env.token(tenant, STEWARD));
        let (token, of_other) = (token.await, of_other.await);
        let path = create(&test_env, &token, tenant).await;
        let [throttling, unlock] = ["throttling", "unlock"].map(|rest| format!("{path}/{rest}"));
        let mut stranger = Browser::new(app);
        let mut attempt = async |password: &str| {
            let page = stranger.authorize(tenant, &[("prompt", "login")]).await;
            stranger.sign_in(tenant, &page, password).await.status
        };
        let none = json!({ "throttled": false, "since": null, "until": null, "failures": 0 });
        assert_eq!(test_env.get(&token, &throttling).await.json(), none);
        for _ in 0..11 {
            assert_eq!(attempt("a wrong password").await, 403);
        }
        let etag = test_env.get(&token, &path).await.header("etag").to_owned();
        let shown = test_env.get(&token, &throttling).await.json();
        assert_eq!((&shown["throttled"], &shown["failures"]), (&json!(true), &json!(10)), "{shown}");
        for (path, method) in [(&throttling, Method::GET), (&unlock, Method::POST)] {
            test_env.ask(&of_other, ask(method, path)).await.assert_problem(401, "invalid-token");
        }
        assert_eq!(attempt(PASSWORD).await, 403);
        let unlocked = step(&test_env, &token, &unlock).await;
        assert_eq!((unlocked.status, unlocked.header("etag")), (200, &*etag), "no row has changed");
        assert_eq!(test_env.get(&token, &throttling).await.json(), none);
        assert_eq!(attempt(PASSWORD).await, 200);
        assert_eq!(test_env.delete(&token, &path).await.status, 204);
    }
}

/// Each is the caller's own: a client's token of an account's tenant opens nothing here.
#[tokio::test]
async fn a_person_manages_no_account() {
    let test_env = TestEnv::start();
    let app = &test_env.app;
    for (tenant, _) in BOTH {
        let secret = add_web_client(app, tenant, |_| {});
        let token = test_env.token(tenant, STEWARD).await;
        let path = create(&test_env, &token, tenant).await;
        let (_, tokens) = sign_in(app, tenant, &secret).await;
        let own = tokens["access_token"].as_str().unwrap();
        assert_eq!(test_env.get(own, &path).await.status, 401);
        let form = [("grant_type", "password"), ("username", EMAIL), ("password", PASSWORD)];
        assert_eq!(app.post(&token_path(tenant), &form).await.status, 400);
    }
}
