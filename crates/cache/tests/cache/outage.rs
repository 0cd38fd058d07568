//! Tests outages of the store: which rows are served, for how long, and at which cost.

use std::time::Duration;

use administration::kinds::Invalidation;
use cache::{FRESH, RETRY_PAUSE, REVOCATIONS_FRESH};
use keys::SigningKeyStore as _;
use registry::RevocationStore as _;
use tenancy::{SigningPolicy, StoreError, Tenant};
use testkit::{Failure, fixtures};
use tokio::time::advance;
use values::Lifetime;

use crate::test_env::TestEnv;

const MOMENT: Duration = Duration::from_millis(1);
const ALLOWED: Duration = Duration::from_secs(900);

/// All rows of acme are cached, and the store is unavailable.
async fn in_an_outage(stale_if_error: u64) -> TestEnv {
    let test_env = TestEnv::new();
    let stale_if_error = Lifetime::from_seconds(stale_if_error);
    test_env.store.put_tenant(Tenant { stale_if_error, ..fixtures::tenant("acme") });
    test_env.tenant(&test_env.acme).await.unwrap();
    test_env.client(&test_env.acme).await.unwrap();
    test_env.caches.signing_keys.find_keys(&test_env.acme.id).await.unwrap();
    test_env.store.fail_with(Failure::Unavailable);
    test_env
}

/// Like [`in_an_outage`], but no row is fresh any more.
async fn long_in_an_outage() -> TestEnv {
    let test_env = in_an_outage(900).await;
    advance(FRESH).await;
    test_env
}

async fn served(test_env: &TestEnv) -> [bool; 3] {
    [
        test_env.tenant(&test_env.acme).await.is_ok(),
        test_env.client(&test_env.acme).await.is_ok(),
        test_env.caches.signing_keys.find_keys(&test_env.acme.id).await.is_ok(),
    ]
}

#[tokio::test(start_paused = true)]
async fn tenant_limits_how_long_stale_rows_are_served() {
    let test_env = long_in_an_outage().await;
    assert_eq!(served(&test_env).await, [true; 3]);
    assert!(test_env.caches.is_degraded());
    advance(ALLOWED - MOMENT).await;
    assert_eq!(served(&test_env).await, [true; 3]);
    advance(MOMENT).await;
    assert_eq!(served(&test_env).await, [false; 3]);
}

// [revocation RFC 7009 §2.2.1 c]
/// Without current revocations no token is accepted as valid, but tokens are still issued.
#[tokio::test(start_paused = true)]
async fn stale_revocations_are_only_used_to_issue_tokens() {
    let TestEnv { caches, store, acme, .. } = TestEnv::new();
    let found = async || caches.revocations.find_revocations(&acme.id).await.is_ok();
    let to_issue = async || caches.revocations.find_revocations_to_issue(&acme.id).await.is_ok();
    assert!(found().await);
    store.fail_with(Failure::Unavailable);
    advance(REVOCATIONS_FRESH - MOMENT).await;
    assert!(found().await && to_issue().await);
    advance(MOMENT).await;
    assert!(!found().await && to_issue().await);
    advance(100 * ALLOWED).await;
    assert!(!found().await && to_issue().await);
    caches.apply(&[Invalidation::Revocations(acme.id.clone())]);
    assert!(!found().await && !to_issue().await);
    store.fail_with(None);
    advance(RETRY_PAUSE).await;
    assert!(found().await && to_issue().await);
}

#[tokio::test(start_paused = true)]
async fn tenant_can_forbid_stale_rows() {
    let test_env = in_an_outage(0).await;
    advance(FRESH - MOMENT).await;
    assert_eq!(served(&test_env).await, [true; 3]);
    advance(MOMENT).await;
    assert_eq!(served(&test_env).await, [false; 3]);
}

/// For readiness, any one tenant is enough.
#[tokio::test(start_paused = true)]
async fn caches_serve_stale_while_any_tenant_can_be_served() {
    let test_env = TestEnv::new();
    assert!(!test_env.caches.may_serve_stale(), "nothing is in memory");
    let stale_if_error = Lifetime::from_seconds(0);
    test_env.store.put_tenant(Tenant { stale_if_error, ..fixtures::tenant("acme") });
    for tenant in [&test_env.acme, &test_env.globex] {
        test_env.tenant(tenant).await.unwrap();
        assert!(!test_env.caches.may_serve_stale(), "no client is in memory");
        test_env.caches.signing_keys.find_keys(&tenant.id).await.unwrap();
    }
    test_env.client(&test_env.acme).await.unwrap();
    test_env.store.fail_with(Failure::Unavailable);
    advance(FRESH - MOMENT).await;
    assert!(test_env.caches.may_serve_stale());
    advance(MOMENT).await;
    assert!(!test_env.caches.may_serve_stale(), "acme allows nothing");
    test_env.store.fail_with(None);
    test_env.client(&test_env.globex).await.unwrap();
    test_env.store.fail_with(Failure::Unavailable);
    // The tenant of this row was read earlier, so it expires earlier.
    advance(ALLOWED - MOMENT).await;
    assert!(test_env.caches.may_serve_stale());
    advance(MOMENT).await;
    assert!(!test_env.caches.may_serve_stale());
}

