//! One browser at many tenants of a host: its cookies stay short, and ending a session at one
//! tenant does not affect the others.

use crate::prelude::*;

const TENANTS: usize = 40;
/// The longest header that common servers accept. (RFC 6265 §6.1 requires browsers to store 20
/// cookies of 4 KiB; this server accepts heads of 32 KiB.)
const LONGEST: usize = 8 * 1_024;

// [attacks #33]: Cookies of so many tenants that requests become too long | 16 sessions a browser, the oldest
//   go; forty tenants with the longest names
#[tokio::test]
async fn cookies_of_forty_tenants_stay_short() {
    let app = TestApp::start();
    // Each name has the maximum length.
    let tenants: Vec<String> = (0..TENANTS).map(|at| format!("{}-{at:02}", "t".repeat(60))).collect();
    let mut browser = Browser::new(&app);
    for tenant in &tenants {
        app.store.put_tenant(fixtures::tenant(tenant));
        furnish(&app, tenant, |_| ());
        browser.code(tenant, &[]).await;
        let length: usize = browser.cookies.iter().map(|(name, value)| name.len() + value.len() + 3).sum();
        let sessions = browser.cookies.keys().filter(|name| name.starts_with("lk-s.")).count();
        // Over https the names have a prefix.
        let length = length + browser.cookies.len() * "__Host-Http-".len();
        assert!(sessions <= 16 && length < LONGEST, "{length}");
        assert!(browser.is_signed_in(tenant).await);
        // The sessions differ in age, so that the oldest ones are deleted.
        app.pass(3_600);
    }
    let kept: Vec<_> = browser.cookies.keys().filter_map(|name| name.strip_prefix("lk-s.")).collect();
    assert_eq!(kept.len(), 16);
    // A person whose session cookie was deleted to make room has to sign in again.
    let gone = tenants.iter().find(|tenant| !kept.contains(&tenant.as_str())).unwrap();
    assert!(!browser.is_signed_in(gone).await);
    browser.code(gone, &[]).await;
    assert!(browser.is_signed_in(gone).await);
}

const ENDS: [&str; 6] = ["hint", "question", "account", "everywhere", "administrator", "password"];

// [attacks #31]: A sign-out that reaches the other tenants of the host | No answer has `Clear-Site-Data`; six
//   ways to end a session leave that of the other tenant
#[tokio::test]
async fn sign_out_leaves_the_other_tenants_session() {
    let test_env = TestEnv::start();
    let app = &test_env.app;
    let operator = test_env.token(PLATFORM, OPS).await;
    let mut people = Vec::new();
    for tenant in [ACME, GLOBEX] {
        let secret = add_web_client(app, tenant, |_| ());
        let body = json!({ "email": EMAIL, "password": PASSWORD });
        let made = test_env.post(&operator, &accounts_path(tenant), body).await;
        assert_eq!(made.status, 201, "{}", made.body);
        people.push((tenant, made.header("location").to_owned(), secret));
    }
    for at in [0, 1] {
        let ((tenant, own, secret), (other, ..)) = (&people[at], &people[1 - at]);
        for way in ENDS {
            let mut browser = Browser::new(app);
            let code = browser.code(tenant, &[]).await;
            browser.code(other, &[]).await;
            let tokens = redeem(app, tenant, secret, &code).await.json();
            let (logout, account) = (tenant_path(tenant, "/oauth/logout"), tenant_path(tenant, "/account"));
            let answer = match way {
                "hint" => {
                    let hint = tokens["id_token"].as_str().unwrap();
                    browser.get(&format!("{logout}?id_token_hint={hint}")).await
                }
                "question" | "account" | "everywhere" => {
                    let path = if way == "question" { &logout } else { &account };
                    let page = flow(&browser.get(path).await);
                    let decision = if way == "everywhere" { "sign_out_everywhere" } else { "sign_out" };
                    browser.post(path, &[("flow", &page), ("decision", decision)]).await
                }
                "administrator" => {
                    let session = payload(&tokens["id_token"])["sid"].as_str().unwrap().to_owned();
                    test_env.delete(&operator, &format!("{own}/sessions/{session}")).await
                }
                _ => {
                    let body = json!({ "password": PASSWORD });
                    test_env.post(&operator, &format!("{own}/password"), body).await
                }
            };
            assert!(matches!(answer.status, 200 | 204), "{way}: {} {}", answer.status, answer.body);
            for cookie in answer.headers.get_all("set-cookie") {
                let name = cookie.to_str().unwrap().split('=').next().unwrap();
                assert!(!name.contains(other) && name != "lk-b" && name != "lk-d", "{way}: {cookie:?}");
            }
            assert!(!browser.is_signed_in(tenant).await, "{way} ends it at {tenant}");
            assert!(browser.is_signed_in(other).await, "{way} at {tenant} ends nothing at {other}");
            app.pass(2);
        }
    }
}
