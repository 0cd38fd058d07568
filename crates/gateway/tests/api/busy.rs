//! If a password cannot be checked because the server is busy, the sign-in gets a page with 503.
//! Tests each path with a sign-in form, at two tenants.

use std::net::Ipv4Addr;

use secrets::{CallerAddress, HashJob, Lane, PasswordSalt};
use testkit::fixtures::tenant_id;
use tokio::task::{JoinHandle, yield_now};

use crate::prelude::*;

/// More imported hashes than the limit for one source.
const BEYOND: usize = 50;
/// A hash of [`PASSWORD`] from another system.
const FOREIGN: &str = "$2b$04$abcdefghijklmnopqrstuuv4UQqg0Mbs9qAvD51ZZetPbMVGfSHdO";
/// A hash that takes so long that the queue behind it stays full.
const SLOW: &str = "$2b$12$abcdefghijklmnopqrstuuBzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe";

/// Fills the queue of the test's address with imported hashes. They stay until the handles are
/// dropped.
async fn fill(app: &TestApp, tenant: &str) -> Vec<JoinHandle<()>> {
    let source = CallerAddress::new(Some(Ipv4Addr::LOCALHOST.into()));
    let mut waiting = Vec::new();
    for at in 0..BEYOND {
        let (pool, tenant) = (Arc::clone(&app.pool), tenant_id(tenant));
        let job = HashJob {
            secret: Secret::new(at.to_string()),
            salt: PasswordSalt::dummy(),
            key: None,
            only_if: Some(SLOW.parse().unwrap()),
        };
        waiting.push(tokio::spawn(async move {
            let _ = pool.hash_if_right(&tenant, job, Lane::SignIn, &source).await;
        }));
    }
    yield_now().await;
    waiting
}

async fn page_at(app: &TestApp, browser: &mut Browser<'_>, tenant: &str, path: &str) -> Answer {
    match path {
        "/oauth/sign-in" => browser.authorize(tenant, &[]).await,
        "/account" => browser.get(&tenant_path(tenant, path)).await,
        _ => {
            let begun = begin(app, tenant).await;
            let page = browser.get(&tenant_path(tenant, path)).await;
            browser.at_device(tenant, &page, &[("user_code", begun["user_code"].as_str().unwrap())]).await
        }
    }
}

#[tokio::test]
async fn full_password_queue_returns_503_and_sign_in_continues() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        app.store.put_account(add_person(&app, tenant), Some(FOREIGN.parse().unwrap()));
        add_web_client(&app, tenant, |client| {
            client.authentication_method = protocol::ClientAuthenticationMethod::None;
            client.secrets.clear();
            client.grant_types = vec![GrantType::AuthorizationCode, GrantType::DeviceCode];
        });
    }
    let mut told = Vec::new();
    for tenant in [ACME, GLOBEX] {
        for path in ["/oauth/sign-in", "/account", "/device"] {
            let mut browser = Browser::new(&app);
            let page = page_at(&app, &mut browser, tenant, path).await;
            let waiting = fill(&app, tenant).await;
            let busy = browser.sign_in_at(&tenant_path(tenant, path), &page, (EMAIL, PASSWORD)).await;
            waiting.iter().for_each(JoinHandle::abort);
            assert_eq!((busy.status, busy.header("retry-after")), (503, "1"), "{path}: {}", busy.body);
            assert!(busy.header("content-type").starts_with("text/html"));
            let text = "The server is busy. Wait a moment, then try again.";
            assert!(busy.body.contains(text) && !busy.body.contains(PASSWORD), "{path}: {}", busy.body);
            assert!(!browser.cookies.contains_key(&format!("lk-s.{tenant}")), "nobody is signed in");
            told.push((browser, tenant, path, busy));
        }
    }
    // After the last slow hash, the page continues the sign-in.
    for (mut browser, tenant, path, busy) in told {
        let form = [("flow", &*flow(&busy)), ("identifier", EMAIL), ("password", PASSWORD)];
        let mut done = browser.post(&tenant_path(tenant, path), &form).await;
        while done.status == 503 {
            done = browser.post(&tenant_path(tenant, path), &form).await;
        }
        assert!(matches!(done.status, 200 | 303), "{path}: {} {}", done.status, done.body);
        assert!(browser.cookies.contains_key(&format!("lk-s.{tenant}")), "{path}");
    }
}
