//! Tests that a limit that was reached at one replica is also reached at the other, only for its tenant.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::sleep;

use crate::person::{Browser, code_of, settings_with_people};
use crate::test_env::{Replica, TestEnv};

/// The limit of failed attempts an hour. More than the other replica's own attempts until it has learned.
const FAILED: usize = 20;
/// The limit of wrong passwords at an account.
const ACCOUNT: u32 = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_count_at_both_replicas_for_their_tenant() {
    let (_redis, test_env) = TestEnv::with_redis();
    let limits = format!("limits: {{ failed_attempts: {FAILED}/h, sign_in: {{ account: {ACCOUNT} }} }}\n");
    let [one, other] = test_env.start_two(&(limits + &settings_with_people())).await;
    begin_of_hour().await;
    let guess = async |replica: &Replica, tenant| {
        replica.program.request_token(tenant, "svc-0", "wrong").await.status
    };
    for _ in 0..FAILED {
        assert_eq!(guess(&one, "acme").await, 401);
    }
    assert_eq!((guess(&one, "acme").await, guess(&one, "globex").await), (429, 401));
    // Each attempt at the other replica counts there, too. Alone, it would allow all.
    let mut answers = Vec::new();
    while answers.last() != Some(&429) && answers.len() < FAILED {
        answers.push(guess(&other, "acme").await);
        sleep(Duration::from_millis(250)).await;
    }
    assert_eq!((answers[0], answers.last()), (401, Some(&429)), "{answers:?}");
    assert_eq!(guess(&other, "globex").await, 401);
    other.program.token("acme", "svc-0", test_env.secret_of("acme")).await;

    let sign_in = async |replica: &Replica, tenant, is_right| {
        let mut browser = Browser::new(&test_env, tenant);
        let page = browser.open(replica).await;
        code_of(&browser.sign_in(replica, &page, is_right).await).is_some()
    };
    for _ in 0..ACCOUNT {
        assert!(!sign_in(&one, "acme", false).await);
    }
    assert!(!sign_in(&one, "acme", true).await);
    // One attempt tells of the others. The right password does not count.
    assert!(!sign_in(&other, "acme", false).await);
    let mut tries = 0;
    while sign_in(&other, "acme", true).await {
        tries += 1;
        assert!(tries < 40, "the other replica does not know the attempts");
        sleep(Duration::from_millis(250)).await;
    }
    assert!(sign_in(&one, "globex", true).await && sign_in(&other, "globex", true).await);
}

/// Waits until at least a minute of the hour is left, because counts of an hour end with it.
async fn begin_of_hour() {
    #[expect(clippy::disallowed_methods, reason = "the limit counts by the clock")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let left = 3_600 - now % 3_600;
    if left < 60 {
        sleep(Duration::from_secs(left)).await;
    }
}
