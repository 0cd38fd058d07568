//! What is cached, for how long, and for whom.

use std::time::Duration;

use cache::{FRESH, Freshness, NEGATIVE_FRESH};
use keys::SigningKeyStore as _;
use tenancy::StoreError;
use testkit::{Calls, Failure, fixtures};
use tokio::time::advance;

use crate::house::House;

const MOMENT: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn a_value_is_read_once_in_ten_seconds() {
    let house = House::new();
    for _ in 0..100 {
        house.tenant(&house.acme).await.unwrap().unwrap();
        house.client(&house.acme).await.unwrap().unwrap();
        house.caches.signing_keys.find_keys(&house.acme.id).await.unwrap();
    }
    let once = Calls { find_tenant: 1, find_client: 1, find_keys: 1, ..Calls::default() };
    assert_eq!(house.store.calls(), once);

    house.rename_client(&house.acme, "renamed");
    advance(FRESH - MOMENT).await;
    assert_eq!(house.client_name(&house.acme).await, "svc");
    advance(MOMENT).await;
    assert_eq!(house.client_name(&house.acme).await, "renamed");
    assert_eq!(house.store.calls().find_client, 2);
}

#[tokio::test(start_paused = true)]
async fn a_value_is_fresh_for_as_long_as_is_set_and_an_absence_for_no_longer() {
    for (fresh, absent) in [(500, 500), (2_000, 1_000), (60_000, 1_000)] {
        let [fresh, absent] = [fresh, absent].map(Duration::from_millis);
        let house = House::with(Freshness::new(fresh));
        house.tenant(&house.acme).await.unwrap();
        house.client_name(&house.acme).await;
        house.rename_client(&house.acme, "renamed");
        advance(fresh - MOMENT).await;
        assert_eq!(house.client_name(&house.acme).await, "svc");
        advance(MOMENT).await;
        assert_eq!(house.client_name(&house.acme).await, "renamed");
        assert!(house.named_client(&house.acme, "new").await.unwrap().is_none());
        house.store.put_client(fixtures::client(&house.acme, "new"));
        advance(absent - MOMENT).await;
        assert!(house.named_client(&house.acme, "new").await.unwrap().is_none());
        advance(MOMENT).await;
        assert!(house.named_client(&house.acme, "new").await.unwrap().is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn an_absence_is_cached_for_a_second() {
    let house = House::new();
    for _ in 0..100 {
        assert!(house.named_client(&house.acme, "new").await.unwrap().is_none());
    }
    assert_eq!(house.store.calls().find_client, 1);

    house.store.put_client(fixtures::client(&house.acme, "new"));
    advance(NEGATIVE_FRESH).await;
    assert!(house.named_client(&house.acme, "new").await.unwrap().is_some());
}

#[tokio::test]
async fn two_tenants_clients_of_one_name_never_share_an_entry() {
    let house = House::new();
    house.rename_client(&house.acme, "acme's");
    house.rename_client(&house.globex, "globex's");
    for _ in 0..2 {
        assert_eq!(house.client_name(&house.acme).await, "acme's");
        assert_eq!(house.client_name(&house.globex).await, "globex's");
    }
    assert_eq!(house.store.calls().find_client, 2);
}

#[tokio::test]
async fn a_store_fault_is_returned_and_not_cached() {
    let house = House::new();
    house.store.fail_with(Failure::Fault);
    assert!(matches!(house.client(&house.acme).await, Err(StoreError::Fault(_))));
    house.store.fail_with(None);
    assert_eq!(house.client_name(&house.acme).await, "svc");
}
