//! A person changes their password: what the page requires, which sessions end, and that other
//! accounts are not affected.

use std::num::NonZeroU32;

use crate::prelude::*;

const DECLARED: &str = "declared@example.com";
const NEW: &str = "nine lanterns beside the river";
pub(crate) fn path(tenant: &str) -> String {
    tenant_path(tenant, "/account")
}

/// Each of the two tenants has Ada with the same address and password, Bob, and an account from a
/// configuration file.
async fn start() -> TestEnv {
    let (test_env, ops) = TestEnv::with_ops().await;
    for tenant in [ACME, GLOBEX] {
        add_web_client(&test_env.app, tenant, |_| {});
        for email in [EMAIL, BOB] {
            let body = json!({ "email": email, "password": PASSWORD });
            test_env.post(&ops, &accounts_path(tenant), body).await.assert_status(201);
        }
        add_someone(&test_env.app, tenant, 9, DECLARED);
    }
    test_env
}

/// Whether the account page accepts these credentials.
pub(crate) async fn signs_in(browser: &mut Browser<'_>, tenant: &str, who: (&str, &str)) -> bool {
    let page = browser.get(&path(tenant)).await;
    browser.sign_in_at(&path(tenant), &page, who).await.status == 303
}

pub(crate) async fn is_signed_in(browser: &mut Browser<'_>, tenant: &str) -> bool {
    browser.get(&path(tenant)).await.body.contains("This browser")
}

/// Opens the page that changes the password.
pub(crate) async fn asked(browser: &mut Browser<'_>, tenant: &str) -> Answer {
    let page = browser.get(&path(tenant)).await;
    let asked = browser.fill_in(&path(tenant), &page, &[("decision", "password")]).await;
    asked.assert_says(200, "Current password");
    asked
}

pub(crate) async fn set(
    browser: &mut Browser<'_>,
    tenant: &str,
    page: &Answer,
    (present, new): (&str, &str),
) -> Answer {
    browser.fill_in(&path(tenant), page, &[("password", present), ("new_password", new)]).await
}

// [V6 6.2.2]: 1 | Users change their password | The page of the account
#[tokio::test]
async fn password_change_ends_all_other_sessions() {
    for (tenant, other) in BOTH {
        let test_env = start().await;
        let app = &test_env.app;
        let (mut here, mut elsewhere, mut unharmed) =
            (Browser::new(app), Browser::new(app), Browser::new(app));
        assert!(signs_in(&mut here, tenant, (EMAIL, PASSWORD)).await);
        assert!(signs_in(&mut elsewhere, tenant, (EMAIL, PASSWORD)).await);
        assert!(signs_in(&mut unharmed, other, (EMAIL, PASSWORD)).await);
        let before = here.cookies.clone();
        let page = asked(&mut here, tenant).await;
        let done = set(&mut here, tenant, &page, (PASSWORD, NEW)).await;
        done.assert_says(200, "Password changed.");
        done.assert_not_stored();
        assert!(done.body.contains("No other sessions"), "{}", done.body);
        assert!(is_signed_in(&mut here, tenant).await && !is_signed_in(&mut elsewhere, tenant).await);
        let mut thief = Browser::new(app);
        thief.cookies = before;
        assert!(!is_signed_in(&mut thief, tenant).await, "the cookie of before is worth nothing");
        assert!(is_signed_in(&mut unharmed, other).await);

        app.pass(2);
        for (at, password, expected) in
            [(tenant, PASSWORD, false), (tenant, NEW, true), (other, NEW, false), (other, PASSWORD, true)]
        {
            let signed_in = signs_in(&mut Browser::new(app), at, (EMAIL, password)).await;
            assert_eq!(signed_in, expected, "{at} {password}");
        }
        assert!(signs_in(&mut Browser::new(app), tenant, (BOB, PASSWORD)).await);

        let ops = test_env.token(PLATFORM, OPS).await;
        let record = &test_env.get(&ops, &tenant_path(tenant, "/audit")).await.json()["items"][0];
        let account = format!("account:{}", record["subject"].as_str().unwrap());
        assert_eq!((&record["action"], &record["actor"]), (&"account.password_set".into(), &account.into()));
    }
}

