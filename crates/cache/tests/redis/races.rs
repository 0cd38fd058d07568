//! Tests that a load leaves nothing in Redis if a change happens during the load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use administration::kinds::Invalidation;
use testkit::fixtures;

use crate::test_env::{TestEnv, eventually, svc_of};

#[tokio::test]
async fn slow_reader_does_not_share_a_row_changed_meanwhile() {
    for whole_tenant in [false, true] {
        for flushed in [false, true] {
            let test_env = TestEnv::new();
            let (slow, changing) = (Arc::new(test_env.replica().await), test_env.replica().await);
            let held = test_env.store.hold_answers().await;
            let before = slow.spawn_name(&test_env.acme);
            test_env.store.until(|calls| calls.find_client == 1).await;
            test_env.rename(&test_env.acme, "renamed");
            let acme = test_env.acme.id.clone();
            let change = if whole_tenant { Invalidation::Tenant(acme) } else { svc_of(&test_env.acme) };
            assert!(changing.caches.publish_invalidation(&[change]).await);
            if flushed {
                let mut redis = test_env.redis();
                for name in test_env.names() {
                    redis::cmd("DEL").arg(name).exec(&mut redis).unwrap();
                }
            }
            drop(held);
            assert_eq!(before.await.unwrap(), "svc", "it asked before the change");
            eventually("the put is refused", || slow.redis.counts().overtaken_puts.get() == 1).await;
            for replica in [&*slow, &changing, &test_env.replica().await] {
                assert_eq!(replica.name(&test_env.acme).await, "renamed");
            }
        }
    }
}

#[tokio::test]
async fn only_reads_after_the_change_are_shared() {
    let test_env = TestEnv::new();
    let (slow, quick) = (Arc::new(test_env.replica().await), test_env.replica().await);
    let held = test_env.store.hold_answers().await;
    let before = slow.spawn_name(&test_env.acme);
    test_env.store.until(|calls| calls.find_client == 1).await;
    test_env.rename(&test_env.acme, "renamed");
    assert!(quick.caches.publish_invalidation(&[svc_of(&test_env.acme)]).await);
    let after = quick.name(&test_env.acme);
    let release = async {
        test_env.store.until(|calls| calls.find_client == 2).await;
        drop(held);
    };
    let (after, ()) = tokio::join!(after, release);
    assert_eq!((before.await.unwrap().as_str(), after.as_str()), ("svc", "renamed"));
    quick.has_put(1).await;
    eventually("the put is refused", || slow.redis.counts().overtaken_puts.get() == 1).await;
    let third = test_env.replica().await;
    assert_eq!(third.name(&test_env.acme).await, "renamed");
    assert_eq!(third.redis.counts().hits.get(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changing_replica_never_reads_earlier_rows() {
    let test_env = Arc::new(TestEnv::new());
    let (changing, other) = (Arc::new(test_env.replica().await), Arc::new(test_env.replica().await));
    let done = Arc::new(AtomicBool::new(false));
    let readers = [&changing, &other, &other].map(|replica| {
        let (test_env, replica, done) = (Arc::clone(&test_env), Arc::clone(replica), Arc::clone(&done));
        tokio::spawn(async move {
            let svc = (test_env.acme.id.clone(), fixtures::client_id("svc"));
            while !done.load(Ordering::SeqCst) {
                replica.name(&test_env.acme).await;
                // Drops the entry each time, so that Redis is always read.
                replica.caches.clients.invalidate(&svc);
                tokio::task::yield_now().await;
            }
        })
    });
    for number in 0..500 {
        let name = format!("name {number}");
        test_env.rename(&test_env.acme, &name);
        let acme = test_env.acme.id.clone();
        let change = if number % 2 == 0 { Invalidation::Tenant(acme) } else { svc_of(&test_env.acme) };
        if number % 3 == 0 {
            changing.caches.apply(&[change]);
        } else {
            assert!(changing.caches.publish_invalidation(&[change]).await);
        }
        assert_eq!(changing.name(&test_env.acme).await, name);
    }
    done.store(true, Ordering::SeqCst);
    for reader in readers {
        reader.await.unwrap();
    }
    assert!(other.redis.counts().hits.get() > 0, "{:?}", other.redis.counts());
}
