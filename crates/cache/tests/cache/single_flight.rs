//! Tests that concurrent requests for a cold key cause one load.

use std::sync::Arc;

use tenancy::StoreError;
use testkit::Failure;

use crate::test_env::TestEnv;

// [limits #42]: concurrent loads of one cold row | one; all other requests wait for it |
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_requests_for_a_cold_client_load_once() {
    let test_env = Arc::new(TestEnv::new());
    let held = test_env.store.hold_answers().await;
    let requests: Vec<_> = (0..2000).map(|_| test_env.spawn_client_name()).collect();
    test_env.store.until(|calls| calls.find_client > 0).await;
    drop(held);
    for request in requests {
        assert_eq!(request.await.unwrap(), "svc");
    }
    assert_eq!(test_env.store.calls().find_client, 1);
    assert_eq!(test_env.caches.clients.counters.loads.get(), 1);
}

#[tokio::test]
async fn failed_load_fails_only_its_waiters() {
    for failure in [Failure::Unavailable, Failure::Fault] {
        let test_env = Arc::new(TestEnv::new());
        test_env.store.fail_with(failure);
        let held = test_env.store.hold_answers().await;
        let ask = || {
            let test_env = Arc::clone(&test_env);
            tokio::spawn(async move { test_env.client(&test_env.acme).await })
        };
        let requests = [ask(), ask(), ask()];
        test_env.store.until(|calls| calls.find_client > 0).await;
        drop(held);
        for request in requests {
            let error = request.await.unwrap().unwrap_err();
            assert_eq!(matches!(error, StoreError::Unavailable(_)), failure == Failure::Unavailable);
        }
        assert_eq!(test_env.store.calls().find_client, 1, "{failure:?}");
        assert!(test_env.client(&test_env.globex).await.is_err(), "another key asks for itself");
        assert_eq!(test_env.store.calls().find_client, 2);
    }
}

#[tokio::test]
async fn cancelled_caller_does_not_cancel_the_load() {
    let test_env = Arc::new(TestEnv::new());
    let held = test_env.store.hold_answers().await;
    let (first, second) = (test_env.spawn_client_name(), test_env.spawn_client_name());
    test_env.store.until(|calls| calls.find_client > 0).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    drop(held);
    assert_eq!(second.await.unwrap(), "svc");
    assert_eq!(test_env.store.calls().find_client, 1);
}
