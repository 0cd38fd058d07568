//! Tests the cost of people's requests in PostgreSQL statements.

use std::time::Instant;

use crate::answer::Answer;
use crate::numbers::Numbers;
use crate::person::{AUTHORIZATION_REQUEST, Browser, after, code_of, redeem, request, settings_with_people};
use crate::running::tenant_path;
use crate::test_env::{Replica, TENANTS, TestEnv};

/// More often than the program's own statements, one a second, can coincide with a request. One fewer than
/// the wrong passwords that an account may have.
const TIMES: usize = 9;

/// The cost of each kind of request at a tenant whose rows are cached.
const COSTS: [(&str, u64); 9] = [
    ("the pages of a device, a sign-out and the account", 0),
    ("the page of a sign-in", 0),
    ("a wrong password", 1),
    ("the right password", 6),
    ("a redemption", 5),
    ("userinfo", 0),
    ("a refresh that rotates", 1),
    ("a request in a session", 5),
    ("a token of the client itself", 0),
];

/// The cost of the account page, and of ending another session on it, after which the tenant's rows are read
/// again.
const COSTS_OF_ACCOUNT: [u64; 2] = [3, 13];

/// The number of statements of the replica until now, and the time.
async fn count(replica: &Replica) -> (u64, Instant) {
    (Numbers::from_replica(replica).await.statements, Instant::now())
}

/// The number of statements between two counts. A request that takes longer than a second, such as checking a
/// password on a slow machine, always coincides with the program's own statements. They are subtracted if
/// that gives the expected cost.
fn cost(before: (u64, Instant), after: (u64, Instant), expected: u64) -> u64 {
    let (counted, own) = (after.0 - before.0, (after.1 - before.1).as_secs());
    counted.saturating_sub(own).max(expected.min(counted))
}

/// The least cost of each kind of request. Measures until the costs are as expected.
async fn costs(test_env: &TestEnv, tenant: &'static str, replica: &Replica) -> [(&'static str, u64); 9] {
    let mut least = COSTS.map(|(kind, _)| (kind, u64::MAX));
    for _ in 0..TIMES {
        let of = (test_env, tenant);
        let mut statements = vec![count(replica).await];
        let mut browser = Browser::new(test_env, tenant);
        for path in ["/device", "/oauth/logout", "/account"] {
            let page = browser.get(replica, path).await;
            assert_eq!(page.status, 200, "{path}: {page:?}");
        }
        statements.push(count(replica).await);
        let page = browser.open(replica).await;
        statements.push(count(replica).await);
        let wrong = browser.sign_in(replica, &page, false).await;
        assert_eq!(wrong.status, 403, "{wrong:?}");
        statements.push(count(replica).await);
        let right = browser.sign_in(replica, &page, true).await;
        let code = code_of(&right).unwrap_or_else(|| panic!("{right:?}"));
        statements.push(count(replica).await);
        let tokens = redeem(of, replica, &code).await;
        assert_eq!(tokens.status, 200, "{tokens:?}");
        let [access_token, refresh_token] =
            ["access_token", "refresh_token"].map(|name| tokens.json()[name].as_str().unwrap().to_owned());
        statements.push(count(replica).await);
        let userinfo = replica.program.request(reqwest::Method::GET, &tenant_path(tenant, "/oauth/userinfo"));
        assert_eq!(Answer::to(userinfo.bearer_auth(access_token)).await.status, 200);
        statements.push(count(replica).await);
        let form = [("grant_type", "refresh_token"), ("refresh_token", &*refresh_token)];
        assert_eq!(request(of, replica, "/oauth/token", &form).await.status, 200);
        statements.push(count(replica).await);
        assert!(code_of(&browser.authorize(replica, &AUTHORIZATION_REQUEST).await).is_some());
        statements.push(count(replica).await);
        let secret = test_env.secret_of(tenant);
        assert_eq!(replica.program.request_token(tenant, "svc-0", secret).await.status, 200);
        statements.push(count(replica).await);
        for (((_, least), (_, expected)), pair) in least.iter_mut().zip(COSTS).zip(statements.windows(2)) {
            *least = (*least).min(cost(pair[0], pair[1], expected));
        }
        if least == COSTS {
            break;
        }
    }
    least
}

async fn costs_of_account(test_env: &TestEnv, tenant: &'static str, replica: &Replica) -> [u64; 2] {
    let mut least = [u64::MAX; 2];
    for _ in 0..TIMES {
        Browser::signed_in(test_env, tenant, replica).await;
        let browser = Browser::signed_in(test_env, tenant, replica).await;
        let before = count(replica).await;
        let page = browser.get(replica, "/account").await;
        let seen = count(replica).await;
        let other = after(&page, "name=\"session\" value=\"").unwrap_or_else(|| panic!("{page:?}"));
        // Any of the other sessions, which look the same.
        let other = other.split(' ').next().unwrap().to_owned();
        let ended = browser.submit(replica, "/account", &page, &[("session", &*other)]).await;
        assert!(ended.status == 200 && !ended.body.contains(&other), "{ended:?}");
        let done = count(replica).await;
        let [expected, expected_end] = COSTS_OF_ACCOUNT;
        least = [least[0].min(cost(before, seen, expected)), least[1].min(cost(seen, done, expected_end))];
        if least == COSTS_OF_ACCOUNT {
            break;
        }
    }
    least
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_cost_of_a_person_is_unchanged() {
    let test_env = TestEnv::new(None);
    let [replica, _other] = test_env.start_two(&settings_with_people()).await;
    for tenant in TENANTS {
        assert_eq!(costs(&test_env, tenant, &replica).await, COSTS, "{tenant}");
        assert_eq!(costs_of_account(&test_env, tenant, &replica).await, COSTS_OF_ACCOUNT, "{tenant}");
    }
}
