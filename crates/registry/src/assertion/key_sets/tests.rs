//! Tests that fetches are shared, counted and limited.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use tokio::task::yield_now;
use tokio::time::{advance, sleep};

use super::*;

const URL: &str = "https://keys.example.com/jwks";
const OF_CLIENT: KeySource<'static> = KeySource::of_client(URL);

/// Answers after `takes` with a set of this size, or fails.
#[derive(Default)]
struct FakeFetcher {
    takes: Duration,
    size: AtomicUsize,
    is_away: Mutex<bool>,
    fetches: Mutex<Vec<(TenantId, String)>>,
    running: AtomicUsize,
    most_running: AtomicUsize,
}

#[async_trait]
impl JwksFetcher for FakeFetcher {
    async fn fetch_jwks(&self, tenant: &TenantId, source: &KeySource<'_>) -> Option<FetchedJwks> {
        self.fetches.lock().push((tenant.clone(), source.text.clone().into_owned()));
        let running = self.running.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_running.fetch_max(running, Ordering::Relaxed);
        sleep(self.takes).await;
        self.running.fetch_sub(1, Ordering::Relaxed);
        let size = self.size.load(Ordering::Relaxed);
        let fetched = FetchedJwks { keys: PublicKeys::default(), size, max_age: None };
        (!*self.is_away.lock()).then_some(fetched)
    }
}

fn sets(takes: Duration) -> (Arc<FakeFetcher>, Arc<KeySets>) {
    let fetcher = Arc::new(FakeFetcher { takes, ..FakeFetcher::default() });
    (Arc::clone(&fetcher), KeySets::new(fetcher))
}

fn tenant(id: &str) -> TenantId {
    TenantId::parse(id).unwrap()
}

/// The set of a client of this tenant, at the URL with this number.
async fn numbered(sets: &Arc<KeySets>, tenant: &TenantId, number: usize) -> Option<Arc<PublicKeys>> {
    sets.find(&sets.source(tenant, &KeySource::of_client(&format!("{URL}/{number}")))).await
}

/// The set at the common URL.
async fn known(sets: &Arc<KeySets>, tenant: &TenantId) -> Option<Arc<PublicKeys>> {
    sets.find(&sets.source(tenant, &OF_CLIENT)).await
}

impl FakeFetcher {
    fn count(&self) -> usize {
        self.fetches.lock().len()
    }

    fn be_away(&self, is_away: bool) {
        *self.is_away.lock() = is_away;
    }
}

// [fetches #7]
#[tokio::test(start_paused = true)]
async fn concurrent_requests_share_one_fetch() {
    let (fetcher, sets) = sets(Duration::from_millis(300));
    let request = |_| {
        let sets = Arc::clone(&sets);
        tokio::spawn(async move { known(&sets, &tenant("acme")).await.is_some() })
    };
    let requests: Vec<_> = (0..1_000).map(request).collect();
    for request in requests {
        assert!(request.await.unwrap());
    }
    assert_eq!(fetcher.count(), 1);
}

// [fetches #9]: the URL of another tenant's client, to use or to spoil its set | each tenant has its own set
#[tokio::test(start_paused = true)]
async fn tenants_with_one_url_have_separate_sets() {
    let (fetcher, sets) = sets(Duration::ZERO);
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    let of_acme = sets.find(&sets.source(&acme, &OF_CLIENT)).await.unwrap();
    let of_globex = sets.find(&sets.source(&globex, &OF_CLIENT)).await.unwrap();
    assert!(!Arc::ptr_eq(&of_acme, &of_globex));
    let fetches = [&acme, &globex].map(|tenant| (tenant.clone(), URL.to_owned()));
    assert_eq!(*fetcher.fetches.lock(), fetches);
    // A fetch for an unknown key at one tenant does not use up that of the other tenant.
    assert!(sets.find_newer(&sets.source(&acme, &OF_CLIENT), &of_acme).await.is_some());
    assert!(Arc::ptr_eq(&sets.find(&sets.source(&globex, &OF_CLIENT)).await.unwrap(), &of_globex));
    assert!(sets.find_newer(&sets.source(&globex, &OF_CLIENT), &of_globex).await.is_some());
    assert_eq!(fetcher.count(), 4);
}

