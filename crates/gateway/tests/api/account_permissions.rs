//! Permissions of accounts: which administrators can grant them and change accounts that have them,
//! that no token contains them, and where their owners sign in.

use crate::account_password::{asked, is_signed_in, set as change_password, signs_in};
use crate::console::home;
use crate::password_links::{NEW, REFUSED, path as link_path, set as set_by_link};
use crate::prelude::*;

fn code_of(link: &Value, tenant: &str) -> String {
    let link = link["link"].as_str().unwrap_or_else(|| panic!("{link}"));
    link.strip_prefix(&format!("{PUBLIC_URL}{}#", link_path(tenant))).unwrap().to_owned()
}

/// Whether the account's session opens the console. Signs in again if that is required.
async fn opens_console(browser: &mut Browser<'_>, tenant: &str) -> bool {
    browser.post(&format!("{}/account", home(tenant)), &[]).await;
    browser.get(&home(tenant)).await.status == 200
}

/// Creates an account as an administrator who has only `latchkey:accounts`. Returns its path.
async fn prepared(test_env: &TestEnv, tenant: &str, body: Value) -> String {
    let steward = test_env.token(tenant, STEWARD).await;
    let made = test_env.post(&steward, &accounts_path(tenant), body).await;
    made.assert_status(201);
    made.header("location").to_owned()
}

async fn linked(test_env: &TestEnv, tenant: &str, (client, account): (&str, &str)) -> String {
    let token = test_env.token(tenant, client).await;
    code_of(&test_env.step(&token, &format!("{account}/password-link")).await.json_of(200), tenant)
}

async fn granted(test_env: &TestEnv, account: &str, permissions: &[&str]) -> Value {
    let ops = test_env.token(PLATFORM, OPS).await;
    test_env.patch(&ops, account, json!({ "permissions": permissions })).await.json_of(200)
}

/// The actions on an account in the audit, the newest first.
async fn actions(test_env: &TestEnv, tenant: &str, account: &str) -> Vec<String> {
    let ops = test_env.token(PLATFORM, OPS).await;
    let audit = test_env.get(&ops, &tenant_path(tenant, "/audit")).await.json();
    let records = audit["items"].as_array().unwrap().iter();
    let of = records.filter(|record| account.ends_with(record["subject"].as_str().unwrap()));
    of.map(|record| text(record, "action").to_owned()).collect()
}