// [V6 6.2.3]: 1 | A change of the password takes the present one and the new one | The present one is checked
//   as at a sign-in, with its limits
// [V7 7.5.1]: 2 | A new sign-in is required before what concerns authentication is changed | Another password
//   takes the present one
#[tokio::test]
async fn refused_password_change_changes_nothing() {
    let test_env = start().await;
    let app = &test_env.app;
    for (tenant, other) in BOTH {
        let mut here = Browser::new(app);
        assert!(signs_in(&mut here, tenant, (EMAIL, PASSWORD)).await);
        assert!(signs_in(&mut here, other, (EMAIL, PASSWORD)).await);
        let page = asked(&mut here, tenant).await;
        for (present, new, expected) in [
            ("another long password", NEW, (403, "The current password is wrong.")),
            ("", NEW, (403, "The current password is wrong.")),
            (PASSWORD, "fourteen chars", (400, "15 characters")),
            (PASSWORD, EMAIL, (400, "easy to guess")),
            (PASSWORD, "", (400, "Choose another password")),
        ] {
            let refused = set(&mut here, tenant, &page, (present, new)).await;
            refused.assert_says(expected.0, expected.1);
            for typed in [present, new].iter().filter(|typed| !["", EMAIL].contains(typed)) {
                assert!(!refused.body.contains(typed), "{}", refused.body);
            }
        }
        // A form of another page, and a form of another tenant.
        let own = here.get(&path(tenant)).await;
        set(&mut here, tenant, &own, (PASSWORD, NEW)).await.assert_says(200, "This browser");
        let of_other = asked(&mut here, other).await;
        assert_eq!(set(&mut here, tenant, &of_other, (PASSWORD, NEW)).await.status, 403);
        // Bob signs in with Ada's browser. Her page has no effect on his session.
        here.cookies.retain(|name, _| !name.starts_with("lk-s."));
        assert!(signs_in(&mut here, tenant, (BOB, PASSWORD)).await);
        set(&mut here, tenant, &page, (PASSWORD, NEW)).await.assert_says(200, BOB);
        let mut declared = Browser::new(app);
        assert!(signs_in(&mut declared, tenant, (DECLARED, PASSWORD)).await);
        let page = asked(&mut declared, tenant).await;
        let answer = set(&mut declared, tenant, &page, (PASSWORD, NEW)).await;
        answer.assert_says(409, "Ask the operator of the server");
        for who in [EMAIL, BOB, DECLARED] {
            assert!(signs_in(&mut Browser::new(app), tenant, (who, PASSWORD)).await, "{who}");
        }
    }
}

// [V6 6.2.3]
#[tokio::test]
async fn wrong_current_passwords_count_as_failed_sign_ins() {
    let test_env = start().await;
    let app = &test_env.app;
    for tenant in [ACME, GLOBEX] {
        app.change_provider(tenant, |tenant| tenant.limits.sign_in.known_browser = NonZeroU32::new(2));
        let mut here = Browser::new(app);
        assert!(signs_in(&mut here, tenant, (EMAIL, PASSWORD)).await);
        let page = asked(&mut here, tenant).await;
        for _ in 0..2 {
            set(&mut here, tenant, &page, ("another long password", NEW)).await.assert_status(403);
        }
        set(&mut here, tenant, &page, (PASSWORD, NEW)).await.assert_says(403, "wait a few minutes");
        here.cookies.retain(|name, _| !name.starts_with("lk-s."));
        assert!(!signs_in(&mut here, tenant, (EMAIL, PASSWORD)).await);
        assert!(signs_in(&mut Browser::new(app), tenant, (EMAIL, PASSWORD)).await, "another browser goes on");
    }
}
