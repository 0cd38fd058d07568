//! Tests that a row that one replica has read need not be read by others, and the number of commands for
//! this.

use std::sync::Arc;
use std::time::Duration;

use cache::Freshness;
use keys::SigningKeyStore as _;
use registry::ClientSecret;
use secrets::SecretHash;
use tenancy::TenantStore as _;
use testkit::{Calls, fixtures};
use tokio::time::sleep;

use crate::test_env::{TestEnv, Traits, svc_of};

#[tokio::test]
async fn rows_shared_in_redis_need_no_store_read() {
    let test_env = TestEnv::new();
    test_env.store.add_key(&test_env.acme.id, &fixtures::key(1)).await.unwrap();
    let mut client = fixtures::client(&test_env.acme, "svc: {é}");
    client.secrets = vec![fixtures::secret("one")];
    test_env.store.put_client(client.clone());
    let (first, second) = (test_env.replica().await, test_env.replica().await);
    let before = test_env.store.calls();
    for replica in [&first, &second] {
        let tenant = replica.caches.tenants.find_tenant(&test_env.acme.id).await.unwrap().unwrap();
        assert_eq!(*tenant, test_env.acme);
        assert_eq!(*replica.client(&test_env.acme, "svc: {é}").await.unwrap(), client);
        let keys = replica.caches.signing_keys.find_keys(&test_env.acme.id).await.unwrap();
        assert_eq!(keys.keys, [fixtures::key(1)]);
        first.has_put(3).await;
    }
    let after = test_env.store.calls();
    assert_eq!(after.total() - before.total(), 3, "{after:?}");
    assert_eq!(second.redis.counts().hits.get(), 3);
}

#[tokio::test]
async fn redis_commands_per_token_are_bounded() {
    let test_env = TestEnv::new();
    let (first, second) = (test_env.replica().await, test_env.replica().await);
    let commands = || (first.redis.counts().commands.get(), second.redis.counts().commands.get());

    first.token(&test_env.acme).await;
    first.has_put(3).await;
    assert_eq!(commands(), (6, 0), "cold everywhere: look and put for tenant, client and keys");
    second.token(&test_env.acme).await;
    assert_eq!(commands(), (6, 3), "cold here, warm in Redis");
    for _ in 0..100 {
        first.token(&test_env.acme).await;
        second.token(&test_env.acme).await;
    }
    assert_eq!(commands(), (6, 3), "warm");

    test_env.rename(&test_env.acme, "renamed");
    assert!(first.caches.publish_invalidation(&[svc_of(&test_env.acme)]).await);
    assert_eq!(commands(), (7, 3), "the change itself");
    first.token(&test_env.acme).await;
    first.has_put(4).await;
    assert_eq!(commands(), (9, 3), "after a change");
    crate::test_env::eventually("the change is heard", || second.redis.counts().received.get() == 1).await;
    second.token(&test_env.acme).await;
    assert_eq!(commands(), (9, 4), "after another replica's change");
    let once = Calls { find_tenant: 1, find_client: 2, find_keys: 1, ..Calls::default() };
    assert_eq!(test_env.store.calls(), once);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_thousand_cold_requests_take_two_redis_commands() {
    let test_env = TestEnv::new();
    let replica = Arc::new(test_env.replica().await);
    let held = test_env.store.hold_answers().await;
    let requests: Vec<_> = (0..2000).map(|_| replica.spawn_name(&test_env.acme)).collect();
    test_env.store.until(|calls| calls.find_client > 0).await;
    drop(held);
    for request in requests {
        assert_eq!(request.await.unwrap(), "svc");
    }
    replica.has_put(1).await;
    assert_eq!(test_env.store.calls().find_client, 1);
    assert_eq!(replica.redis.counts().commands.get(), 2);
}

#[tokio::test]
async fn an_absence_is_shared_for_a_second_only() {
    let test_env = TestEnv::new();
    let (first, second) = (test_env.replica().await, test_env.replica().await);
    assert!(first.client(&test_env.acme, "new").await.is_none());
    first.has_put(1).await;
    assert!(second.client(&test_env.acme, "new").await.is_none());
    // If the machine is busy for a second in between, there may be a second read.
    assert!(test_env.store.calls().find_client <= 2);
    test_env.store.put_client(fixtures::client(&test_env.acme, "new"));
    sleep(Duration::from_millis(1100)).await;
    assert!(second.client(&test_env.acme, "new").await.is_some());
    assert!(first.client(&test_env.acme, "new").await.is_some());
}

#[tokio::test]
async fn freshness_of_the_reader_limits_shared_rows() {
    let test_env = TestEnv::new();
    let brief = || Traits { freshness: Freshness::new(Duration::from_secs(1)), ..Traits::default() };
    let usual = test_env.replica().await;
    let (brief, later) = (test_env.replica_with(brief()).await, test_env.replica_with(brief()).await);
    assert_eq!(usual.name(&test_env.acme).await, "svc");
    usual.has_put(1).await;
    test_env.rename(&test_env.acme, "renamed");
    sleep(Duration::from_millis(1_100)).await;
    assert_eq!(brief.name(&test_env.acme).await, "renamed", "read a second ago");
    brief.has_put(1).await;
    let name = test_env.name(&test_env.acme, "client:svc");
    let left: i64 = redis::cmd("PTTL").arg(&name).query(&mut test_env.redis()).unwrap();
    assert!(left <= 1_000, "{left}");
    assert_eq!(later.name(&test_env.acme).await, "renamed");
}

// [parties #11]
#[tokio::test]
async fn redis_holds_no_secret_in_clear_text() {
    const CANARY: &[u8] = b"canary-of-a-secret";
    let test_env = TestEnv::new();
    let text = String::from_utf8_lossy(CANARY).into_owned();
    let hash = SecretHash::Password(format!("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ${text}"));
    let chosen = ClientSecret { hash, ..fixtures::secret("chosen") };
    let (name, secrets) = (text.clone(), vec![chosen, fixtures::secret("generated")]);
    let svc = fixtures::client(&test_env.acme, "svc");
    test_env.store.put_client(registry::Client { name, secrets, ..svc });
    let sealed = keys::KeyRecord { sealed_private_key: CANARY.to_vec(), ..fixtures::key(1) };
    test_env.store.add_key(&test_env.acme.id, &sealed).await.unwrap();
    let replica = test_env.replica().await;
    replica.token(&test_env.acme).await;
    replica.has_put(3).await;

    let mut redis = test_env.redis();
    let names = test_env.names();
    assert!(names.len() >= 3, "{names:?}");
    let encoded = serde_json::to_vec(&text).unwrap();
    for name in names {
        let value: Vec<u8> = redis::cmd("GET").arg(&name).query(&mut redis).unwrap();
        for canary in [CANARY, b"$argon2id", b"hmac-sha256", &[7; 32], b"Y2FuYXJ5", b"thumbprint", &encoded] {
            assert!(!value.windows(canary.len()).any(|window| window == canary), "{name}");
        }
        let left: i64 = redis::cmd("PTTL").arg(&name).query(&mut redis).unwrap();
        assert!(left > 0, "{name} would stay for ever");
        assert!(left <= 10_000 || name.ends_with(":epoch"), "{name} stays {left} ms");
    }
}
