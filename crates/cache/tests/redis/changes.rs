//! Tests that a change at one replica reaches the others: immediately with a message, within ten seconds
//! without one.

use std::time::{Duration, Instant};

use administration::kinds::Invalidation;
use keys::SigningKeyStore as _;
use tenancy::{Tenant, TenantStore as _};
use testkit::{RedisServer, fixtures};
use tokio::time::sleep;

use crate::test_env::{TestEnv, Traits, eventually, svc_of};

#[tokio::test]
async fn client_change_reaches_the_other_replica_within_a_second() {
    let test_env = TestEnv::new();
    let (first, second) = (test_env.replica().await, test_env.replica().await);
    for replica in [&first, &second] {
        assert_eq!(replica.name(&test_env.acme).await, "svc");
    }
    let mut slowest = Duration::ZERO;
    for number in 0..50 {
        let name = format!("name {number}");
        test_env.rename(&test_env.acme, &name);
        first.caches.apply(&[svc_of(&test_env.acme)]);
        let published_at = Instant::now();
        assert_eq!(first.name(&test_env.acme).await, name, "at once where it was changed");
        while second.name(&test_env.acme).await != name {
            assert!(published_at.elapsed() < Duration::from_secs(5));
            sleep(Duration::from_millis(1)).await;
        }
        slowest = slowest.max(published_at.elapsed());
    }
    println!("slowest of 50 changes: {slowest:?}");
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
}

#[tokio::test]
async fn tenant_change_reaches_replicas_with_clients_and_keys() {
    let test_env = TestEnv::new();
    let (first, second) = (test_env.replica().await, test_env.replica().await);
    for tenant in [&test_env.acme, &test_env.globex] {
        for replica in [&first, &second] {
            replica.token(tenant).await;
        }
        test_env.rename(tenant, "renamed");
        test_env.store.put_tenant(Tenant { name: "renamed".to_owned(), ..tenant.clone() });
        test_env.store.add_key(&tenant.id, &fixtures::key_of(&tenant.id, 1)).await.unwrap();
    }
    first.has_put(6).await;
    assert!(first.caches.publish_invalidation(&[Invalidation::Tenant(test_env.acme.id.clone())]).await);
    eventually("it is heard", || second.redis.counts().received.get() == 1).await;
    let third = test_env.replica().await;
    for replica in [&first, &second, &third] {
        for (tenant, changed) in [(&test_env.acme, true), (&test_env.globex, false)] {
            assert_eq!(replica.name(tenant).await == "renamed", changed);
            let found = replica.caches.tenants.find_tenant(&tenant.id).await.unwrap().unwrap();
            assert_eq!(found.name == "renamed", changed);
            let keys = replica.caches.signing_keys.find_keys(&tenant.id).await.unwrap();
            assert_eq!(keys.keys.len() == 1, changed);
        }
    }
}

#[tokio::test]
async fn added_key_reaches_the_other_replica() {
    let test_env = TestEnv::new();
    let (first, second) = (test_env.replica().await, test_env.replica().await);
    for replica in [&first, &second] {
        replica.token(&test_env.acme).await;
    }
    assert!(first.caches.signing_keys.add_key(&test_env.acme.id, &fixtures::key(1)).await.unwrap());
    let keys = first.caches.signing_keys.find_keys(&test_env.acme.id).await.unwrap();
    assert_eq!(keys.keys.len(), 1, "at once where it was added");
    eventually("it is heard", || second.redis.counts().received.get() == 1).await;
    assert_eq!(second.caches.signing_keys.find_keys(&test_env.acme.id).await.unwrap().keys.len(), 1);
}

#[tokio::test]
async fn many_changes_of_one_tenant_are_published_in_few_steps() {
    let test_env = TestEnv::new();
    let (first, second) = (test_env.replica().await, test_env.replica().await);
    let client = |id: String| Invalidation::Client(test_env.acme.id.clone(), fixtures::client_id(&id));
    let changes: Vec<_> = (0..1000).map(|number| client(format!("client-{number}"))).collect();
    assert!(first.caches.publish_invalidation(&changes).await);
    assert_eq!(first.redis.counts().commands.get(), 5);
    eventually("they are heard", || second.redis.counts().received.get() == 5).await;
}

#[tokio::test]
async fn rows_from_redis_expire_ten_seconds_after_the_read() {
    let test_env = TestEnv::new();
    let first = test_env.replica().await;
    assert_eq!(first.name(&test_env.acme).await, "svc");
    first.has_put(1).await;
    // Nine seconds later by the second replica's clock.
    let second = test_env.replica_with(Traits::ahead(9)).await;
    let read = Instant::now();
    let hit = second.name(&test_env.acme).await == "svc" && second.redis.counts().hits.get() == 1;
    test_env.rename(&test_env.acme, "renamed");
    while second.name(&test_env.acme).await == "svc" {
        assert!(read.elapsed() < Duration::from_secs(5), "believed for longer than ten seconds");
        sleep(Duration::from_millis(10)).await;
    }
    assert!(hit || read.elapsed() > Duration::from_secs(1), "Latchkey did not read it from Redis");
    assert_eq!(first.name(&test_env.acme).await, "svc", "its own ten seconds are not over");
}

#[tokio::test]
async fn change_during_redis_outage_is_published_afterwards() {
    let server = RedisServer::started();
    let test_env = TestEnv::at(&server.url());
    let (first, second) =
        (test_env.replica_with(Traits::quick()).await, test_env.replica_with(Traits::quick()).await);
    for replica in [&first, &second] {
        assert_eq!(replica.name(&test_env.acme).await, "svc");
    }
    server.pause();
    test_env.rename(&test_env.acme, "renamed");
    assert!(!first.caches.publish_invalidation(&[svc_of(&test_env.acme)]).await, "nobody is told");
    // Nothing was read here during the outage, so Redis could return old values afterwards.
    sleep(Duration::from_millis(300)).await;
    server.resume();
    eventually("Redis is back", || first.redis.is_up()).await;
    assert_eq!(first.name(&test_env.acme).await, "renamed");
    let back = Instant::now();
    while second.name(&test_env.acme).await != "renamed" {
        assert!(back.elapsed() < Duration::from_secs(9), "the message was not repeated");
        sleep(Duration::from_millis(10)).await;
    }
}
