//! Changes something between two steps of a sign-in: an account is suspended, deleted or gets
//! another password, or a client or tenant is suspended. The next step must then fail. At the other
//! tenant, without the change, it must succeed.

use crate::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    AccountSuspended,
    AccountDeleted,
    PasswordSet,
    ClientSuspended,
    TenantSuspended,
}

const CHANGES: [Change; 5] = [
    Change::AccountSuspended,
    Change::AccountDeleted,
    Change::PasswordSet,
    Change::ClientSuspended,
    Change::TenantSuspended,
];

/// The step after the change.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    SignIn,
    Consent,
    Redemption,
    /// Refreshing tokens that end with the session.
    Refresh,
    /// Refreshing tokens that outlive the session.
    OfflineRefresh,
    Userinfo,
    /// Another request of the client in the same session, with `prompt=none`.
    SilentRequest,
    /// The form of the device page, and the device's tokens.
    DeviceDecision,
    /// The tokens of a device that the person has already allowed.
    DevicePoll,
}

const STEPS: [Step; 9] = [
    Step::SignIn,
    Step::Consent,
    Step::Redemption,
    Step::Refresh,
    Step::OfflineRefresh,
    Step::Userinfo,
    Step::SilentRequest,
    Step::DeviceDecision,
    Step::DevicePoll,
];

/// The result of the previous steps, which the next step needs.
enum Left {
    Page(Answer),
    Code(String),
    Tokens(Value),
    Device(Value),
    DevicePage(Value, Answer),
    Session,
}

/// A person in the middle of a sign-in.
struct Person<'a> {
    app: &'a TestApp,
    tenant: &'static str,
    email: String,
    browser: Browser<'a>,
}

impl Person<'_> {
    async fn post(&mut self, path: &str, page: &Answer, fields: &[(&str, &str)]) -> Answer {
        self.browser.fill_in(&tenant_path(self.tenant, path), page, fields).await
    }

    async fn sign_in(&mut self, path: &str, page: &Answer) -> Answer {
        let email = self.email.clone();
        self.post(path, page, &[("identifier", &email), ("password", PASSWORD)]).await
    }

    async fn allow(&mut self, page: &Answer) -> Answer {
        self.post("/oauth/sign-in", page, &[("decision", "allow")]).await
    }

    async fn redeem(&self, code: &str) -> Answer {
        redeem_with(self.app, self.tenant, &[("code", code)]).await
    }

    /// Performs all steps before this one.
    async fn go_to(&mut self, step: Step) -> Left {
        if matches!(step, Step::DeviceDecision | Step::DevicePoll) {
            let begun = begin(self.app, self.tenant).await;
            let page = self.browser.get(&tenant_path(self.tenant, "/device")).await;
            let page = self.post("/device", &page, &[("user_code", text(&begun, "user_code"))]).await;
            let question = self.sign_in("/device", &page).await;
            question.assert_status(200);
            if step == Step::DevicePoll {
                self.post("/device", &question, &[("decision", "allow")]).await.assert_status(200);
                return Left::Device(begun);
            }
            return Left::DevicePage(begun, question);
        }
        let scope = if step == Step::OfflineRefresh { "openid offline_access" } else { "openid" };
        let page = self.browser.authorize(self.tenant, &[("scope", scope), ("prompt", "consent")]).await;
        if step == Step::SignIn {
            return Left::Page(page);
        }
        let question = self.sign_in("/oauth/sign-in", &page).await;
        assert!(question.body.contains("value=\"allow\""), "{}", question.body);
        if step == Step::Consent {
            return Left::Page(question);
        }
        let code = code_in(&self.allow(&question).await);
        if step == Step::Redemption {
            return Left::Code(code);
        }
        let tokens = self.redeem(&code).await.json_of(200);
        if step == Step::SilentRequest { Left::Session } else { Left::Tokens(tokens) }
    }

    /// Returns the response to the step, and whether the step succeeded.
    async fn goes_on(&mut self, step: Step, left: &Left) -> (Answer, bool) {
        let (app, tenant) = (self.app, self.tenant);
        let answer = match left {
            Left::Page(page) if step == Step::SignIn => self.sign_in("/oauth/sign-in", page).await,
            Left::Page(page) => self.allow(page).await,
            Left::Code(code) => self.redeem(code).await,
            Left::Tokens(it) if step == Step::Userinfo => {
                app.userinfo(tenant, text(it, "access_token")).await
            }
            Left::Tokens(it) => refresh_with(app, tenant, text(it, "refresh_token"), &[]).await,
            Left::Session => self.browser.authorize(tenant, &[("scope", "openid"), ("prompt", "none")]).await,
            Left::Device(begun) => poll(app, tenant, begun).await,
            Left::DevicePage(begun, page) => {
                let decided = self.browser.at_device(tenant, page, &[("decision", "allow")]).await;
                assert!(decided.status < 500, "{}", decided.body);
                poll(app, tenant, begun).await
            }
        };
        let given = match step {
            Step::SignIn => answer.body.contains("value=\"allow\""),
            Step::Consent => answer.body.contains("code="),
            Step::SilentRequest => answer.header("location").contains("code="),
            Step::Userinfo => answer.status == 200 && answer.json()["sub"].is_string(),
            _ => answer.status == 200 && answer.json()["access_token"].is_string(),
        };
        (answer, given)
    }
}

