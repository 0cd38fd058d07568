//! Links for setting a password: their effect, their number, and which administrators can create
//! them. Runs at two tenants.

use crate::account_password::signs_in;
use crate::prelude::*;

pub(crate) const NEW: &str = "nine lanterns beside the river";
pub(crate) fn path(tenant: &str) -> String {
    tenant_path(tenant, "/account/set-password")
}

/// Adds Ada without a password. Returns the path of her account.
async fn add_ada(test_env: &TestEnv, ops: &str, tenant: &str) -> String {
    add_web_client(&test_env.app, tenant, |_| {});
    let made = test_env.post(ops, &accounts_path(tenant), json!({ "email": EMAIL })).await;
    made.assert_status(201);
    made.header("location").to_owned()
}

/// The code of a new link.
async fn code_for(test_env: &TestEnv, (tenant, account): (&str, &str)) -> String {
    let made = test_env.step(&test_env.token(PLATFORM, OPS).await, &format!("{account}/password-link")).await;
    made.assert_not_stored();
    let link = made.json_of(200)["link"].as_str().unwrap().to_owned();
    let code = link.strip_prefix(&format!("{PUBLIC_URL}{}#", path(tenant)));
    code.unwrap_or_else(|| panic!("{link}")).to_owned()
}

pub(crate) async fn set(browser: &mut Browser<'_>, tenant: &str, (code, password): (&str, &str)) -> Answer {
    let page = browser.get(&path(tenant)).await;
    page.assert_says(200, "Set your password");
    browser.fill_in(&path(tenant), &page, &[("code", code), ("new_password", password)]).await
}

pub(crate) const REFUSED: &str = "This link is invalid, has already been used, or has expired.";

// [attacks #36]: A link to set a password that is guessed, altered, used twice, or found in a log | It is
//   authenticated, dies with the first change of the password, after a day and with the sign-ins; its code is
//   a fragment. A forged one costs no lookup. Its holder is the account's person to us, until then
// [V6 6.4.1]: 1 | First passwords are generated, end soon or with their first use, and do not stay | not met
//   | An administrator makes a link to set the first password, which works once and for a day. But the
//   administrator may choose a password in its place, and that one stays
// [V6 6.4.6]: 3 | Administrators start a reset and do not choose the password | not met | An administrator
//   makes a link, or chooses the password
#[tokio::test]
async fn link_sets_the_password_once_within_a_day() {
    let (test_env, ops) = TestEnv::with_ops().await;
    let app = &test_env.app;
    let adas = [add_ada(&test_env, &ops, ACME).await, add_ada(&test_env, &ops, GLOBEX).await];
    for ((tenant, other), account) in BOTH.into_iter().zip(&adas) {
        let mut browser = Browser::new(app);
        let code = code_for(&test_env, (tenant, account)).await;
        set(&mut browser, other, (&code, NEW)).await.assert_says(403, REFUSED);
        let unfit = set(&mut browser, tenant, (&code, "fourteen chars")).await;
        unfit.assert_says(400, "15 characters");
        assert!(unfit.body.contains(&code) && !unfit.body.contains("fourteen chars"), "{}", unfit.body);
        app.pass(86_399);
        let done = set(&mut browser, tenant, (&format!("{PUBLIC_URL}{}#{code}", path(tenant)), NEW)).await;
        let done_at = format!("{}?password=set", tenant_path(tenant, "/account"));
        assert_eq!((done.status, done.header("location")), (303, &*done_at));
        browser.get(&done_at).await.assert_says(200, "Your password is set.");
        app.pass(1);
        set(&mut browser, tenant, (&code, "another password of ten words")).await.assert_says(403, REFUSED);
        assert!(signs_in(&mut browser, tenant, (EMAIL, NEW)).await);
        assert!(
            !signs_in(&mut Browser::new(app), other, (EMAIL, NEW)).await,
            "the same address at another tenant"
        );

        // Another link sets another password, until it expires or the person's sessions are ended.
        let late = code_for(&test_env, (tenant, account)).await;
        app.pass(86_400);
        set(&mut browser, tenant, (&late, PASSWORD)).await.assert_says(403, REFUSED);
        let ended = code_for(&test_env, (tenant, account)).await;
        let ops = test_env.token(PLATFORM, OPS).await;
        test_env.delete(&ops, &format!("{account}/sessions")).await.assert_status(204);
        app.pass(2);
        set(&mut browser, tenant, (&ended, PASSWORD)).await.assert_says(403, REFUSED);
        let last = code_for(&test_env, (tenant, account)).await;
        set(&mut browser, tenant, (&last, PASSWORD)).await.assert_status(303);
        app.pass(2);
        assert!(
            !signs_in(&mut browser, tenant, (EMAIL, NEW)).await
                && signs_in(&mut browser, tenant, (EMAIL, PASSWORD)).await
        );
        // Ada of the other tenant also starts without a password.
        let audit = test_env.get(&ops, &tenant_path(tenant, "/audit")).await;
        let records = audit.json();
        let named =
            |at: usize| (records["items"][at]["action"].clone(), records["items"][at]["actor"].clone());
        let id = account.rsplit('/').next().unwrap();
        assert_eq!(named(0), (json!("account.password_set"), json!(format!("account:{id}"))));
        assert_eq!(named(1), (json!("account.password_link_made"), json!("client:platform/ops")));
        assert!(!audit.body.contains(&last));
    }
}