#[tokio::test(start_paused = true)]
async fn cancelled_request_does_not_cancel_the_fetch() {
    let (fetcher, sets) = sets(Duration::from_millis(300));
    let of_request = Arc::clone(&sets);
    let request = tokio::spawn(async move { known(&of_request, &tenant("acme")).await.is_some() });
    while fetcher.count() == 0 {
        yield_now().await;
    }
    request.abort();
    assert!(sets.find(&sets.source(&tenant("acme"), &OF_CLIENT)).await.is_some());
    assert_eq!(fetcher.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn unavailable_source_keeps_its_set_and_limits_fetches() {
    let (fetcher, sets) = sets(Duration::from_millis(300));
    let acme = tenant("acme");
    fetcher.be_away(true);
    for _ in 0..100 {
        assert!(sets.find(&sets.source(&acme, &OF_CLIENT)).await.is_none());
    }
    assert_eq!(fetcher.count(), 1);
    fetcher.be_away(false);
    advance(Duration::from_secs(30)).await;
    let find = async || known(&sets, &acme).await.unwrap();
    let known = find().await;
    assert_eq!(fetcher.count(), 2);

    fetcher.be_away(true);
    advance(Duration::from_secs(600)).await;
    // The first request after the set has expired waits for the fetch, which fails. Later requests do not
    // wait.
    assert!(Arc::ptr_eq(&find().await, &known));
    assert_eq!(fetcher.count(), 3);
    for second in 0..3_600 {
        let begun = Instant::now();
        assert!(Arc::ptr_eq(&find().await, &known), "{second}");
        assert_eq!(begun.elapsed(), Duration::ZERO, "{second}");
        advance(Duration::from_secs(1)).await;
        yield_now().await;
    }
    assert!((110..=130).contains(&fetcher.count()), "{}", fetcher.count());

    fetcher.be_away(false);
    advance(Duration::from_secs(31)).await;
    assert!(Arc::ptr_eq(&find().await, &known), "it is fetched for later requests");
    sleep(Duration::from_secs(1)).await;
    assert!(!Arc::ptr_eq(&find().await, &known));
}

// [registration RFC 7591 §2 g]
#[tokio::test(start_paused = true)]
async fn unknown_keys_cause_one_fetch_a_minute() {
    let (fetcher, sets) = sets(Duration::from_millis(10));
    let acme = tenant("acme");
    let mut seen = sets.find(&sets.source(&acme, &OF_CLIENT)).await.unwrap();
    for _ in 0..120 {
        for _ in 0..20 {
            if let Some(newer) = sets.find_newer(&sets.source(&acme, &OF_CLIENT), &seen).await {
                seen = newer;
            }
        }
        advance(Duration::from_secs(1)).await;
    }
    assert!((3..=4).contains(&fetcher.count()), "{}", fetcher.count());
}

#[tokio::test(start_paused = true)]
async fn refusal_delay_equals_the_tenants_longest_fetch() {
    let (_, sets) = sets(Duration::from_millis(700));
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    assert_eq!(sets.refusal_delay(&acme), Duration::ZERO);
    sets.find(&sets.source(&acme, &OF_CLIENT)).await.unwrap();
    assert_eq!(sets.refusal_delay(&acme), Duration::from_millis(700));
    assert_eq!(sets.refusal_delay(&globex), Duration::ZERO);
    advance(REMEMBERED).await;
    assert_eq!(sets.refusal_delay(&acme), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn concurrent_fetches_are_limited_for_each_tenant() {
    let (fetcher, sets) = sets(Duration::from_secs(2));
    for number in 0..FLIGHTS_OF_TENANT * 3 {
        let sets = Arc::clone(&sets);
        tokio::spawn(async move { numbered(&sets, &tenant("acme"), number).await.is_some() });
    }
    while fetcher.count() < FLIGHTS_OF_TENANT {
        yield_now().await;
    }
    let begun = Instant::now();
    assert!(sets.find(&sets.source(&tenant("globex"), &OF_CLIENT)).await.is_some());
    assert!(begun.elapsed() <= Duration::from_millis(2_001), "{:?}", begun.elapsed());
    assert_eq!(fetcher.most_running.load(Ordering::Relaxed), FLIGHTS_OF_TENANT + 1);
}

// [fetches #8]: many clients with large sets, to fill the memory | 16 MiB for a tenant, whose own sets go
//   first
#[tokio::test(start_paused = true)]
async fn tenant_sets_stay_within_their_share() {
    let (fetcher, sets) = sets(Duration::ZERO);
    fetcher.size.store(64 << 10, Ordering::Relaxed);
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    known(&sets, &globex).await.unwrap();
    let of_globex = bytes_of(&sets, &globex);
    for number in 0..100 {
        numbered(&sets, &acme, number).await.unwrap();
        assert!(bytes_of(&sets, &acme) <= SHARE, "{number}: {}", bytes_of(&sets, &acme));
        advance(Duration::from_millis(1)).await;
        assert_eq!(bytes_of(&sets, &acme), counted(&sets.tenants.lock()[&acme]));
    }
    assert_eq!(bytes_of(&sets, &globex), of_globex);
    // The latest sets are kept.
    numbered(&sets, &acme, 99).await.unwrap();
    assert_eq!(fetcher.count(), 101);
    numbered(&sets, &acme, 0).await.unwrap();
    assert_eq!(fetcher.count(), 102);
}

/// The bytes of a tenant's sets according to the counter.
fn bytes_of(sets: &KeySets, tenant: &TenantId) -> usize {
    sets.tenants.lock().get(tenant).map_or(0, |of_tenant| of_tenant.bytes)
}

/// The bytes of a tenant's sets, summed.
fn counted(of_tenant: &OfTenant) -> usize {
    of_tenant.sources.values().map(|source| source.state.lock().bytes).sum()
}

fn all_bytes(sets: &KeySets) -> usize {
    sets.tenants.lock().values().map(|of_tenant| of_tenant.bytes).sum()
}

#[tokio::test(start_paused = true)]
async fn total_is_bounded_and_largest_tenants_are_evicted() {
    let (fetcher, sets) = sets(Duration::ZERO);
    let small = tenant("small");
    let of_small = sets.find(&sets.source(&small, &OF_CLIENT)).await.unwrap();
    let size_of_small = bytes_of(&sets, &small);
    fetcher.size.store(64 << 10, Ordering::Relaxed);
    // Each tenant uses its full share, so together they would need twice the limit.
    let (tenants, of_each) = (2 * ALL / SHARE, SHARE / (COST[1] * (64 << 10)) - 1);
    let mut fetched = 0;
    for nth in 0..tenants {
        let large = tenant(&format!("large-{nth}"));
        for number in 0..of_each {
            let found = numbered(&sets, &large, number).await.unwrap();
            fetched += COST[0] + COST[1] * (64 << 10);
            assert!(bytes_of(&sets, &large) <= SHARE, "{nth} {number}");
            assert!(all_bytes(&sets) <= ALL, "{nth} {number}: {}", all_bytes(&sets));
            let again = numbered(&sets, &large, number).await.unwrap();
            assert!(Arc::ptr_eq(&again, &found), "the latest stays");
            advance(Duration::from_millis(1)).await;
        }
    }
    assert!(fetched > 3 * ALL / 2, "{fetched}");
    assert!(all_bytes(&sets) > ALL / 2, "no more goes than has to: {}", all_bytes(&sets));
    let held: usize = sets.tenants.lock().values().map(counted).sum();
    assert_eq!(held, all_bytes(&sets));
    // The tenant with the smallest sets has lost none.
    assert_eq!(bytes_of(&sets, &small), size_of_small);
    assert!(Arc::ptr_eq(&sets.find(&sets.source(&small, &OF_CLIENT)).await.unwrap(), &of_small));
}

#[tokio::test(start_paused = true)]
async fn silent_sources_stay_within_the_bound() {
    let (fetcher, sets) = sets(Duration::ZERO);
    fetcher.size.store(64 << 10, Ordering::Relaxed);
    let set = COST[1] * (64 << 10) + 2 * COST[0];
    let mut number = 0;
    while all_bytes(&sets) + set <= ALL {
        let large = tenant(&format!("large-{}", number % 32));
        numbered(&sets, &large, number).await.unwrap();
        number += 1;
    }
    fetcher.be_away(true);
    let before = all_bytes(&sets);
    let sources = 2 * set / COST[0];
    for number in 0..sources {
        let silent = tenant(&format!("silent-{}", number % 32));
        assert!(numbered(&sets, &silent, number).await.is_none());
        assert!(all_bytes(&sets) <= ALL, "{number}: {}", all_bytes(&sets));
    }
    assert!(before + sources * COST[0] > ALL, "they would not fit otherwise");
}
