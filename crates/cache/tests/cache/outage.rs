//! While the store is down: what serves, for how long, and what it costs.

use std::time::Duration;

use administration::Invalidation;
use cache::{FRESH, RETRY_PAUSE};
use keys::SigningKeyStore as _;
use protocol::Lifetime;
use tenancy::{SigningPolicy, StoreError, Tenant};
use testkit::{Failure, fixtures};
use tokio::time::advance;

use crate::house::House;

const MOMENT: Duration = Duration::from_millis(1);
const ALLOWED: Duration = Duration::from_secs(900);

/// With everything of acme in memory, and the store gone.
async fn in_an_outage(stale_if_error: u64) -> House {
    let house = House::new();
    let stale_if_error = Lifetime::from_seconds(stale_if_error);
    house.store.put_tenant(Tenant { stale_if_error, ..fixtures::tenant("acme") });
    house.tenant(&house.acme).await.unwrap();
    house.client(&house.acme).await.unwrap();
    house.caches.signing_keys.find_keys(&house.acme.id).await.unwrap();
    house.store.fail_with(Failure::Unavailable);
    house
}

async fn served(house: &House) -> [bool; 3] {
    [
        house.tenant(&house.acme).await.is_ok(),
        house.client(&house.acme).await.is_ok(),
        house.caches.signing_keys.find_keys(&house.acme.id).await.is_ok(),
    ]
}