// [attacks #36]
#[tokio::test]
async fn forged_codes_and_foreign_forms_have_no_effect() {
    let (test_env, ops) = TestEnv::with_ops().await;
    let app = &test_env.app;
    for tenant in [ACME, GLOBEX] {
        let account = add_ada(&test_env, &ops, tenant).await;
        let code = code_for(&test_env, (tenant, &account)).await;
        let mut browser = Browser::new(app);
        let calls = || Calls { find_tenant: 0, ..app.store.calls() };
        let before = calls();
        for bad in [&code[1..], &code[..code.len() - 1], "", "usr_x", &"a.".repeat(30_000)] {
            set(&mut browser, tenant, (bad, NEW)).await.assert_says(403, REFUSED);
        }
        let (own, account) = (path(tenant), tenant_path(tenant, "/account"));
        let fields = [("code", &*code), ("new_password", NEW)];
        let of_account = browser.get(&account).await;
        browser.fill_in(&own, &of_account, &fields).await.assert_status(403);
        let page = browser.get(&own).await;
        browser.fill_in(&account, &page, &fields).await.assert_status(403);
        Browser::new(app).fill_in(&own, &page, &fields).await.assert_status(403);
        assert_eq!(calls(), before);
        assert!(!signs_in(&mut browser, tenant, (EMAIL, NEW)).await);
    }
}

// [attacks #36]
#[tokio::test]
async fn only_administrators_who_may_set_passwords_create_links() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for (tenant, other) in BOTH {
        let (steward, elsewhere) =
            (test_env.token(tenant, STEWARD).await, test_env.token(other, STEWARD).await);
        let account = add_ada(&test_env, &ops, tenant).await;
        let link = format!("{account}/password-link");
        test_env.step(&steward, &link).await.assert_status(200);
        test_env.step(&elsewhere, &link).await.assert_problem(401, "invalid-token");
        test_env.patch(&ops, &account, json!({ "permissions": ["latchkey:keys"] })).await.assert_status(200);
        test_env.step(&steward, &link).await.assert_problem(403, "beyond-reach");
        test_env.step(&ops, &link).await.assert_status(200);
        let declared = add_someone(&test_env.app, tenant, 9, BOB).id;
        let declared = format!("{}/{declared}/password-link", accounts_path(tenant));
        test_env.step(&ops, &declared).await.assert_problem(409, "conflict");
        test_env.app.change_tenant(tenant, |_| ());
        test_env.step(&ops, &link).await.assert_problem(409, "conflict");
    }
}