struct Operator<'a> {
    test_env: &'a TestEnv,
    token: String,
}

impl Operator<'_> {
    /// Returns the path of the account.
    async fn create(&self, tenant: &str, email: &str) -> String {
        let body = json!({ "email": email, "password": PASSWORD });
        let made = self.test_env.post(&self.token, &accounts_path(tenant), body).await;
        made.assert_status(201);
        made.header("location").to_owned()
    }

    async fn post(&self, path: &str) {
        self.test_env.step(&self.token, path).await.assert_status(200);
    }

    async fn apply(&self, change: Change, tenant: &str, account: &str) {
        match change {
            Change::AccountSuspended => self.post(&format!("{account}/suspend")).await,
            Change::AccountDeleted => self.test_env.delete(&self.token, account).await.assert_status(204),
            Change::PasswordSet => {
                let body = json!({ "password": "nine lanterns beside the river" });
                self.test_env
                    .post(&self.token, &format!("{account}/password"), body)
                    .await
                    .assert_status(200);
            }
            Change::ClientSuspended => self.post(&format!("{}/web/suspend", clients_path(tenant))).await,
            Change::TenantSuspended => self.post(&format!("{TENANTS}/{tenant}/suspend")).await,
        }
    }

    /// Resumes the client or tenant.
    async fn undo(&self, change: Change, tenant: &str) {
        let app = &self.test_env.app;
        match change {
            Change::ClientSuspended => {
                app.passing(self.post(&format!("{}/web/resume", clients_path(tenant)))).await;
            }
            Change::TenantSuspended => app.passing(self.post(&format!("{TENANTS}/{tenant}/resume"))).await,
            Change::AccountSuspended | Change::AccountDeleted | Change::PasswordSet => {}
        }
        // Only a few device codes may wait, so the clock passes their expiry. After a revocation,
        // new tokens are valid from the next second on.
        app.pass(60);
    }
}

/// The expected status, and the error code if there is one.
fn refusal(step: Step, change: Change) -> (u16, &'static str) {
    match (step, change) {
        (_, Change::TenantSuspended) => (404, ""),
        // The page asks for the account again.
        (Step::SignIn, Change::ClientSuspended) | (Step::Consent, Change::ClientSuspended) => (400, ""),
        (Step::SignIn, _) => (403, ""),
        (Step::Consent, _) => (200, "type=\"password\""),
        (Step::SilentRequest, Change::ClientSuspended) => (400, ""),
        (Step::SilentRequest, _) => (303, "login_required"),
        (Step::Userinfo, _) => (401, "invalid_token"),
        (_, Change::ClientSuspended) => (401, "invalid_client"),
        (Step::DeviceDecision, _) => (400, "authorization_pending"),
        (Step::Redemption | Step::Refresh | Step::OfflineRefresh | Step::DevicePoll, _) => {
            (400, "invalid_grant")
        }
    }
}

// [attacks #38]: An account, a client or a tenant that ends in the middle of a sign-in | Five changes before
//   each of nine steps: the step gives nothing, and at the other tenant it works
#[tokio::test]
async fn change_between_two_steps_stops_the_sign_in() {
    let test_env = TestEnv::start();
    let app = &test_env.app;
    for tenant in [ACME, GLOBEX] {
        add_web_client(app, tenant, |client| {
            public(client);
            client.grant_types.extend([GrantType::RefreshToken, GrantType::DeviceCode]);
            client.scope = fixtures::scope("openid profile offline_access");
            client.code_flow.first_party = false;
        });
    }
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        for step in STEPS {
            for change in CHANGES {
                let operator = Operator { test_env: &test_env, token: test_env.token(PLATFORM, OPS).await };
                let email = format!("{tenant}-{step:?}-{change:?}@example.com").to_lowercase();
                let mut here = Person { app, tenant, email, browser: Browser::new(app) };
                let mut there =
                    Person { tenant: other, email: here.email.clone(), browser: Browser::new(app), ..here };
                let account = operator.create(tenant, &here.email).await;
                operator.create(other, &there.email).await;
                let left = [here.go_to(step).await, there.go_to(step).await];

                operator.apply(change, tenant, &account).await;
                let what = format!("{step:?} after {change:?} at {tenant}");
                let (answer, is_given) = here.goes_on(step, &left[0]).await;
                assert!(!is_given, "{what}: {} {}", answer.status, answer.body);
                let (status, says) = refusal(step, change);
                let said = format!("{} {}", answer.header("location"), answer.body);
                assert!(answer.status == status && said.contains(says), "{what}: {} {said}", answer.status);
                let (answer, is_given) = there.goes_on(step, &left[1]).await;
                assert!(is_given, "{what}, not at {other}: {} {}", answer.status, answer.body);
                operator.undo(change, tenant).await;
            }
        }
    }
}
