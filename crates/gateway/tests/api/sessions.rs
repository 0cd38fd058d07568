//! How long people stay signed in, by the policy of their tenant.

use reqwest::header::SET_COOKIE;

use crate::prelude::*;

const DAY: u64 = 86_400;
const STAY: &str = "name=\"remember\"";

/// Both tenants have Ada and a client. The first one has this change.
fn two_tenants(change: impl FnOnce(&mut Tenant)) -> TestApp {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        furnish(&app, tenant, |_| ());
    }
    change_tenant(&app, change);
    app
}

fn change_tenant(app: &TestApp, change: impl FnOnce(&mut Tenant)) {
    app.change_provider(ACME, change);
}

/// Ada signs in with this additional field. Returns the `Set-Cookie` of the session.
async fn sign_in(browser: &mut Browser<'_>, tenant: &str, remember: &str) -> String {
    let page = browser.authorize(tenant, &[]).await;
    let fields = [("identifier", EMAIL), ("password", PASSWORD), ("remember", remember)];
    let done = browser.fill_in(&tenant_path(tenant, "/oauth/sign-in"), &page, &fields).await;
    done.assert_status(200);
    session_cookies(&done, tenant).remove(0)
}

/// The session cookies that a response sets.
fn session_cookies(answer: &Answer, tenant: &str) -> Vec<String> {
    let lines = answer.headers.get_all(SET_COOKIE).iter().map(|line| line.to_str().unwrap().to_owned());
    lines.filter(|line| line.starts_with(&format!("lk-s.{tenant}="))).collect()
}

async fn is_signed_in(browser: &mut Browser<'_>, tenant: &str) -> bool {
    let answer = browser.authorize(tenant, &[]).await;
    assert!(matches!(answer.status, 200 | 303), "{}", answer.body);
    answer.status == 303
}

fn seconds(count: u64) -> Lifetime {
    Lifetime::from_seconds(count)
}

// [V7 7.3.1]: 2 | A session ends when it is not used, as the documents say | 8 h, or as the tenant says. One
//   that is to stay (`remember`) ends by its age alone, as documented
#[tokio::test]
async fn tenant_sets_the_idle_lifetime_of_sessions() {
    let app = two_tenants(|acme| acme.sign_in.session.idle = seconds(1));
    let mut browser = Browser::new(&app);
    for tenant in [ACME, GLOBEX] {
        let cookie = sign_in(&mut browser, tenant, "").await;
        assert!(!cookie.contains("Max-Age"), "{cookie}");
        assert!(is_signed_in(&mut browser, tenant).await);
    }
    app.pass(1);
    assert!(is_signed_in(&mut browser, ACME).await, "each use lets it last");
    app.pass(2);
    assert!(!is_signed_in(&mut browser, ACME).await);
    assert!(is_signed_in(&mut browser, GLOBEX).await);
    // The time of the last use is recorded with some tolerance.
    app.pass(7 * 3_600);
    assert!(is_signed_in(&mut browser, GLOBEX).await);
    app.pass(8 * 3_600);
    assert!(is_signed_in(&mut browser, GLOBEX).await);
    app.pass(8 * 3_600 + 1);
    assert!(!is_signed_in(&mut browser, GLOBEX).await);
}

// [V7 7.3.2]: 2 | A session ends at a greatest age, as the documents say | 24 h or 30 days, or as the tenant
//   says
#[tokio::test]
async fn sessions_are_remembered_only_if_the_tenant_allows() {
    let app = two_tenants(|acme| acme.sign_in.session.remember = seconds(0));
    let mut browser = Browser::new(&app);
    for (tenant, offers) in [(ACME, false), (GLOBEX, true)] {
        let page = browser.authorize(tenant, &[]).await;
        assert_eq!(page.body.contains(STAY), offers, "{}", page.body);
        let cookie = sign_in(&mut browser, tenant, "yes").await;
        assert_eq!(cookie.contains("; Max-Age=2592000"), offers, "{cookie}");
        assert_eq!(cookie.contains("Max-Age"), offers, "{cookie}");
    }
    app.pass(DAY);
    assert!(!is_signed_in(&mut browser, ACME).await, "a form can ask for what is not offered");
    app.pass(28 * DAY);
    assert!(is_signed_in(&mut browser, GLOBEX).await);
    app.pass(DAY - 1);
    assert!(is_signed_in(&mut browser, GLOBEX).await);
    app.pass(1);
    assert!(!is_signed_in(&mut browser, GLOBEX).await, "it ends after 30 days, with a use just before");
}

