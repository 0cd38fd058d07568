//! Tests leases, limits and failures with a separate store, and with clocks that the test sets.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

use administration::administrator::{Administrator, EditPolicy};
use administration::store::KeySchedule as _;
use async_trait::async_trait;
use keys::{KeyPool, KeyRecord, KeySpec, RsaSize, SealingKey, SigningKeyStore as _};
use protocol::SigningAlgorithm;
use secrets::Pepper;
use tenancy::{SigningPolicy, Tenant, TenantId};
use testkit::{Failure, TestStore, fixtures};

use super::*;

/// A fake administration whose steps take no time and succeed unless configured otherwise.
#[derive(Default)]
struct Taken {
    steps: Mutex<Vec<TenantId>>,
    failing: Mutex<HashMap<TenantId, fn() -> EditError>>,
    announces: Option<SigningAlgorithm>,
    /// The duration of a step.
    takes: Mutex<Duration>,
}

#[async_trait]
impl KeyAdvancer for Taken {
    async fn advance_keys(&self, tenant: &TenantId, _: Timestamp) -> Result<Option<KeySpec>, EditError> {
        self.steps.lock().unwrap().push(tenant.clone());
        let takes = *self.takes.lock().unwrap();
        if !takes.is_zero() {
            sleep(takes).await;
        }
        match self.failing.lock().unwrap().get(tenant) {
            Some(failure) => Err(failure()),
            None => {
                let made = |algorithm: SigningAlgorithm| KeySpec {
                    algorithm: algorithm.into(),
                    rsa_size: RsaSize::default(),
                };
                Ok(self.announces.map(made))
            }
        }
    }
}

impl Taken {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.steps.lock().unwrap()).iter().map(ToString::to_string).collect()
    }
}

struct TestEnv {
    store: Arc<TestStore>,
    taken: Arc<Taken>,
    now: Arc<AtomicU64>,
}

/// Tenants whose keys are always due.
async fn test_env(tenants: usize, announces: Option<SigningAlgorithm>) -> TestEnv {
    let store = Arc::new(TestStore::new());
    for number in 0..tenants {
        let tenant = fixtures::tenant(&format!("t{number}"));
        store.put_tenant(tenant.clone());
        assert!(store.add_key(&tenant.id, &first_key(&tenant.id, number as u64)).await.unwrap());
    }
    let taken = Arc::new(Taken { announces, ..Taken::default() });
    TestEnv { store, taken, now: Arc::new(AtomicU64::new(1_000_000)) }
}

fn first_key(tenant: &TenantId, at: u64) -> KeyRecord {
    KeyRecord { active_from: Timestamp::from_seconds(at), ..fixtures::key_of(tenant, 1) }
}

impl TestEnv {
    /// A replica whose clock is ahead by `ahead` seconds.
    fn replica(&self, ahead: u64) -> Arc<KeyScheduler> {
        let now = Arc::clone(&self.now);
        let clock = Arc::new(move || Timestamp::from_seconds(now.load(Ordering::Relaxed) + ahead));
        let key_advancer: Arc<dyn KeyAdvancer> = self.taken.clone();
        Arc::new(KeyScheduler::new(self.store.clone(), key_advancer, clock, Arc::default()))
    }

