//! Tests what is cached, for how long, and for which tenant.

use std::sync::Arc;
use std::time::Duration;

use cache::{FRESH, Freshness};
use keys::SigningKeyStore as _;
use keys::life_cycle::{JwksCacheLifetime, KeyPolicy, cache_lifetime};
use tenancy::{StoreError, Tenant};
use testkit::{Calls, Failure, fixtures};
use tokio::task::yield_now;
use tokio::time::advance;
use values::Lifetime;

use crate::test_env::TestEnv;

const MOMENT: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn a_value_is_read_once_in_ten_seconds() {
    let test_env = TestEnv::new();
    for _ in 0..100 {
        test_env.tenant(&test_env.acme).await.unwrap().unwrap();
        test_env.client(&test_env.acme).await.unwrap().unwrap();
        assert!(test_env.named_client(&test_env.acme, "new").await.unwrap().is_none());
        test_env.caches.signing_keys.find_keys(&test_env.acme.id).await.unwrap();
    }
    let once = Calls { find_tenant: 1, find_client: 2, find_keys: 1, ..Calls::default() };
    assert_eq!(test_env.store.calls(), once);

    test_env.rename_client(&test_env.acme, "renamed");
    advance(FRESH - MOMENT).await;
    assert_eq!(test_env.client_name(&test_env.acme).await, "svc");
    advance(MOMENT).await;
    assert_eq!(test_env.client_name(&test_env.acme).await, "renamed");
    assert_eq!(test_env.store.calls().find_client, 3);
}

#[tokio::test(start_paused = true)]
async fn freshness_setting_limits_values_and_absences() {
    for (fresh, absent) in [(500, 500), (2_000, 1_000), (60_000, 1_000)] {
        let [fresh, absent] = [fresh, absent].map(Duration::from_millis);
        let test_env = TestEnv::with(Freshness::new(fresh));
        test_env.tenant(&test_env.acme).await.unwrap();
        test_env.client_name(&test_env.acme).await;
        test_env.rename_client(&test_env.acme, "renamed");
        advance(fresh - MOMENT).await;
        assert_eq!(test_env.client_name(&test_env.acme).await, "svc");
        advance(MOMENT).await;
        assert_eq!(test_env.client_name(&test_env.acme).await, "renamed");
        assert!(test_env.named_client(&test_env.acme, "new").await.unwrap().is_none());
        test_env.store.put_client(fixtures::client(&test_env.acme, "new"));
        advance(absent - MOMENT).await;
        assert!(test_env.named_client(&test_env.acme, "new").await.unwrap().is_none());
        advance(MOMENT).await;
        assert!(test_env.named_client(&test_env.acme, "new").await.unwrap().is_some());
    }
}

/// The process may be stopped between the store's answer and its use.
#[tokio::test(start_paused = true)]
async fn reader_does_not_join_an_old_load() {
    let test_env = Arc::new(TestEnv::new());
    let held = test_env.store.hold_answers().await;
    let first = test_env.spawn_client_name();
    test_env.store.until(|calls| calls.find_client == 1).await;
    test_env.rename_client(&test_env.acme, "renamed");
    advance(FRESH).await;
    let within = test_env.spawn_client_name();
    yield_now().await;
    advance(MOMENT).await;
    let later = test_env.spawn_client_name();
    yield_now().await;
    drop(held);
    assert_eq!([first.await.unwrap(), within.await.unwrap()], ["svc"; 2]);
    assert_eq!(later.await.unwrap(), "renamed");
    assert_eq!(test_env.store.calls().find_client, 2);
}

// [keys RFC 7517 §4.5], [http RFC 9111 §4.2]
/// Rows expire separately: a replica may already have read the longer `jwks_max_age`, but not yet a key that
/// was announced before it.
#[tokio::test(start_paused = true)]
async fn earlier_keys_keep_the_previous_max_age() {
    let test_env = TestEnv::new();
    let age = async |tenant: &Tenant| {
        let known = test_env.tenant(tenant).await.unwrap().unwrap();
        let records = test_env.caches.signing_keys.find_keys(&tenant.id).await.unwrap();
        let policy = KeyPolicy::new(&known.signing, Lifetime::from_seconds(1), Lifetime::from_seconds(10));
        let JwksCacheLifetime { max_age, stale } = cache_lifetime(&records, &policy, fixtures::NOW);
        (known.signing.jwks_max_age.seconds(), max_age.seconds(), stale.seconds())
    };
    test_env.tenant(&test_env.acme).await.unwrap();
    advance(FRESH / 2).await;
    assert_eq!(age(&test_env.acme).await, (300, 300, 60));
    let mut longer = test_env.acme.clone();
    longer.signing.jwks_max_age = Lifetime::from_seconds(7_000);
    test_env.store.put_tenant(longer);
    advance(FRESH / 2).await;
    assert_eq!(age(&test_env.acme).await, (7_000, 360, 0));
    advance(FRESH / 2).await;
    assert_eq!(age(&test_env.acme).await, (7_000, 7_000, 60));
    assert_eq!(age(&test_env.globex).await, (300, 300, 60));
}

#[tokio::test]
async fn equal_client_ids_of_two_tenants_are_separate_entries() {
    let test_env = TestEnv::new();
    test_env.rename_client(&test_env.acme, "acme's");
    test_env.rename_client(&test_env.globex, "globex's");
    for _ in 0..2 {
        assert_eq!(test_env.client_name(&test_env.acme).await, "acme's");
        assert_eq!(test_env.client_name(&test_env.globex).await, "globex's");
    }
    assert_eq!(test_env.store.calls().find_client, 2);
}

#[tokio::test]
async fn a_store_fault_is_returned_and_not_cached() {
    let test_env = TestEnv::new();
    test_env.store.fail_with(Failure::Fault);
    assert!(matches!(test_env.client(&test_env.acme).await, Err(StoreError::Fault(_))));
    test_env.store.fail_with(None);
    assert_eq!(test_env.client_name(&test_env.acme).await, "svc");
}