#[tokio::test(start_paused = true)]
async fn invalidated_tenant_is_not_served_stale() {
    let test_env = in_an_outage(900).await;
    assert!(test_env.caches.may_serve_stale());
    test_env.caches.forget(&[Invalidation::Tenant(test_env.acme.id.clone())]);
    assert!(!test_env.caches.may_serve_stale());
}

// [http RFC 5861 §3, §4]
/// A replica without a connection does not publish a key set that lacks a key which another replica signs
/// with. It does not sign with a removed key either.
#[tokio::test(start_paused = true)]
async fn stale_keys_end_before_their_successors_sign() {
    let span = Lifetime::from_seconds;
    let with_margin = |margin: u64| SigningPolicy {
        // The window: 4 + 1 + 2, and the ten seconds for which rows are fresh.
        publish_before: span(17 + margin),
        jwks_max_age: span(4),
        jwks_stale: span(1),
        skew: span(2),
        ..SigningPolicy::default()
    };
    let hasty = SigningPolicy { publish_before: span(1), ..with_margin(0) };
    for (signing, stale_if_error, expected) in [
        (with_margin(0), 900, 0),
        (with_margin(30), 900, 30),
        (with_margin(30), 20, 20),
        (with_margin(900), 900, 900),
        (SigningPolicy::default(), 900, 900),
        // Settings refuse this policy; the margin is never negative.
        (hasty, 900, 0),
    ] {
        let test_env = TestEnv::new();
        let stale_if_error = span(stale_if_error);
        test_env.store.put_tenant(Tenant { signing, stale_if_error, ..fixtures::tenant("acme") });
        let long_lived = SigningPolicy { publish_before: span(100_000), ..SigningPolicy::default() };
        test_env.store.put_tenant(Tenant { signing: long_lived, ..fixtures::tenant("globex") });
        let keys = &test_env.caches.signing_keys;
        for tenant in [&test_env.acme, &test_env.globex] {
            test_env.tenant(tenant).await.unwrap();
            test_env.client(tenant).await.unwrap();
            keys.find_keys(&tenant.id).await.unwrap();
        }
        test_env.store.fail_with(Failure::Unavailable);
        advance(FRESH + Duration::from_secs(expected) - MOMENT).await;
        assert!(keys.find_keys(&test_env.acme.id).await.is_ok(), "{expected}");
        assert!(test_env.caches.may_serve_stale(), "{expected}");
        advance(MOMENT).await;
        let late = keys.find_keys(&test_env.acme.id).await;
        assert!(matches!(late, Err(StoreError::Unavailable(_))), "{expected}");
        assert_eq!(keys.find_keys(&test_env.globex.id).await.is_ok(), expected < 900, "its own allowance");
        // Readiness asks whether any tenant can be served. For acme alone the answer is no.
        test_env.caches.forget(&[Invalidation::Tenant(test_env.globex.id.clone())]);
        assert!(!test_env.caches.may_serve_stale(), "{expected}");
    }
}

#[tokio::test(start_paused = true)]
async fn uncached_rows_are_unavailable_not_unknown() {
    let test_env = TestEnv::new();
    assert!(test_env.named_client(&test_env.acme, "ghost").await.unwrap().is_none());
    test_env.store.fail_with(Failure::Unavailable);
    advance(FRESH).await;
    for id in ["ghost", "svc"] {
        let found = test_env.named_client(&test_env.acme, id).await;
        assert!(matches!(found, Err(StoreError::Unavailable(_))), "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn dead_store_is_tried_once_per_pause() {
    let test_env = long_in_an_outage().await;
    let before = test_env.store.calls().find_client;
    for _ in 0..1000 {
        test_env.client(&test_env.acme).await.unwrap().unwrap();
        test_env.named_client(&test_env.acme, "ghost").await.unwrap_err();
    }
    assert_eq!(test_env.store.calls().find_client, before + 2, "once for each key");
    advance(RETRY_PAUSE).await;
    test_env.client(&test_env.acme).await.unwrap().unwrap();
    tokio::task::yield_now().await;
    assert_eq!(test_env.store.calls().find_client, before + 3);
}

#[tokio::test(start_paused = true)]
async fn stale_reads_do_not_wait_for_the_store() {
    let test_env = long_in_an_outage().await;
    test_env.client(&test_env.acme).await.unwrap();
    let held = test_env.store.hold_answers().await;
    for _ in 0..10 {
        advance(RETRY_PAUSE).await;
        assert_eq!(test_env.client_name(&test_env.acme).await, "svc");
    }
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn recovered_store_is_read_again() {
    let test_env = long_in_an_outage().await;
    assert_eq!(test_env.client_name(&test_env.acme).await, "svc");
    test_env.rename_client(&test_env.acme, "renamed");
    test_env.store.fail_with(None);
    advance(RETRY_PAUSE).await;
    test_env.client(&test_env.acme).await.unwrap();
    tokio::task::yield_now().await;
    assert_eq!(test_env.client_name(&test_env.acme).await, "renamed");
    assert!(!test_env.caches.clients.counters.is_degraded());
}

#[tokio::test(start_paused = true)]
async fn past_outage_does_not_allow_stale_values() {
    let test_env = long_in_an_outage().await;
    assert_eq!(test_env.client_name(&test_env.acme).await, "svc");
    test_env.rename_client(&test_env.acme, "renamed");
    test_env.store.fail_with(None);
    advance(FRESH).await;
    assert_eq!(test_env.client_name(&test_env.acme).await, "renamed");
}
