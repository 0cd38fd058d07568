//! Tests permissions of accounts: which administrators grant them and change accounts that have them, that no
//! token contains them, and where the people sign in.

use crate::prelude::*;

// [parties #4]: a person whose account has `latchkey:` permissions | sign in, as every person of the tenant |
//   get a token with them; grant one to itself; be taken over by an administrator who lacks one of them
#[tokio::test]
async fn an_administrator_grants_and_takes_over_no_permission_that_it_lacks() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for (tenant, other) in BOTH {
        let (steward, path) = (test_env.token(tenant, STEWARD).await, accounts_path(tenant));
        let strong = json!({ "email": EMAIL, "permissions": ["latchkey:accounts", "latchkey:keys"] });
        let refused = |answer: Answer| answer.assert_problem(403, "beyond-reach");
        refused(test_env.post(&steward, &path, strong.clone()).await);
        let imported = test_env.app.request(Method::POST, &format!("{path}/import"));
        let imported = imported.bearer_auth(&steward).header("content-type", "application/x-ndjson");
        let imported = Answer::to(imported.body(format!("{strong}\n"))).await;
        assert!(imported.body.contains("you may not grant latchkey:keys"), "{}", imported.body);

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
async fn no_token_and_no_claim_has_a_permission_of_the_account() {
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
async fn an_account_of_the_platform_signs_in_there_once_the_platform_has_a_sign_in() {
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
        let refused = browser.sign_in_at(&tenant_path(tenant, "/account"), &page, (EMAIL, PASSWORD)).await;
        refused.assert_status(403);
    }
}