// [third 1]: A link, a session or a password from before a grant of permissions was good after it, so an
//   administrator with `latchkey:accounts` alone could become an administrator of everything | fixed | A
//   grant ends the links, sessions and codes of the account, and removes a password that another person set
//   or imported. The proof of a link covers the permissions. `admin invite` ends links and sessions of an
//   account that it did not create, and refuses an account with a password
#[tokio::test]
async fn grant_invalidates_earlier_links_sessions_and_passwords() {
    for (tenant, other) in BOTH {
        let test_env = TestEnv::start();
        let app = &test_env.app;
        let (by_link, by_password) =
            (json!({ "email": BOB }), json!({ "email": EMAIL, "password": PASSWORD }));
        for tenant in [tenant, other] {
            add_web_client(app, tenant, |_| {});
        }
        let bob = prepared(&test_env, tenant, by_link.clone()).await;
        let ada = prepared(&test_env, tenant, by_password.clone()).await;
        let code = linked(&test_env, tenant, (STEWARD, &bob)).await;
        let unharmed_code =
            linked(&test_env, other, (STEWARD, &prepared(&test_env, other, by_link).await)).await;
        prepared(&test_env, other, by_password).await;
        let (mut session, mut unharmed) = (Browser::new(app), Browser::new(app));
        assert!(signs_in(&mut session, tenant, (EMAIL, PASSWORD)).await);
        assert!(signs_in(&mut unharmed, other, (EMAIL, PASSWORD)).await);
        app.pass(10);

        // Bob has no password, so the response contains no link for a new one.
        assert!(granted(&test_env, &bob, &["latchkey:clients"]).await.get("password_link").is_none());
        let answer = granted(&test_env, &ada, &["latchkey:clients"]).await;
        assert_eq!(answer["password_changed_at"], Value::Null);
        app.pass(10);
        let refused = set_by_link(&mut Browser::new(app), tenant, (&code, NEW)).await;
        refused.assert_says(403, REFUSED);
        assert!(!opens_console(&mut session, tenant).await, "the session of before");
        assert!(!signs_in(&mut Browser::new(app), tenant, (EMAIL, PASSWORD)).await, "the chosen password");
        assert_eq!(
            actions(&test_env, tenant, &ada).await[..3],
            ["account.password_link_made", "account.password_removed", "account.changed"]
        );
        assert_eq!(actions(&test_env, tenant, &bob).await[..2], ["account.signed_out", "account.changed"]);
        // The other tenant has the same addresses.
        assert!(is_signed_in(&mut unharmed, other).await);
        set_by_link(&mut Browser::new(app), other, (&unharmed_code, NEW)).await.assert_status(303);

        let mut person = Browser::new(app);
        let code = code_of(&answer["password_link"], tenant);
        set_by_link(&mut person, other, (&code, NEW)).await.assert_says(403, REFUSED);
        set_by_link(&mut person, tenant, (&code, NEW)).await.assert_status(303);
        app.pass(1);
        assert!(signs_in(&mut person, tenant, (EMAIL, NEW)).await);
        assert!(opens_console(&mut person, tenant).await);
        // Granting another permission ends the session of the console.
        app.pass(10);
        granted(&test_env, &ada, &["latchkey:clients", "latchkey:keys"]).await;
        assert_ne!(person.get(&home(tenant)).await.status, 200);
        // A change that adds no permission ends nothing.
        app.pass(10);
        assert!(signs_in(&mut person, tenant, (EMAIL, NEW)).await);
        granted(&test_env, &ada, &["latchkey:clients"]).await;
        assert!(opens_console(&mut person, tenant).await);
    }
}

// [third 1]
#[tokio::test]
async fn grant_keeps_a_password_set_by_the_person() {
    for (tenant, _) in BOTH {
        let test_env = TestEnv::start();
        let app = &test_env.app;
        add_web_client(app, tenant, |_| {});
        let signs_in_with =
            async |password| signs_in(&mut Browser::new(app), tenant, (EMAIL, password)).await;
        let ada = prepared(&test_env, tenant, json!({ "email": EMAIL, "password": PASSWORD })).await;
        let mut here = Browser::new(app);
        assert!(signs_in(&mut here, tenant, (EMAIL, PASSWORD)).await);
        let page = asked(&mut here, tenant).await;
        change_password(&mut here, tenant, &page, (PASSWORD, NEW)).await.assert_status(200);
        app.pass(10);
        let answer = granted(&test_env, &ada, &["latchkey:clients"]).await;
        assert!(answer.get("password_link").is_none() && answer["password_changed_at"].is_string());
        app.pass(10);
        assert!(!is_signed_in(&mut here, tenant).await && signs_in_with(NEW).await);

        let by_link = "eleven kettles under the bridge";
        let ops = test_env.token(PLATFORM, OPS).await;
        let made = test_env.step(&ops, &format!("{ada}/password-link")).await.json_of(200);
        app.pass(10);
        set_by_link(&mut Browser::new(app), tenant, (&code_of(&made, tenant), by_link))
            .await
            .assert_status(303);
        app.pass(10);
        granted(&test_env, &ada, &["latchkey:clients", "latchkey:keys"]).await;
        app.pass(10);
        assert!(signs_in_with(by_link).await);

        // An administrator has set the password since. The next grant therefore requires a new
        // password.
        let body = json!({ "password": PASSWORD });
        test_env.post(&ops, &format!("{ada}/password"), body).await.assert_status(200);
        app.pass(10);
        let all = ["latchkey:clients", "latchkey:keys", "latchkey:audit"];
        code_of(&granted(&test_env, &ada, &all).await["password_link"], tenant);
        app.pass(10);
        assert!(!signs_in_with(PASSWORD).await);
    }
}

