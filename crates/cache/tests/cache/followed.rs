//! Tests that following the change log keeps rows fresh.

use std::time::Duration;

use cache::FRESH;
use registry::RevocationStore as _;
use tenancy::History;
use testkit::{Calls, fixtures};
use tokio::time::{Instant, advance};

use crate::test_env::TestEnv;

const PERIOD: Duration = Duration::from_millis(250);
/// Longer than connections to a previous server may answer.
const SETTLED: Duration = Duration::from_secs(11);

/// Follows the changes for this time.
async fn follow(test_env: &TestEnv, time: Duration) {
    for _ in 0..time.as_millis() / PERIOD.as_millis() {
        test_env.caches.follow(Instant::now());
        advance(PERIOD).await;
    }
}

// When each row was read once in ten seconds, 600 active clients of 150 tenants caused 114 statements a
// second at each replica.
#[tokio::test(start_paused = true)]
async fn followed_rows_are_not_read_again() {
    let test_env = TestEnv::new();
    test_env.caches.begin_history(History(1));
    follow(&test_env, SETTLED).await;
    let tenants: Vec<_> = (0..150).map(|nth| fixtures::tenant(&format!("tenant-{nth}"))).collect();
    for tenant in &tenants {
        test_env.store.put_tenant(tenant.clone());
        (0..4).for_each(|nth| test_env.store.put_client(fixtures::client(tenant, &format!("svc-{nth}"))));
    }
    let each_reads = async || {
        for tenant in &tenants {
            test_env.tenant(tenant).await.unwrap().unwrap();
            test_env.caches.revocations.find_revocations(&tenant.id).await.unwrap();
            for nth in 0..4 {
                test_env.named_client(tenant, &format!("svc-{nth}")).await.unwrap().unwrap();
            }
        }
    };
    each_reads().await;
    let once = test_env.store.calls();
    assert_eq!(once, Calls { find_tenant: 150, find_client: 600, find_revocations: 150, ..Calls::default() });
    for _ in 0..59 {
        follow(&test_env, FRESH).await;
        each_reads().await;
    }
    assert_eq!(test_env.store.calls(), once);

    // All rows are read again within half an hour, but not at the same time.
    let mut most = 0;
    let clients = || test_env.store.calls().find_client;
    for _ in 0..120 {
        let before = clients();
        follow(&test_env, FRESH).await;
        each_reads().await;
        most = most.max(clients() - before);
    }
    assert!((1_200..1_800).contains(&clients()), "{} were read", clients());
    assert!(most <= 30, "{most} clients in ten seconds");

    // The log is not followed any more.
    let before = clients();
    advance(FRESH).await;
    each_reads().await;
    assert_eq!(clients(), before + 600);
}

#[tokio::test(start_paused = true)]
async fn absences_and_rows_of_older_histories_are_not_followed() {
    let test_env = TestEnv::new();
    let (acme, globex) = (&test_env.acme, &test_env.globex);
    test_env.client_name(acme).await;
    test_env.caches.begin_history(History(1));
    test_env.client_name(globex).await;
    test_env.rename_client(acme, "renamed");
    test_env.rename_client(globex, "renamed");
    // A connection to the previous server may have answered the second read.
    follow(&test_env, SETTLED).await;
    assert_eq!([test_env.client_name(acme).await, test_env.client_name(globex).await], ["renamed"; 2]);

    assert!(test_env.named_client(acme, "new").await.unwrap().is_none());
    test_env.store.put_client(fixtures::client(acme, "new"));
    follow(&test_env, Duration::from_secs(1)).await;
    assert!(test_env.named_client(acme, "new").await.unwrap().is_some());
    assert!(test_env.named_client(globex, "new").await.unwrap().is_none());
}