#[tokio::test(start_paused = true)]
async fn what_is_cached_serves_as_long_as_the_tenant_allows() {
    let house = in_an_outage(900).await;
    advance(FRESH).await;
    assert_eq!(served(&house).await, [true; 3]);
    assert!(house.caches.is_degraded());
    advance(ALLOWED - MOMENT).await;
    assert_eq!(served(&house).await, [true; 3]);
    advance(MOMENT).await;
    assert_eq!(served(&house).await, [false; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_tenant_may_allow_nothing() {
    let house = in_an_outage(0).await;
    advance(FRESH - MOMENT).await;
    assert_eq!(served(&house).await, [true; 3]);
    advance(MOMENT).await;
    assert_eq!(served(&house).await, [false; 3]);
}

/// What readiness is told: any one tenant is enough, and which door made it does not matter.
#[tokio::test(start_paused = true)]
async fn caches_may_serve_stale_as_long_as_any_request_can_be_served() {
    let house = House::new();
    assert!(!house.caches.may_serve_stale(), "nothing is in memory");
    house.store.put_tenant(Tenant { stale_if_error: Lifetime::from_seconds(0), ..fixtures::tenant("acme") });
    for tenant in [&house.acme, &house.globex] {
        house.tenant(tenant).await.unwrap();
        assert!(!house.caches.may_serve_stale(), "no client is in memory");
        house.caches.signing_keys.find_keys(&tenant.id).await.unwrap();
    }
    house.client(&house.acme).await.unwrap();
    house.store.fail_with(Failure::Unavailable);
    advance(FRESH - MOMENT).await;
    assert!(house.caches.may_serve_stale());
    advance(MOMENT).await;
    assert!(!house.caches.may_serve_stale(), "acme allows nothing");
    house.store.fail_with(None);
    house.client(&house.globex).await.unwrap();
    house.store.fail_with(Failure::Unavailable);
    // Its tenant was read before.
    advance(ALLOWED - MOMENT).await;
    assert!(house.caches.may_serve_stale());
    advance(MOMENT).await;
    assert!(!house.caches.may_serve_stale());
}

#[tokio::test(start_paused = true)]
async fn a_changed_entry_is_not_served_stale() {
    let house = in_an_outage(900).await;
    assert!(house.caches.may_serve_stale());
    house.caches.forget(&[Invalidation::Tenant(house.acme.id.clone())]);
    assert!(!house.caches.may_serve_stale());
}

/// A replica that is cut off neither hands out a key set without a key that signs elsewhere, nor signs with one that is gone.
#[tokio::test(start_paused = true)]
async fn keys_serve_no_longer_than_their_successors_wait_to_sign() {
    let span = Lifetime::from_seconds;
    let spare = |spare: u64| SigningPolicy {
        // The window: 4 + 1 + 2 and the ten seconds for which rows are fresh.
        publish_before: span(17 + spare),
        jwks_max_age: span(4),
        jwks_stale: span(1),
        skew: span(2),
        ..SigningPolicy::default()
    };
    let hasty = SigningPolicy { publish_before: span(1), ..spare(0) };
    for (signing, stale_if_error, expected) in [
        (spare(0), 900, 0),
        (spare(30), 900, 30),
        (spare(30), 20, 20),
        (spare(900), 900, 900),
        (SigningPolicy::default(), 900, 900),
        // Refused in settings, and never less than nothing.
        (hasty, 900, 0),
    ] {
        let house = House::new();
        let stale_if_error = span(stale_if_error);
        house.store.put_tenant(Tenant { signing, stale_if_error, ..fixtures::tenant("acme") });
        let long_lived = SigningPolicy { publish_before: span(100_000), ..SigningPolicy::default() };
        house.store.put_tenant(Tenant { signing: long_lived, ..fixtures::tenant("globex") });
        let keys = &house.caches.signing_keys;
        for tenant in [&house.acme, &house.globex] {
            house.tenant(tenant).await.unwrap();
            house.client(tenant).await.unwrap();
            keys.find_keys(&tenant.id).await.unwrap();
        }
        house.store.fail_with(Failure::Unavailable);
        advance(FRESH + Duration::from_secs(expected) - MOMENT).await;
        assert!(keys.find_keys(&house.acme.id).await.is_ok(), "{expected}");
        assert!(house.caches.may_serve_stale(), "{expected}");
        advance(MOMENT).await;
        let late = keys.find_keys(&house.acme.id).await;
        assert!(matches!(late, Err(StoreError::Unavailable(_))), "{expected}");
        assert_eq!(keys.find_keys(&house.globex.id).await.is_ok(), expected < 900, "its own allowance");
        // Readiness asks this: of acme alone, nobody is served any more.
        house.caches.forget(&[Invalidation::Tenant(house.globex.id.clone())]);
        assert!(!house.caches.may_serve_stale(), "{expected}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_cached_is_unavailable_and_never_unknown() {
    let house = House::new();
    assert!(house.named_client(&house.acme, "ghost").await.unwrap().is_none());
    house.store.fail_with(Failure::Unavailable);
    advance(FRESH).await;
    for id in ["ghost", "svc"] {
        assert!(matches!(house.named_client(&house.acme, id).await, Err(StoreError::Unavailable(_))), "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_store_is_tried_once_in_a_pause() {
    let house = in_an_outage(900).await;
    advance(FRESH).await;
    let before = house.store.calls().find_client;
    for _ in 0..1000 {
        house.client(&house.acme).await.unwrap().unwrap();
        house.named_client(&house.acme, "ghost").await.unwrap_err();
    }
    assert_eq!(house.store.calls().find_client, before + 2, "once for each key");
    advance(RETRY_PAUSE).await;
    house.client(&house.acme).await.unwrap().unwrap();
    tokio::task::yield_now().await;
    assert_eq!(house.store.calls().find_client, before + 3);
}

#[tokio::test(start_paused = true)]
async fn no_reader_of_a_stale_value_waits_for_a_hung_store() {
    let house = in_an_outage(900).await;
    advance(FRESH).await;
    house.client(&house.acme).await.unwrap();
    let held = house.store.hold_answers().await;
    for _ in 0..10 {
        advance(RETRY_PAUSE).await;
        assert_eq!(house.client_name(&house.acme).await, "svc");
    }
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_back_is_believed_again() {
    let house = in_an_outage(900).await;
    advance(FRESH).await;
    assert_eq!(house.client_name(&house.acme).await, "svc");
    house.rename_client(&house.acme, "renamed");
    house.store.fail_with(None);
    advance(RETRY_PAUSE).await;
    house.client(&house.acme).await.unwrap();
    tokio::task::yield_now().await;
    assert_eq!(house.client_name(&house.acme).await, "renamed");
    assert!(!house.caches.clients.is_degraded());
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_long_ago_excuses_no_stale_value() {
    let house = in_an_outage(900).await;
    advance(FRESH).await;
    assert_eq!(house.client_name(&house.acme).await, "svc");
    house.rename_client(&house.acme, "renamed");
    house.store.fail_with(None);
    advance(FRESH).await;
    assert_eq!(house.client_name(&house.acme).await, "renamed");
}