// [third 1]
#[tokio::test]
async fn a_grant_removes_an_imported_password() {
    let test_env = TestEnv::start();
    let app = &test_env.app;
    for (tenant, _) in BOTH {
        add_web_client(app, tenant, |_| {});
        let steward = test_env.token(tenant, STEWARD).await;
        let import = app.request(Method::POST, &format!("{}/import", accounts_path(tenant)));
        let import = import.bearer_auth(&steward).header("content-type", "application/x-ndjson");
        let line = json!({ "email": EMAIL, "password": PASSWORD });
        let account = Answer::to(import.body(line.to_string())).await.json()["account_id"].clone();
        let ada = format!("{}/{}", accounts_path(tenant), account.as_str().unwrap());
        code_of(&granted(&test_env, &ada, &["latchkey:clients"]).await["password_link"], tenant);
        app.pass(10);
        assert!(!signs_in(&mut Browser::new(app), tenant, (EMAIL, PASSWORD)).await);
    }
}

// [third 21]: A grant that removes a password could leave the last administrator without a way in | fixed |
//   The answer of the grant has a link to set a new password. `account set` prints it
#[tokio::test]
async fn last_administrator_gets_a_link_for_removed_password() {
    for tenant in [PLATFORM, ACME, GLOBEX] {
        let (test_env, ops) = TestEnv::with_ops().await;
        let app = &test_env.app;
        app.change_tenant(tenant, |tenant| tenant.strategies.oidc = true);
        let body = json!({ "email": EMAIL, "password": PASSWORD, "permissions": ["latchkey:accounts"] });
        let made = test_env.post(&ops, &accounts_path(tenant), body).await;
        made.assert_status(201);
        let account = made.header("location");
        let answer = test_env
            .patch(&ops, account, json!({ "permissions": ["latchkey:accounts", "latchkey:keys"] }))
            .await;
        // The entity tag equals the tag of a GET response.
        assert_eq!(answer.header("etag"), test_env.get(&ops, account).await.header("etag"));
        app.pass(10);
        let code = code_of(&answer.json_of(200)["password_link"], tenant);
        let mut person = Browser::new(app);
        set_by_link(&mut person, tenant, (&code, NEW)).await.assert_status(303);
        app.pass(1);
        assert!(
            signs_in(&mut person, tenant, (EMAIL, NEW)).await && opens_console(&mut person, tenant).await
        );
    }
}

// [parties #4]: a person whose account has `latchkey:` permissions | sign in, as every person of the tenant |
//   get a token with them; grant one to itself; be taken over by an administrator who lacks one of them
#[tokio::test]
async fn administrators_cannot_grant_or_take_over_permissions_they_lack() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for (tenant, other) in BOTH {
        let (steward, path) = (test_env.token(tenant, STEWARD).await, accounts_path(tenant));
        let strong = json!({ "email": EMAIL, "permissions": ["latchkey:accounts", "latchkey:keys"] });
        let refused = |answer: Answer| answer.assert_problem(403, "beyond-reach");
        refused(test_env.post(&steward, &path, strong.clone()).await);
        let imported = test_env.app.request(Method::POST, &format!("{path}/import"));
        let imported = imported.bearer_auth(&steward).header("content-type", "application/x-ndjson");
        let imported = Answer::to(imported.body(format!("{strong}\n"))).await;
        assert!(imported.body.contains("you cannot grant latchkey:keys"), "{}", imported.body);

        let made = test_env.post(&ops, &path, strong).await;
        assert_eq!(made.json_of(201)["permissions"], json!(["latchkey:accounts", "latchkey:keys"]));
        let ada = made.header("location");
        for patch in [json!({ "email": BOB }), json!({ "permissions": ["latchkey:accounts"] })] {
            refused(test_env.patch(&steward, ada, patch).await);
        }
        let password = json!({ "password": PASSWORD });
        refused(test_env.post(&steward, &format!("{ada}/password"), password.clone()).await);
        for verb in ["resume", "unlock"] {
            refused(test_env.step(&steward, &format!("{ada}/{verb}")).await);
        }
        refused(test_env.delete(&steward, ada).await);
        test_env.step(&steward, &format!("{ada}/suspend")).await.assert_status(200);
        test_env.post(&ops, &format!("{ada}/password"), password).await.assert_status(200);

        let equal = json!({ "email": BOB, "permissions": ["latchkey:accounts"] });
        let bob = test_env.post(&steward, &path, equal).await;
        bob.assert_status(201);
        test_env.delete(&steward, bob.header("location")).await.assert_status(204);
        let over_all = json!({ "email": BOB, "permissions": ["latchkey:tenants"] });
        test_env.post(&ops, &path, over_all).await.assert_problem(400, "invalid-request");
        let elsewhere = test_env.token(other, STEWARD).await;
        test_env.patch(&elsewhere, ada, json!({})).await.assert_problem(401, "invalid-token");

        let audit = test_env.get(&ops, &tenant_path(tenant, "/audit")).await;
        let granted = json!({ "after": "latchkey:accounts latchkey:keys" });
        let records = audit.json();
        let mut granted_at =
            records["items"].as_array().unwrap().iter().map(|record| &record["detail"]["permissions"]);
        assert!(granted_at.any(|permissions| *permissions == granted), "{}", audit.body);
    }
}

