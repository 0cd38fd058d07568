//! The cost of a sign-in at two tenants: one argon2id hash for each attempted password, whatever
//! the result, and none for anything else.

use crate::prelude::*;

const UNKNOWN: &str = "eve@example.com";
const WRONG: &str = "another long password";

/// Hashes, reads of accounts by name, and reads and writes of sessions, codes, consents and devices
/// since the last call.
struct Costs<'a> {
    app: &'a TestApp,
    before: [u64; 3],
}

impl<'a> Costs<'a> {
    fn from_app(app: &'a TestApp) -> Self {
        Self { app, before: Self::now(app) }
    }

    fn now(app: &TestApp) -> [u64; 3] {
        let calls = app.store.calls();
        let written = [calls.replace_password, calls.record_use, calls.administration, calls.revoke_token];
        [app.pool.hashes_computed(), calls.find_by_identifier, calls.sign_ins + written.iter().sum::<u64>()]
    }

    #[track_caller]
    fn assert(&mut self, expected: [u64; 3], what: &str) {
        let now = Self::now(self.app);
        let found = [0, 1, 2].map(|at| now[at] - self.before[at]);
        assert_eq!(found, expected, "{what}: hashes, reads of accounts, reads and writes of sign-ins");
        self.before = now;
    }
}

fn prepare(app: &TestApp, tenant: &str) {
    furnish(app, tenant, |client| {
        public(client);
        client.grant_types.extend([GrantType::RefreshToken, GrantType::DeviceCode]);
        client.scope = fixtures::scope("openid profile");
    });
}

#[tokio::test]
async fn sign_in_costs_one_hash_one_read_one_write() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        prepare(&app, tenant);
        let mut browser = Browser::new(&app);
        let mut costs = Costs::from_app(&app);
        let page = browser.authorize(tenant, &[]).await;
        costs.assert([0, 0, 0], "the page");
        let done = browser.sign_in(tenant, &page, PASSWORD).await;
        costs.assert([1, 1, 1], "the right password: session and code in one transaction");
        let code = code_in(&done);
        let tokens = redeem_with(&app, tenant, &[("code", &code)]).await.json();
        costs.assert([0, 0, 1], "the redemption");
        let [access, refresh, id] = ["access_token", "refresh_token", "id_token"].map(|it| text(&tokens, it));
        assert_eq!(app.userinfo(tenant, access).await.status, 200);
        costs.assert([0, 0, 0], "userinfo");
        assert_eq!(refresh_with(&app, tenant, refresh, &[]).await.status, 200);
        costs.assert([0, 0, 1], "a refresh");
        assert_eq!(browser.authorize(tenant, &[]).await.status, 303);
        costs.assert([0, 0, 2], "a request in the session: it is read, and the code written");
        let out = tenant_path(tenant, &format!("/oauth/logout?id_token_hint={id}"));
        assert_eq!(browser.get(&out).await.status, 200);
        costs.assert([0, 0, 2], "the end of the session: it is read, and ended");
    }
}

// [attacks #17]
#[tokio::test]
async fn refused_password_costs_one_hash_and_writes_nothing() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        prepare(&app, tenant);
        let begun = begin(&app, tenant).await;
        for path in ["/oauth/sign-in", "/device", "/account"] {
            let mut browser = Browser::new(&app);
            let mut page = match path {
                "/oauth/sign-in" => browser.authorize(tenant, &[]).await,
                _ => browser.get(&tenant_path(tenant, path)).await,
            };
            let mut costs = Costs::from_app(&app);
            // The device's code is read with each form.
            let device = u64::from(path == "/device");
            if path == "/device" {
                let typed = [("user_code", begun["user_code"].as_str().unwrap())];
                page = browser.at_device(tenant, &page, &typed).await;
                costs.assert([0, 0, 1], "the code of a device");
            }
            for (what, typed, reads) in [
                ("the wrong password", (EMAIL, WRONG), 1),
                ("an unknown account", (UNKNOWN, PASSWORD), 1),
                ("no identifier", ("not an identifier", PASSWORD), 0),
                ("no password", (EMAIL, ""), 1),
                ("a password that is too long", (EMAIL, &"x".repeat(5_000)), 1),
            ] {
                let refused = browser.sign_in_at(&tenant_path(tenant, path), &page, typed).await;
                assert_eq!(refused.status, 403, "{path}: {what}: {}", refused.body);
                costs.assert([1, reads, device], &format!("{path}: {what}"));
            }
            let right = browser.sign_in_at(&tenant_path(tenant, path), &page, (EMAIL, PASSWORD)).await;
            assert!(matches!(right.status, 200 | 303), "{path}: {}", right.body);
            costs.assert([1, 1, 1 + device], &format!("{path}: the right password"));
        }
    }
}

#[tokio::test]
async fn device_sign_in_costs_one_hash() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        prepare(&app, tenant);
        let mut browser = Browser::new(&app);
        let mut costs = Costs::from_app(&app);
        let begun = begin(&app, tenant).await;
        costs.assert([0, 0, 1], "the codes");
        let page = browser.get(&tenant_path(tenant, "/device")).await;
        costs.assert([0, 0, 0], "the page");
        let typed = [("user_code", begun["user_code"].as_str().unwrap())];
        let page = browser.at_device(tenant, &page, &typed).await;
        costs.assert([0, 0, 1], "the code that the person types");
        let question = browser.sign_in_at(&tenant_path(tenant, "/device"), &page, (EMAIL, PASSWORD)).await;
        costs.assert([1, 1, 2], "the right password: the code is read, and the session written");
        browser.at_device(tenant, &question, &[("decision", "allow")]).await.assert_status(200);
        costs.assert([0, 0, 3], "the decision: code and session are read, and it is written");
        poll(&app, tenant, &begun).await.assert_status(200);
        assert_eq!(app.pool.hashes_computed(), costs.before[0], "the tokens");
    }
}

/// Pages that anyone can open.
#[tokio::test]
async fn opening_a_page_costs_no_hash_or_read() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        prepare(&app, tenant);
        let mut costs = Costs::from_app(&app);
        for path in ["/device", "/device?user_code=BCDF-GHJK", "/account", "/oauth/logout"] {
            let page = Browser::new(&app).get(&tenant_path(tenant, path)).await;
            assert_eq!(page.status, 200, "{path}: {}", page.body);
            costs.assert([0, 0, 0], path);
        }
        for more in [&[] as &[(&str, &str)], &[("prompt", "none")], &[("client_id", "nobody")]] {
            Browser::new(&app).authorize(tenant, more).await;
            costs.assert([0, 0, 0], &format!("{more:?}"));
        }
    }
}