    /// Advances both clocks: the clock of the rows and the clock of the process.
    async fn pass(&self, seconds: u64) {
        self.now.fetch_add(seconds, Ordering::Relaxed);
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn replica_leads_until_its_lease_expires() {
    let test_env = test_env(3, None).await;
    let [leader, follower] = [test_env.replica(0), test_env.replica(0)];
    leader.round().await;
    assert_eq!(test_env.taken.take(), ["t0", "t1", "t2"], "by due date");
    follower.round().await;
    assert_eq!(test_env.taken.take(), [""; 0]);
    // A lease that is renewed in time is kept.
    for _ in 0..60 {
        test_env.pass(1).await;
        leader.round().await;
        assert_eq!(test_env.taken.take().len(), 3);
        follower.round().await;
        assert_eq!(test_env.taken.take().len(), 0);
    }
    // The leader is killed.
    let mut waited = 0;
    while test_env.taken.take().is_empty() {
        test_env.pass(1).await;
        waited += 1;
        follower.round().await;
    }
    assert!((10..=15).contains(&waited), "{waited}");
}

#[tokio::test(start_paused = true)]
async fn graceful_stop_releases_the_lease() {
    let test_env = test_env(1, None).await;
    let [leader, follower] = [test_env.replica(0), test_env.replica(0)];
    leader.round().await;
    test_env.taken.take();
    // A replica without the lease has nothing to release.
    follower.round().await;
    test_env.replica(0).finish().await;
    follower.round().await;
    assert_eq!(test_env.taken.take(), [""; 0]);
    leader.finish().await;
    leader.round().await;
    assert_eq!(test_env.taken.take(), [""; 0], "no step after the end");
    follower.round().await;
    assert_eq!(test_env.taken.take(), ["t0"]);
    assert_eq!(follower.rotated.samples()[3].value, 1);
}

#[tokio::test(start_paused = true)]
async fn failing_tenants_do_not_hide_later_ones() {
    let test_env = test_env(130, None).await;
    for number in 0..120 {
        let failure: fn() -> EditError = || EditError::Conflict("no".to_owned());
        test_env.taken.failing.lock().unwrap().insert(fixtures::tenant_id(&format!("t{number}")), failure);
    }
    let leader = test_env.replica(0);
    leader.round().await;
    assert_eq!(test_env.taken.take().len(), 130);
    let mut tried = Vec::new();
    for _ in 0..7 {
        test_env.pass(1).await;
        leader.round().await;
        let taken = test_env.taken.take();
        assert_eq!(
            taken.iter().filter(|id| id.len() == 4 && id.as_str() >= "t120").count(),
            10,
            "each round"
        );
        tried.push(taken.len() - 10);
    }
    assert_eq!(tried, [120, 0, 120, 0, 0, 0, 120], "after 1, 2 and 4 seconds");
    assert_eq!(leader.rotated.samples()[1].value, 480);
}

#[tokio::test(start_paused = true)]
async fn generating_rsa_keys_uses_at_most_half_a_core() {
    for (announces, seconds) in
        [(Some(SigningAlgorithm::RS256), 10), (Some(SigningAlgorithm::ES256), 0), (None, 0)]
    {
        let test_env = test_env(200, announces).await;
        let (leader, began) = (test_env.replica(0), Instant::now());
        let done = timeout(Duration::from_secs(10), leader.round()).await;
        assert_eq!((began.elapsed().as_secs(), done.is_err()), (seconds, seconds > 0), "{announces:?}");
        let expected = if seconds > 0 { 81 } else { 200 };
        assert_eq!(test_env.taken.take().len(), expected, "{announces:?}");
    }
}

/// A key that was generated but could not be sealed took as much time as any other.
#[tokio::test(start_paused = true)]
async fn pause_after_failure_is_as_long_as_the_step() {
    let sealing: fn() -> EditError = || EditError::Seal(keys::SealError::Failed);
    let contended: fn() -> EditError = || EditError::Contended;
    let down: fn() -> EditError = || EditError::Store(StoreError::unavailable("down"));
    for failure in [sealing, contended, down] {
        for (takes, rests) in [(0, 0), (700, 700), (60_000, 5000)] {
            let test_env = test_env(1, None).await;
            *test_env.taken.takes.lock().unwrap() = Duration::from_millis(takes);
            let tenant = fixtures::tenant_id("t0");
            test_env.taken.failing.lock().unwrap().insert(tenant.clone(), failure);
            let (leader, began) = (test_env.replica(0), Instant::now());
            let done = leader.advance(&mut Turn::default(), &tenant).await;
            assert_eq!(began.elapsed().as_millis(), u128::from(takes + rests), "{done:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rotation_continues_after_a_store_outage() {
    let test_env = test_env(1, None).await;
    let leader = test_env.replica(0);
    leader.round().await;
    for failure in [Failure::Unavailable, Failure::Fault] {
        test_env.store.fail_with(failure);
        test_env.pass(6).await;
        leader.round().await;
        assert_eq!(leader.rotated.samples()[3].value, 0, "it may lead no more");
        test_env.store.fail_with(None);
        test_env.taken.take();
        test_env.pass(1).await;
        leader.round().await;
        assert_eq!(test_env.taken.take(), ["t0"]);
    }
}

/// Uses the real administration. The rows equal those of one replica with one clock, except for seconds.
#[tokio::test(start_paused = true)]
async fn clocks_may_differ_by_half_a_minute() {
    let test_env = test_env(0, None).await;
    let lifetime = Lifetime::from_seconds;
    let signing = SigningPolicy {
        algorithm: SigningAlgorithm::ES256,
        rotate_every: lifetime(3_600),
        publish_before: lifetime(600),
        ..SigningPolicy::default()
    };
    let tenant = Tenant { signing, ..fixtures::tenant("acme") };
    test_env.store.put_tenant(tenant.clone());
    let begin = test_env.now.load(Ordering::Relaxed);
    let sealer = Arc::new(SealingKey::generate().unwrap());
    assert!(test_env.store.add_key(&tenant.id, &first_key(&tenant.id, begin)).await.unwrap());
    let policy = EditPolicy {
        public_url: "http://localhost".to_owned(),
        live_secrets: 5,
        api_keys: 10,
        clients: 10_000,
        deletion_grace: lifetime(60),
        l1_lifetime: lifetime(10),
        urls: administration::rules::UrlRule::default(),
        mail: administration::mail::MailPolicy::default(),
    };
    let pepper = Arc::new(Pepper::generate());
    let administrator = Arc::new(Administrator::new(
        test_env.store.clone(),
        sealer,
        pepper,
        KeyPool::new(0),
        policy,
        Arc::new(|_| {}),
        Arc::new(|| Timestamp::from_seconds(0)),
    ));
    let replicas = [0, 30].map(|ahead| {
        let key_advancer = Arc::clone(&administrator) as Arc<dyn KeyAdvancer>;
        KeyScheduler { key_advancer, ..Arc::into_inner(test_env.replica(ahead)).unwrap() }
    });
    // A day in steps of ten seconds. By the fast clock, every lease of the other replica has expired.
    for _ in 0..8_640 {
        test_env.pass(10).await;
        for replica in &replicas {
            replica.round().await;
        }
    }
    let records = test_env.store.load_keys(&tenant.id).await.unwrap().unwrap().records;
    let keys = &records.keys;
    assert!((25..=26).contains(&keys.len()), "{}", keys.len());
    for (one, next) in keys.iter().zip(&keys[1..]) {
        assert_eq!(one.retiring_from, Some(next.active_from), "one signs at a time");
        let published = next.active_from.seconds() - next.announced_at.seconds();
        assert!((600..=640).contains(&published), "{published}");
    }
    assert!(keys[0].removed_at.is_some() && keys[0].sealed_private_key.is_empty());
}