// [parties #4]
#[tokio::test]
async fn tokens_contain_no_account_permissions() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for (tenant, _) in BOTH {
        let secret = add_web_client(&test_env.app, tenant, |_| {});
        let body = json!({ "email": EMAIL, "password": PASSWORD, "permissions": ["latchkey:clients"] });
        test_env.post(&ops, &accounts_path(tenant), body).await.assert_status(201);
        let mut browser = Browser::new(&test_env.app);
        let tokens = browser.tokens(tenant, &secret, &[("scope", "openid profile email")]).await;
        let access = tokens["access_token"].as_str().unwrap();
        let userinfo = test_env.app.userinfo(tenant, access).await;
        let claims = [payload(&tokens["id_token"]), payload(&tokens["access_token"]), userinfo.json_of(200)];
        for claims in claims {
            let text = claims.to_string();
            assert!(!text.contains("latchkey:clients") && !text.contains("permissions"), "{text}");
        }
        let asked = browser.authorize(tenant, &[("scope", "openid latchkey:clients")]).await;
        assert_eq!(parameter(&location(&asked), "error"), "invalid_scope");
        test_env.get(access, &tenant_path(tenant, "/clients")).await.assert_status(401);
    }
}

#[tokio::test]
async fn platform_account_signs_in_once_sign_in_is_enabled() {
    let (test_env, ops) = TestEnv::with_ops().await;
    let permissions = ["latchkey:tenants", "latchkey:accounts"];
    let body = json!({ "email": EMAIL, "password": PASSWORD, "permissions": permissions });
    let made = test_env.post(&ops, &accounts_path(PLATFORM), body).await;
    assert_eq!(made.json_of(201)["permissions"], json!(permissions));
    let steward = test_env.token(PLATFORM, STEWARD).await;
    let password = json!({ "password": "nine lanterns beside the river" });
    let taken = test_env.post(&steward, &format!("{}/password", made.header("location")), password).await;
    taken.assert_problem(403, "beyond-reach");

    let (mut browser, path) = (Browser::new(&test_env.app), tenant_path(PLATFORM, "/account"));
    for (enabled, status) in [(false, 404), (true, 200)] {
        test_env.app.change_tenant(PLATFORM, |tenant| tenant.strategies.oidc = enabled);
        browser.get(&path).await.assert_status(status);
    }
    let page = browser.get(&path).await;
    browser.sign_in_at(&path, &page, (EMAIL, PASSWORD)).await.assert_status(303);
    browser.get(&path).await.assert_says(200, EMAIL);
    for tenant in [ACME, GLOBEX] {
        test_env.app.change_tenant(tenant, |tenant| tenant.strategies.oidc = true);
        let page = browser.get(&tenant_path(tenant, "/account")).await;
        browser
            .sign_in_at(&tenant_path(tenant, "/account"), &page, (EMAIL, PASSWORD))
            .await
            .assert_status(403);
    }
}
