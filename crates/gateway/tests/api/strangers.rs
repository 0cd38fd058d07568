//! Requests of strangers: whatever their number, the store writes nothing for them. Runs at two
//! tenants.

use futures_util::StreamExt as _;
use futures_util::stream;

use crate::prelude::*;

/// Concurrent requests.
const AT_ONCE: usize = 16;
/// Requests to both tenants together: pages, and sign-ins with unknown identifiers.
const PAGES: usize = 1_800;
const PASSWORDS: usize = 200;

/// Calls that write, and calls that read rows of people.
fn of_people(calls: Calls) -> [u64; 6] {
    let Calls { sign_ins, administration, replace_password, record_use, add_key, revoke_token, .. } = calls;
    [sign_ins, administration, replace_password, record_use, add_key, revoke_token]
}

// [attacks #32]: Strangers who fill the store | Nothing is written before a password is right: 2 000
//   requests to the store in memory, 1 000 to the program with SQLite, of which every row is compared. Pushed
//   requests and device codes are written for a client, with limits
#[tokio::test]
async fn strangers_cause_no_store_writes() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        furnish(&app, tenant, |client| {
            public(client);
            client.grant_types.push(GrantType::DeviceCode);
        });
    }
    let before = app.store.calls();
    let app = &app;
    let pages = stream::iter(0..PAGES).map(async |at| {
        let tenant = [ACME, GLOBEX][at % 2];
        let mut browser = Browser::new(app);
        let (path, status) = match at / 2 % 8 {
            0 => (tenant_path(tenant, "/device?user_code=BCDF-GHJK"), 200),
            1 => (tenant_path(tenant, "/account"), 200),
            2 => (tenant_path(tenant, "/oauth/logout"), 200),
            3 => (authorize_path(tenant, &[("prompt", "none")]), 303),
            4 => (authorize_path(tenant, &[("redirect_uri", "https://other.example")]), 400),
            _ => (authorize_path(tenant, &[]), 200),
        };
        let answer = browser.get(&path).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
    });
    pages.buffer_unordered(AT_ONCE).collect::<()>().await;
    assert_eq!(app.store.calls().find_by_identifier, before.find_by_identifier);

    let hashes = app.pool.hashes_computed();
    let passwords = stream::iter(0..PASSWORDS).map(async |at| {
        let tenant = [ACME, GLOBEX][at % 2];
        let mut browser = Browser::new(app);
        let page = browser.authorize(tenant, &[]).await;
        let identifier = format!("nobody-{at}@example.com");
        let form = [("flow", &*flow(&page)), ("identifier", &*identifier), ("password", PASSWORD)];
        browser.post(&tenant_path(tenant, "/oauth/sign-in"), &form).await.assert_status(403);
    });
    passwords.buffer_unordered(AT_ONCE).collect::<()>().await;
    assert!(app.pool.hashes_computed() >= hashes + 20, "passwords of twenty accounts were checked");
    assert_eq!(of_people(app.store.calls()), of_people(before));
}
