//! When a session ends, a logout token is queued for each of its clients. Runs at two tenants.

use grants::{Grantee, LogoutOutbox as _, LogoutTurn};

use crate::prelude::*;

/// Returns the only queued logout token of the tenant.
pub(crate) async fn waiting_logout_token(app: &TestApp, tenant: &str) -> String {
    let now = Timestamp::from_seconds(app.now());
    let due = app.store.due_logouts(now, 100, &LogoutTurn::default()).await.unwrap();
    let due: Vec<_> = due.into_iter().filter(|queued| queued.tenant.as_str() == tenant).collect();
    let [queued] = due.as_slice() else { panic!("{due:?}") };
    let found = app.tokens.tenants.resolve_openid_provider(tenant).await.unwrap();
    let client = app.tokens.authenticator.find_active(&found.id, queued.client.as_str()).await.unwrap();
    let grantee = Grantee { tenant: &found, client: &client.unwrap() };
    app.tokens.engine.sign_logout_token(&grantee, queued, now).await.unwrap()
}

// [back-channel §2.5]
/// Signing out costs one read of the session and one transaction. The browser does not wait for
/// clients.
#[tokio::test]
async fn signing_out_queues_a_logout_token_for_the_client() {
    let app = TestApp::start();
    let mut browser = Browser::new(&app);
    for (queued_before, tenant) in [ACME, GLOBEX].into_iter().enumerate() {
        let person = add_person(&app, tenant);
        let tokens = browser.tokens(tenant, &add_web_client(&app, tenant, |_| ()), &[]).await;
        let hint = tokens["id_token"].as_str().unwrap();
        let due = || async {
            app.store
                .due_logouts(Timestamp::from_seconds(app.now()), 100, &LogoutTurn::default())
                .await
                .unwrap()
        };
        assert_eq!(due().await.len(), queued_before, "nothing has ended");
        let before = app.store.calls().sign_ins;
        browser
            .get(&tenant_path(tenant, &format!("/oauth/logout?id_token_hint={hint}")))
            .await
            .assert_status(200);
        assert_eq!(app.store.calls().sign_ins - before, 2);
        let queued = due().await;
        assert_eq!(queued.len(), queued_before + 1);
        let queued: Vec<_> = queued.into_iter().filter(|queued| queued.tenant.as_str() == tenant).collect();
        let [queued] = queued.as_slice() else { panic!("{queued:?}") };
        let sid = payload(&tokens["id_token"])["sid"].clone();
        assert_eq!((queued.client.as_str(), &queued.account), ("web", &person.id));
        assert_eq!(queued.session.as_str(), sid);
    }
}
