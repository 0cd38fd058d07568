//! Tests the scheduler's steps on a tenant's keys: over a year, with several schedulers, and with verifiers
//! that lag behind.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use administration::edit::{EditError, KeyCommand, TenantStep};
use administration::store::{KeySchedule as _, UsageLog as _, VerifierFetch};
use keys::{KeyStage, SigningKeyStore as _};
use protocol::SigningAlgorithm;
use serde_json::json;
use tenancy::{StoreError, TenantId};
use testkit::at_once;
use testkit::fixtures::NOW;
use tokio::time::sleep;
use values::Timestamp;

use crate::keys::{id, own, stages, tenant};
use crate::test_env::{TestEnv, at, env, env_with_slow_sealing, idempotency_key, later, operator, repeating};

/// The number of keys that sign now, and the number of published keys.
async fn alive(env: &TestEnv, tenant: &TenantId, now: Timestamp) -> (usize, usize) {
    let rows = env.store.find_keys(tenant).await.unwrap();
    let count = |state: fn(KeyStage) -> bool| rows.keys.iter().filter(|row| state(row.state(now))).count();
    (count(|state| state == KeyStage::Active), count(|state| state != KeyStage::Removed))
}

#[tokio::test]
async fn one_key_signs_at_every_instant_of_a_year() {
    let env = env();
    let acme = tenant(&env, "acme").await;
    let patch = json!({ "signing": { "rotate_every": 864_000, "publish_before": 86_400 } });
    env.patch(&acme, 0, patch).await;
    let (mut now, end) = (NOW, later(365 * 86_400));
    let mut steps = 0_u64;
    while now < end {
        env.administrator.advance_keys(&acme, now).await.unwrap();
        let due = env.due_at(&acme).await.unwrap();
        assert_eq!(alive(&env, &acme, now).await.0, 1, "at {now:?}");
        assert!(due > now, "the same is not due again at {now:?}");
        // The scheduler is sometimes late, by up to several days.
        steps += 1;
        let late = [0, 1, 300, 5, 200_000][usize::try_from(steps % 5).unwrap()];
        let next = Timestamp::from_seconds(due.seconds() + late);
        for between in [now.seconds() + 1, due.seconds() - 1, due.seconds(), next.seconds()] {
            let (signing, published) = alive(&env, &acme, Timestamp::from_seconds(between)).await;
            assert!(signing == 1 && (1..=3).contains(&published), "{signing} {published} at {between}");
        }
        now = next;
    }
    let rows = env.records(&acme).await;
    assert!((30..=37).contains(&rows.keys.len()), "{} keys", rows.keys.len());
    let whole = rows.keys.iter().filter(|row| !row.sealed_private_key.is_empty()).count();
    assert!(whole <= 3, "{whole} private keys are left");
    assert!(steps < 120, "{steps} steps");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_key_runs_leave_one_active_key() {
    let one = env();
    let acme = tenant(&one, "acme").await;
    for round in 0..10_u64 {
        let runs = (0..6).map(|index| {
            let (env, acme) = (one.beside(), acme.clone());
            async move {
                match index {
                    0 => env.command(&acme, round * 9_500, KeyCommand::Rotate).await.map(drop),
                    _ => env.administrator.advance_keys(&acme, later(round * 9_500)).await.map(drop),
                }
            }
        });
        at_once(runs).await.into_iter().for_each(Result::unwrap);
        let now = later(round * 9_500);
        assert_eq!(alive(&one, &acme, now).await.0, 1);
        let rows = one.records(&acme).await;
        let waiting = rows.keys.iter().filter(|row| row.state(now) == KeyStage::Announced).count();
        assert!(waiting <= 1, "{waiting} keys wait in round {round}");
        let numbers: Vec<_> = rows.keys.iter().map(|row| row.id).collect();
        assert_eq!(numbers, (1..=u32::try_from(numbers.len()).unwrap()).map(id).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn key_of_another_algorithm_is_published_before_it_signs() {
    let env = env();
    let acme = tenant(&env, "acme").await;
    let administrator = &env.administrator;
    administrator.advance_keys(&acme, NOW).await.unwrap();
    env.patch(&acme, 10, json!({ "signing": { "algorithm": "EdDSA" } })).await;
    let due = env.store.find_due_keys(later(10), 9).await.unwrap();
    assert_eq!(due, std::slice::from_ref(&acme), "it is looked at at once");
    administrator.advance_keys(&acme, later(10)).await.unwrap();
    let views = administrator.of(&at(10), &acme).keys().await.unwrap();
    assert_eq!(stages(&views), "1 active, 2 announced");
    assert_eq!((views[0].algorithm.as_str(), views[1].algorithm.as_str()), ("ES256", "EdDSA"));
    assert_eq!(views[1].active_from.0, later(1011));
    let rows = env.store.find_keys(&acme).await.unwrap();
    assert_eq!(rows.keys[1].algorithm, SigningAlgorithm::EdDSA);
}

async fn seen(env: &TestEnv, tenant: &TenantId, verifier: &str, newest: u32, at: Timestamp) {
    let fetch = VerifierFetch {
        tenant: tenant.clone(),
        verifier: verifier.to_owned(),
        last_fetch_at: at,
        newest_key: id(newest),
    };
    env.store.record_verifier_fetches(&[fetch]).await.unwrap();
}

/// Takes each due step until the second key signs, and returns that time.
async fn second_signs(env: &TestEnv, tenant: &TenantId, polling: Option<(u64, u32)>) -> u64 {
    let mut now = later(9000);
    loop {
        // The verifier polls, and has the new key from some moment on.
        if let Some((from, newest)) = polling {
            seen(env, tenant, "poller", if now >= later(from) { newest } else { 1 }, now).await;
        }
        env.administrator.advance_keys(tenant, now).await.unwrap();
        let due = env.due_at(tenant).await.unwrap();
        let turn = env.store.find_keys(tenant).await.unwrap().keys[1].active_from;
        if due >= turn {
            return turn.seconds() - NOW.seconds();
        }
        now = due;
    }
}

// [parties #9]: a verifier | fetch key sets | change what other verifiers get; delay a rotation for longer
//   than `signing.hold_activation`
#[tokio::test]
async fn activation_waits_for_verifiers_that_poll_up_to_a_limit() {
    let cases =
        [(None, 10_001), (Some((9000, 2)), 10_001), (Some((10_000, 2)), 10_061), (Some((99_999, 2)), 10_201)];
    for (polling, expected) in cases {
        let env = env();
        let (acme, globex) = (tenant(&env, "acme").await, tenant(&env, "globex").await);
        for tenant in [&acme, &globex] {
            env.patch(tenant, 0, json!({ "signing": { "hold_activation": 200 } })).await;
            env.administrator.advance_keys(tenant, NOW).await.unwrap();
        }
        assert_eq!(second_signs(&env, &acme, polling).await, expected, "{polling:?}");
        let elsewhere = second_signs(&env, &globex, None).await;
        assert_eq!(elsewhere, 10_001, "verifiers of another tenant do not count");
    }
}

#[tokio::test]
async fn only_verifiers_that_poll_this_tenant_count() {
    let env = env();
    let (acme, globex) = (tenant(&env, "acme").await, tenant(&env, "globex").await);
    let status = async |seconds| env.administrator.of(&at(seconds), &acme).key_status().await.unwrap();
    env.command(&acme, 0, KeyCommand::Rotate).await.unwrap();
    seen(&env, &acme, "early", 1, later(5)).await;
    seen(&env, &globex, "other", 1, later(5)).await;
    env.command(&acme, 10, KeyCommand::Rotate).await.unwrap();
    seen(&env, &acme, "late", 2, later(20)).await;
    let two = status(30).await;
    assert_eq!(two.seen_by_all, Some(false));
    let published: Vec<_> = two.verifiers.iter().map(|of| (of.verifier.as_str(), of.has_announced)).collect();
    assert_eq!(published, [("late", true), ("early", false)]);
    assert_eq!(two.due_at.map(|at| at.0), env.due_at(&acme).await);
    // A verifier that has not fetched for as long as keys are published does not poll.
    assert_eq!(status(1008).await.seen_by_all, Some(true));
}

#[tokio::test]
async fn suspended_tenant_gets_no_key_until_resumed() {
    let env = env();
    let (acme, keys) = (tenant(&env, "acme").await, &env.administrator);
    keys.advance_keys(&acme, NOW).await.unwrap();
    env.step(&acme, 10, TenantStep::Suspend).await;
    assert_eq!(keys.advance_keys(&acme, later(99_999)).await.unwrap(), None);
    assert_eq!(env.store.find_due_keys(later(999_999), 9).await.unwrap(), []);
    assert_eq!(env.store.find_keys(&acme).await.unwrap().keys.len(), 1);
    env.step(&acme, 99_999, TenantStep::Resume).await;
    let due = env.store.find_due_keys(later(99_999), 9).await.unwrap();
    assert_eq!(due, std::slice::from_ref(&acme));
    keys.advance_keys(&acme, later(99_999)).await.unwrap();
    let views = keys.of(&at(99_999), &acme).keys().await.unwrap();
    assert_eq!(stages(&views), "1 active, 2 announced");
    for step in [TenantStep::ScheduleDeletion, TenantStep::Delete] {
        env.step(&acme, 100_000, step).await;
    }
    assert_eq!(keys.advance_keys(&acme, later(200_000)).await.unwrap(), None);
    assert_eq!(env.store.find_due_keys(later(999_999), 9).await.unwrap(), []);
}

#[tokio::test]
async fn stale_revision_creates_no_second_key() {
    let one = env();
    let acme = tenant(&one, "acme").await;
    one.administrator.advance_keys(&acme, NOW).await.unwrap();
    let (before, held) = (one.store.calls().administration, one.store.hold_answers().await);
    let rotate = |_| {
        let (env, acme) = (one.beside(), acme.clone());
        tokio::spawn(async move { env.command(&acme, 9, KeyCommand::Rotate).await })
    };
    let tasks: Vec<_> = (0..3).map(rotate).collect();
    // All have read the same rows before any of them writes.
    one.store.until(|calls| calls.administration >= before + 3).await;
    drop(held);
    for task in tasks {
        assert_eq!(stages(&task.await.unwrap().unwrap().value.items), "1 active, 2 announced");
    }
}

/// Sealing takes 11 seconds in this test. The 1001 seconds of publication begin with the commit.
#[tokio::test]
async fn publication_time_begins_with_the_commit() {
    for way in ["step", "rotate", "rotate once", "import"] {
        let env = env_with_slow_sealing(0);
        let (acme, keys) = (tenant(&env, "acme").await, &env.administrator);
        keys.advance_keys(&acme, NOW).await.unwrap();
        let asked_at = later(9_000);
        env.clock.store(asked_at.seconds(), Ordering::SeqCst);
        env.seconds.store(11, Ordering::SeqCst);
        let once = repeating(&operator(), asked_at, Some(&idempotency_key("k", 1)));
        match way {
            "step" => keys.advance_keys(&acme, asked_at).await.map(drop),
            "rotate" => env.command(&acme, 9_000, KeyCommand::Rotate).await.map(drop),
            "import" => keys.of(&at(9_000), &acme).import_key(own(SigningAlgorithm::ES256)).await.map(drop),
            // The answer is sealed after the decision, which takes too long each time.
            _ => {
                let late = keys.of(&once, &acme).command_keys(KeyCommand::Rotate).await;
                assert!(matches!(late, Err(EditError::Store(StoreError::Unavailable(_)))), "{late:?}");
                assert_eq!(env.records(&acme).await.keys.len(), 1);
                env.seconds.store(0, Ordering::SeqCst);
                keys.of(&once, &acme).command_keys(KeyCommand::Rotate).await.map(drop)
            }
        }
        .unwrap();
        let committed_at = env.clock.load(Ordering::SeqCst);
        assert!(committed_at >= asked_at.seconds() + 11, "{way}");
        let rows = env.records(&acme).await;
        assert_eq!(rows.keys[1].announced_at.seconds(), committed_at, "{way}");
        assert_eq!(rows.keys[1].active_from.seconds(), committed_at + 1001, "{way}");
        assert_eq!(rows.keys[0].retiring_from, Some(rows.keys[1].active_from), "{way}");
    }
}

/// A commit may take at most the margin within the skew. The commit of an emergency may take any time.
#[tokio::test(start_paused = true)]
async fn late_commit_of_a_rotation_is_decided_again() {
    for (emergency, waits) in [(false, true), (true, false)] {
        let env = Arc::new(env());
        let acme = tenant(&env, "acme").await;
        env.administrator.advance_keys(&acme, NOW).await.unwrap();
        let before = env.store.calls().administration;
        let (asking, of) = (Arc::clone(&env), acme.clone());
        let command = if emergency { KeyCommand::RotateInEmergency } else { KeyCommand::Rotate };
        let task = tokio::spawn(async move { asking.command(&of, 9, command).await });
        let requests = async |times| {
            while env.store.calls().administration < before + times {
                sleep(Duration::from_millis(1)).await;
            }
        };
        // The rows are loaded again after the key is generated and sealed. Then the commit hangs.
        let mut held = env.store.hold_answers().await;
        for times in [1, 2] {
            requests(times).await;
            drop(held);
            held = env.store.hold_answers().await;
        }
        requests(3).await;
        sleep(Duration::from_secs(9)).await;
        assert_eq!(env.store.calls().administration, before + 3);
        sleep(Duration::from_secs(2)).await;
        assert_eq!(env.store.calls().administration > before + 3, waits, "the rows are loaded again");
        drop(held);
        let changed = task.await.unwrap().unwrap().value;
        let expected = if emergency { "1 removed, 2 active" } else { "1 active, 2 announced" };
        assert_eq!(stages(&changed.items), expected);
    }
}
