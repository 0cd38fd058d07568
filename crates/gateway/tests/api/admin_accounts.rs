//! `/api/v1/tenant/{id}/accounts…`: an account from creation to deletion, changed by administrators
//! of the tenant and of the platform, and the effects on its owner.

use crate::prelude::*;

const OTHER_PASSWORD: &str = "nine lanterns beside the river";
/// Ada's account, the token of her tenant's account manager, and the secret of a client that she
/// signs in to.
struct Ada<'a> {
    test_env: &'a TestEnv,
    tenant: &'static str,
    token: String,
    path: String,
    secret: String,
}

impl<'a> Ada<'a> {
    async fn create(test_env: &'a TestEnv, tenant: &'static str) -> Self {
        let secret = add_web_client(&test_env.app, tenant, |_| {});
        let token = test_env.token(tenant, STEWARD).await;
        let body = json!({ "email": EMAIL, "password": PASSWORD, "claims": { "name": "Ada" } });
        let made = test_env.post(&token, &accounts_path(tenant), body).await;
        made.assert_status(201);
        Self { test_env, tenant, token, path: made.header("location").to_owned(), secret }
    }

    async fn get(&self, below: &str) -> Answer {
        self.test_env.get(&self.token, &format!("{}{below}", self.path)).await
    }

    async fn patch(&self, patch: Value) -> Answer {
        self.test_env.patch(&self.token, &self.path, patch).await
    }

    async fn delete(&self, below: &str) -> Answer {
        self.test_env.delete(&self.token, &format!("{}{below}", self.path)).await
    }

    /// Returns the account after the step.
    async fn step(&self, verb: &str) -> Answer {
        self.test_env.step(&self.token, &format!("{}/{verb}", self.path)).await
    }

    async fn set_password(&self, body: Value) -> Answer {
        self.test_env.post(&self.token, &format!("{}/password", self.path), body).await
    }

    /// Ada signs in with a new browser. Returns the browser and her tokens.
    async fn sign_in(&self) -> (Browser<'a>, Value) {
        let mut browser = Browser::new(&self.test_env.app);
        let tokens = browser.tokens(self.tenant, &self.secret, &[]).await;
        (browser, tokens)
    }

    /// Returns the status.
    async fn attempt(&self, browser: &mut Browser<'_>, password: &str) -> u16 {
        let page = browser.authorize(self.tenant, &[("prompt", "login")]).await;
        browser.sign_in(self.tenant, &page, password).await.status
    }

    async fn userinfo(&self, tokens: &Value) -> u16 {
        self.test_env.app.userinfo(self.tenant, text(tokens, "access_token")).await.status
    }
}