#[tokio::test]
async fn signing_in_without_remember_ends_the_remembered_session() {
    let app = two_tenants(|_| ());
    for tenant in [ACME, GLOBEX] {
        let mut browser = Browser::new(&app);
        assert!(sign_in(&mut browser, tenant, "yes").await.contains("Max-Age=2592000"));
        let page = browser.authorize(tenant, &[("prompt", "login")]).await;
        assert!(page.body.contains(STAY), "{}", page.body);
        let cookies = session_cookies(&browser.sign_in(tenant, &page, PASSWORD).await, tenant);
        assert!(cookies.iter().all(|line| !line.contains("Max-Age")), "{cookies:?}");
        app.pass(9 * 3_600);
        assert!(!is_signed_in(&mut browser, tenant).await);
    }
}

/// The sessions in the admin API.
async fn seen(test_env: &TestEnv, tenant: &str, account: &str) -> Vec<Value> {
    let token = test_env.token(tenant, STEWARD).await;
    let listed = test_env.get(&token, &format!("{}/{account}/sessions", accounts_path(tenant))).await;
    listed.json()["items"].as_array().unwrap().clone()
}

// [V7 7.3.2]
#[tokio::test]
async fn stricter_policy_applies_to_existing_sessions() {
    let test_env = TestEnv::start();
    let app = &test_env.app;
    let mut browser = Browser::new(app);
    let people = [ACME, GLOBEX].map(|tenant| {
        add_web_client(app, tenant, |_| ());
        (tenant, add_person(app, tenant).id.to_string())
    });
    for (tenant, account) in &people {
        sign_in(&mut browser, tenant, "yes").await;
        let session = &seen(&test_env, tenant, account).await[0];
        assert_eq!(session["remembered"], true);
    }
    app.pass(DAY + 1);
    change_tenant(app, |acme| acme.sign_in.session.remember = seconds(0));
    for ((tenant, account), lives) in people.iter().zip([false, true]) {
        assert_eq!(is_signed_in(&mut browser, tenant).await, lives, "{tenant}");
        assert_eq!(seen(&test_env, tenant, account).await.len(), usize::from(lives));
    }
}

#[tokio::test]
async fn administrators_set_session_lifetimes() {
    let (test_env, ops) = TestEnv::with_ops().await;
    let default = json!({ "idle": 28_800, "absolute": 86_400, "remember": 2_592_000 });
    let tenants = "/api/v1/admin/tenants";
    for id in ["initech", "umbrella"] {
        let created = test_env.post(&ops, tenants, json!({ "id": id })).await;
        assert_eq!(created.json()["sign_in"]["session"], default, "{}", created.body);
    }
    for (id, other) in [("initech", "umbrella"), ("umbrella", "initech")] {
        let path = format!("{tenants}/{id}");
        let of = |session: Value| json!({ "sign_in": { "session": session } });
        test_env.patch(&ops, &path, of(json!({ "idle": "1h", "remember": 0 }))).await.assert_status(200);
        let expected = json!({ "idle": 3_600, "absolute": 86_400, "remember": 0 });
        let refused = test_env.patch(&ops, &path, of(json!({ "idle": "25h" }))).await;
        refused.assert_faulty(&["/sign_in/session/idle"]);
        assert_eq!(test_env.get(&ops, &path).await.json()["sign_in"]["session"], expected);
        let others = test_env.get(&ops, &format!("{tenants}/{other}")).await.json();
        assert_eq!(others["sign_in"]["session"], default);
        test_env.patch(&ops, &path, of(Value::Null)).await;
        assert_eq!(test_env.get(&ops, &path).await.json()["sign_in"]["session"], default);
    }
}