#[tokio::test]
async fn created_account_belongs_to_one_tenant() {
    let test_env = TestEnv::start();
    for (tenant, other) in BOTH {
        for (at, email) in [(tenant, "ada@example.com"), (PLATFORM, "bob@example.com")] {
            let token = test_env.token(at, STEWARD).await;
            let body = json!({ "email": email, "password": PASSWORD });
            let made = test_env.post(&token, &accounts_path(tenant), body).await;
            made.assert_not_stored();
            let account = made.json_of(201);
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
async fn identifier_and_external_id_belong_to_one_account() {
    let test_env = TestEnv::start();
    for (tenant, token) in test_env.of_each(STEWARD).await {
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
        let both = "identifier=bob@example.com&external_id=7";
        for none in ["identifier=eve", "external_id=8", "identifier=a%20b", both] {
            let page = test_env.get(&token, &format!("{path}?{none}")).await.json();
            assert_eq!(page["items"], json!([]), "{none}");
        }
    }
}

// [passwords §3.1.1.2], [V6 6.2.1], [V6 6.2.11]
#[tokio::test]
async fn weak_password_is_refused_with_the_reason() {
    for (tenant, other) in BOTH {
        let test_env = TestEnv::start();
        let ada = Ada::create(&test_env, tenant).await;
        let platform = test_env.token(PLATFORM, STEWARD).await;
        for (password, why) in [
            ("short", "15 characters"),
            ("passwordpassword", "easy to guess"),
            ("ada@example.com", "easy to guess"),
            ("a line\u{7f}feed in it", "control characters"),
        ] {
            let body = json!({ "email": "ada@example.com", "username": "ada", "password": password });
            let created = test_env.post(&platform, &accounts_path(other), body).await;
            let set = ada.set_password(json!({ "password": password })).await;
            for refused in [created, set] {
                refused.assert_faulty(&["/password"]);
                assert!(refused.body.contains(why) && !refused.body.contains(password), "{}", refused.body);
            }
        }
        ada.set_password(json!({})).await.assert_faulty(&["/password"]);
        let page = test_env.get(&platform, &accounts_path(other)).await.json();
        assert_eq!(page["items"], json!([]), "nothing was created");
    }
}

#[tokio::test]
async fn account_patch_changes_only_what_it_names() {
    let test_env = TestEnv::start();
    for (tenant, _) in BOTH {
        let ada = Ada::create(&test_env, tenant).await;
        let patch = json!({ "groups": ["staff"], "email_verified": true, "claims": { "locale": "en-GB" } });
        let patched = ada.patch(patch).await.json();
        assert_eq!(patched["claims"], json!({ "name": "Ada", "locale": "en-GB" }));
        assert_eq!((&patched["groups"], &patched["email_verified"]), (&json!(["staff"]), &json!(true)));
        assert_eq!(ada.get("").await.json(), patched);
        for (patch, pointer) in [
            (json!({ "email": null, "email_verified": null }), ""),
            (json!({ "email": "ada" }), "/email"),
            (json!({ "claims": { "picture": "ada.png" } }), "/claims/picture"),
            (json!({ "password": "seven clouds above the harbour" }), "/password"),
        ] {
            ada.patch(patch).await.assert_faulty(&[pointer]);
        }
    }
}

// [V7 7.4.2]: 1 | All sessions end with the account | Suspended, deleted, or declared no more
// [V6 6.5.6]
#[tokio::test]
async fn suspension_signs_a_person_out_until_resumed() {
    let test_env = TestEnv::start();
    for (tenant, other) in BOTH {
        let (ada, theirs) = (Ada::create(&test_env, tenant).await, Ada::create(&test_env, other).await);
        let (mut browser, tokens) = ada.sign_in().await;
        let (mut unharmed, unharmed_tokens) = theirs.sign_in().await;
        assert!(browser.is_signed_in(tenant).await);
        assert_eq!(ada.userinfo(&tokens).await, 200);

        assert_eq!(ada.step("suspend").await.json_of(200)["status"], "suspended");
        assert!(!browser.is_signed_in(tenant).await);
        assert_eq!(ada.userinfo(&tokens).await, 401);
        browser.signed_in(tenant, &[]).await.assert_status(403);

        assert_eq!(ada.step("resume").await.json_of(200)["status"], "active");
        assert!(!browser.is_signed_in(tenant).await, "the session of before stays ended");
        assert_eq!(ada.userinfo(&tokens).await, 401);
        test_env.app.pass(2);
        ada.sign_in().await;

        assert!(unharmed.is_signed_in(other).await);
        assert_eq!(theirs.userinfo(&unharmed_tokens).await, 200);
        for account in [ada, theirs] {
            account.delete("").await.assert_status(204);
        }
    }
}

// [attacks #35]: An administrator who acts as a person | not met | No operation signs in for a person, and a
//   new password ends the sessions and is in the audit. But its administrator knows the password until the
//   person changes it, which the page of the account offers and nothing demands. A person with a verified
//   address is told by mail
// [V6 6.5.6]: 3 | A factor that was lost or stolen is revoked | The one factor: an administrator sets another
//   password, or suspends the account. Either ends its sessions
// [V7 7.4.3]: 2 | After a change of a factor all other sessions can be ended | A new password ends all of
//   them
#[tokio::test]
async fn new_password_ends_earlier_sessions() {
    let test_env = TestEnv::start();
    for (tenant, _) in BOTH {
        let ada = Ada::create(&test_env, tenant).await;
        let (mut browser, _) = ada.sign_in().await;
        let set = ada.set_password(json!({ "password": OTHER_PASSWORD })).await;
        set.assert_status(200);
        assert!(!set.body.contains(OTHER_PASSWORD));
        assert!(!browser.is_signed_in(tenant).await);
        test_env.app.pass(2);
        browser.signed_in(tenant, &[]).await.assert_status(403);
        let page = browser.authorize(tenant, &[]).await;
        code_in(&browser.sign_in(tenant, &page, OTHER_PASSWORD).await);
    }
}

// [V7 7.4.5]: 2 | Administrators end sessions of one user or of all | Of one person, one session or all.
//   There is no one command for all people of a tenant
#[tokio::test]
async fn one_session_or_all_sessions_can_be_ended() {
    let test_env = TestEnv::start();
    for (tenant, other) in BOTH {
        let ada = Ada::create(&test_env, tenant).await;
        let (mut first, _) = ada.sign_in().await;
        test_env.app.pass(1);
        let (mut second, tokens) = ada.sign_in().await;
        let listed = ada.get("/sessions").await;
        for (name, value) in first.cookies.iter().chain(&second.cookies) {
            assert!(!listed.body.contains(value), "{name}");
        }
        let listed = listed.json();
        let [id, _] = column(&listed, "session_id")[..] else { panic!("{listed}") };
        assert!(part(text(&tokens, "id_token"), 1).contains(id), "those first that were used last");

        // Administrators of the other tenant have no access. Administrators of the platform do not
        // find the session at the other tenant.
        let platform = test_env.token(PLATFORM, STEWARD).await;
        let elsewhere = format!("{}/sessions/{id}", ada.path).replace(tenant, other);
        test_env.delete(&platform, &elsewhere).await.assert_problem(404, "not-found");
        assert!(second.is_signed_in(tenant).await);

        let one = format!("/sessions/{id}");
        ada.delete(&one).await.assert_status(204);
        assert!(!second.is_signed_in(tenant).await && first.is_signed_in(tenant).await);
        ada.delete(&one).await.assert_problem(404, "not-found");

        ada.delete("/sessions").await.assert_status(204);
        assert!(!first.is_signed_in(tenant).await);
        assert_eq!(ada.get("/sessions").await.json()["items"], json!([]));
        assert_eq!(ada.userinfo(&tokens).await, 401);
    }
}

#[tokio::test]
async fn person_is_asked_again_after_consent_is_revoked() {
    let test_env = TestEnv::start();
    let app = &test_env.app;
    for (tenant, _) in BOTH {
        let ada = Ada::create(&test_env, tenant).await;
        let secret = add_web_client(app, tenant, |client| client.code_flow.first_party = false);
        assert_eq!(ada.get("/consents").await.json()["items"], json!([]));
        let mut browser = Browser::new(app);
        let asked = browser.signed_in(tenant, &[]).await;
        let code = code_in(&browser.decide(tenant, &asked, "allow").await);
        assert_eq!(ada.get("/consents").await.json()["items"][0]["client_id"], "web");
        assert!(browser.is_signed_in(tenant).await, "what is allowed is not asked again");

        ada.delete("/consents/web").await.assert_status(204);
        ada.delete("/consents/web").await.assert_problem(404, "not-found");
        assert_eq!(browser.silent_error(tenant, &[]).await, "login_required");
        // The code was issued before the change.
        redeem(app, tenant, &secret, &code).await.assert_error(400, "invalid_grant");
    }
}

#[tokio::test]
async fn deleted_account_releases_its_names_not_its_id() {
    let test_env = TestEnv::start();
    for (tenant, _) in BOTH {
        let ada = Ada::create(&test_env, tenant).await;
        ada.delete("").await.assert_status(204);
        for gone in ["", "/sessions", "/consents"] {
            ada.get(gone).await.assert_problem(404, "not-found");
        }
        ada.step("resume").await.assert_problem(404, "not-found");
        assert_ne!(Ada::create(&test_env, tenant).await.path, ada.path);
    }
}

// [attacks #35]
#[tokio::test]
async fn audit_of_an_account_has_no_personal_data() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for (tenant, _) in BOTH {
        let ada = Ada::create(&test_env, tenant).await;
        ada.patch(json!({ "claims": { "family_name": "Lovelace" } })).await;
        ada.set_password(json!({ "password": OTHER_PASSWORD })).await;
        ada.delete("/sessions").await;
        ada.delete("").await;
        let audit = test_env.get(&ops, &tenant_path(tenant, "/audit")).await;
        let records = audit.json();
        let actions = column(&records, "action").into_iter().rev();
        let actions: Vec<_> = actions.map(|action| action.strip_prefix("account.").unwrap()).collect();
        assert_eq!(actions.join(" "), "added password_set changed password_set signed_out deleted");
        for personal in [EMAIL, "Lovelace", PASSWORD, OTHER_PASSWORD] {
            assert!(!audit.body.contains(personal), "{personal}");
        }
    }
}

// [passwords §3.2.2], [V6 6.3.1]
#[tokio::test]
async fn known_browser_signs_in_to_a_throttled_account() {
    let test_env = TestEnv::start();
    let app = &test_env.app;
    for (tenant, other) in BOTH {
        let (ada, theirs) = (Ada::create(&test_env, tenant).await, Ada::create(&test_env, other).await);
        let (mut usual, _) = ada.sign_in().await;
        let mut stranger = Browser::new(app);
        for _ in 0..10 {
            assert_eq!(ada.attempt(&mut stranger, "a wrong password").await, 403);
        }
        assert_eq!(ada.attempt(&mut stranger, PASSWORD).await, 403, "the account's attempts are used up");
        assert_eq!(ada.attempt(&mut usual, PASSWORD).await, 200);
        // A browser is known only to the account that signed in with it.
        let mut elsewhere_known = Browser::new(app);
        assert_eq!(theirs.attempt(&mut elsewhere_known, PASSWORD).await, 200);
        assert_eq!(ada.attempt(&mut elsewhere_known, PASSWORD).await, 403);

        assert_eq!(ada.attempt(&mut stranger, PASSWORD).await, 403);
        ada.set_password(json!({ "password": OTHER_PASSWORD })).await.assert_status(200);
        assert_eq!(ada.attempt(&mut stranger, OTHER_PASSWORD).await, 200);
        for account in [ada, theirs] {
            account.delete("").await.assert_status(204);
        }
    }
}

// [shared 2.7]
#[tokio::test]
async fn throttling_is_shown_and_ends_with_unlock() {
    let test_env = TestEnv::start();
    for (tenant, other) in BOTH {
        let ada = Ada::create(&test_env, tenant).await;
        let of_other = test_env.token(other, STEWARD).await;
        let mut stranger = Browser::new(&test_env.app);
        let none = json!({ "throttled": false, "since": null, "until": null, "failures": 0 });
        assert_eq!(ada.get("/throttling").await.json(), none);
        for _ in 0..11 {
            assert_eq!(ada.attempt(&mut stranger, "a wrong password").await, 403);
        }
        let etag = ada.get("").await.header("etag").to_owned();
        let shown = ada.get("/throttling").await.json();
        assert_eq!((&shown["throttled"], &shown["failures"]), (&json!(true), &json!(10)), "{shown}");
        for (method, verb) in [(Method::GET, "throttling"), (Method::POST, "unlock")] {
            let path = format!("{}/{verb}", ada.path);
            test_env.ask(&of_other, ask(method, &path)).await.assert_problem(401, "invalid-token");
        }
        assert_eq!(ada.attempt(&mut stranger, PASSWORD).await, 403);
        let unlocked = ada.step("unlock").await;
        assert_eq!((unlocked.status, unlocked.header("etag")), (200, &*etag), "no row has changed");
        assert_eq!(ada.get("/throttling").await.json(), none);
        assert_eq!(ada.attempt(&mut stranger, PASSWORD).await, 200);
        ada.delete("").await.assert_status(204);
    }
}

// [rfc9700 §4.15], [V6 6.3.4]
/// A client's token is refused at the account page: only the account's owner can use it.
#[tokio::test]
async fn person_token_manages_no_account() {
    let test_env = TestEnv::start();
    for (tenant, _) in BOTH {
        let ada = Ada::create(&test_env, tenant).await;
        let (_, tokens) = ada.sign_in().await;
        test_env.get(text(&tokens, "access_token"), &ada.path).await.assert_status(401);
        let form = [("grant_type", "password"), ("username", EMAIL), ("password", PASSWORD)];
        test_env.app.post(&token_path(tenant), &form).await.assert_status(400);
    }
}
