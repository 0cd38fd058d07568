//! Tests that Redis refuses a used identifier, only at its tenant, and never accepts one. If Redis has no
//! mark or a forged one, the store decides.

use std::sync::Arc;

use cache::SharedReplayGuard;
use redis::{Cmd, FromRedisValue};
use registry::{ReplayStore, SingleUseIdentifier};
use tenancy::Tenant;
use testkit::{Failure, RedisServer, fixtures};
use values::Timestamp;

use crate::test_env::{Replica, TestEnv, Traits, eventually, now};

/// How long the identifiers of these tests are valid, in seconds.
const LEFT: u64 = 600;

struct Guarded {
    replica: Replica,
    guard: Arc<SharedReplayGuard>,
}

impl Guarded {
    async fn new(test_env: &TestEnv) -> Self {
        Self::with(test_env, Traits::default()).await
    }

    async fn with(test_env: &TestEnv, traits: Traits) -> Self {
        let replica = test_env.replica_with(traits).await;
        let guard = Arc::new(SharedReplayGuard::new(test_env.store.clone(), Arc::clone(&replica.redis)));
        Self { replica, guard }
    }

    async fn is_first(&self, tenant: &Tenant, identifier: &SingleUseIdentifier) -> bool {
        self.guard.record_use(&tenant.id, identifier).await.unwrap()
    }

    async fn has_marked(&self, marks: u64) {
        eventually("marks are written", || self.replica.redis.counts().marks.get() >= marks).await;
    }
}

fn identifier(jti: &str) -> SingleUseIdentifier {
    ends_in(jti, LEFT)
}

fn ends_in(jti: &str, left: u64) -> SingleUseIdentifier {
    let expires_at = Timestamp::from_seconds(now().as_secs() + left);
    SingleUseIdentifier::of_assertion(&fixtures::client_id("svc"), jti, expires_at)
}

/// The name of this tenant's only mark in Redis.
fn mark_of(test_env: &TestEnv, tenant: &Tenant) -> String {
    let below = test_env.name(tenant, "used:");
    let mut names: Vec<_> = test_env.names().into_iter().filter(|name| name.starts_with(&below)).collect();
    assert_eq!(names.len(), 1, "{names:?}");
    names.remove(0)
}

fn ask<T: FromRedisValue>(test_env: &TestEnv, command: &[&[u8]]) -> T {
    let mut cmd = Cmd::new();
    for word in command {
        cmd.arg(*word);
    }
    cmd.query(&mut test_env.redis()).unwrap()
}

#[tokio::test]
async fn replay_at_another_replica_is_refused_without_the_store() {
    let test_env = TestEnv::new();
    let (first, second) = (Guarded::new(&test_env).await, Guarded::new(&test_env).await);
    let used = identifier("1");
    assert!(first.is_first(&test_env.acme, &used).await);
    first.has_marked(1).await;
    assert_eq!(first.replica.redis.counts().commands.get(), 2, "look and mark");
    for guarded in [&second, &first, &second] {
        assert!(!guarded.is_first(&test_env.acme, &used).await);
        assert!(guarded.guard.is_used(&test_env.acme.id, &used).await.unwrap());
    }
    let calls = test_env.store.calls();
    assert_eq!((calls.record_use, calls.is_used), (1, 0));
    assert_eq!(second.replica.redis.counts().commands.get(), 4, "each refusal is one look");
    assert_eq!(second.replica.redis.counts().refused_early.get(), 4);

    assert!(!second.guard.is_used(&test_env.globex.id, &used).await.unwrap());
    assert!(second.is_first(&test_env.globex, &used).await);
    second.has_marked(1).await;
    let commands = second.replica.redis.counts().commands.get();
    assert_eq!(commands, 4 + 3, "a question beforehand is one look more");
    assert!(second.is_first(&test_env.acme, &identifier("2")).await);
    second.has_marked(2).await;
    assert!(!first.is_first(&test_env.globex, &used).await);
    assert_eq!(test_env.store.calls().record_use, 3);
}

#[tokio::test]
async fn mark_expires_with_its_identifier() {
    let test_env = TestEnv::new();
    let guarded = Guarded::new(&test_env).await;
    assert!(guarded.is_first(&test_env.acme, &identifier("1")).await);
    guarded.has_marked(1).await;
    let name = mark_of(&test_env, &test_env.acme);
    let left = || ask::<i64>(&test_env, &[b"PTTL", name.as_bytes()]);
    assert!((1..=LEFT as i64 * 1_000).contains(&left()), "{}", left());
    assert!(left() > (LEFT as i64 - 60) * 1_000, "{}", left());

    // The row existed already. An assertion with the same `jti` may expire later than that row.
    ask::<()>(&test_env, &[b"DEL", name.as_bytes()]);
    assert!(!guarded.is_first(&test_env.acme, &ends_in("1", 100 * LEFT)).await);
    guarded.has_marked(2).await;
    assert!((1..=60_000).contains(&left()), "{}", left());
    ask::<()>(&test_env, &[b"DEL", name.as_bytes()]);
    assert!(guarded.guard.is_used(&test_env.acme.id, &ends_in("1", 100 * LEFT)).await.unwrap());
    guarded.has_marked(3).await;
    assert!((1..=60_000).contains(&left()), "{}", left());

    // An expired identifier gets no mark, also if the clock is fast.
    let before = test_env.names().len();
    let late = Guarded::with(&test_env, Traits::ahead(LEFT + 60)).await;
    assert!(late.is_first(&test_env.globex, &identifier("1")).await);
    assert!(guarded.is_first(&test_env.globex, &ends_in("2", 0)).await);
    assert_eq!(late.replica.redis.counts().commands.get(), 1, "a look");
    assert_eq!(test_env.names().len(), before);
}

#[tokio::test]
async fn second_mark_does_not_shorten_the_first() {
    let test_env = TestEnv::new();
    let held = test_env.store.hold_answers().await;
    let (one, other) = (Guarded::new(&test_env).await, Guarded::new(&test_env).await);
    // Both find no mark, and the store accepts only one.
    let used = identifier("1");
    let release = async {
        test_env.store.until(|calls| calls.record_use == 2).await;
        drop(held);
    };
    let (one_is_first, other_is_first, ()) =
        tokio::join!(one.is_first(&test_env.acme, &used), other.is_first(&test_env.acme, &used), release);
    assert!(one_is_first != other_is_first);
    let commands =
        || [&one, &other].iter().map(|guarded| guarded.replica.redis.counts().commands.get()).sum::<u64>();
    eventually("both have marked", || commands() == 4).await;
    let name = mark_of(&test_env, &test_env.acme);
    let lasts = || ask::<i64>(&test_env, &[b"PTTL", name.as_bytes()]) > 60_000;
    eventually("the longer one stays", lasts).await;
}

#[tokio::test]
async fn store_refuses_replays_that_redis_has_lost() {
    let server = RedisServer::started();
    let test_env = TestEnv::at(&server.url());
    let guarded = Guarded::new(&test_env).await;
    let used = identifier("1");
    assert!(guarded.is_first(&test_env.acme, &used).await);
    for round in 1..4 {
        guarded.has_marked(round).await;
        ask::<()>(&test_env, &[b"FLUSHALL"]);
        assert!(!guarded.is_first(&test_env.acme, &used).await);
        assert_eq!(test_env.store.calls().record_use, 1 + round);
    }
    guarded.has_marked(4).await;
    assert!(!guarded.is_first(&test_env.acme, &used).await);
    assert_eq!(test_env.store.calls().record_use, 4, "it is marked again");
}

// [assertions RFC 7523 §6], [parties #11]
#[tokio::test]
async fn mark_is_valid_only_for_its_tenant_and_identifier() {
    let test_env = TestEnv::new();
    let guarded = Guarded::new(&test_env).await;
    let used = identifier("1");
    assert!(guarded.is_first(&test_env.acme, &used).await);
    guarded.has_marked(1).await;
    let acme = mark_of(&test_env, &test_env.acme);
    let mark: Vec<u8> = ask(&test_env, &[b"GET", acme.as_bytes()]);
    // Deletes the row from the store, so that only Redis knows the identifier.
    let much_later = Timestamp::from_seconds(used.expires_at.seconds() + 1);
    assert_eq!(test_env.store.delete_expired_identifiers(much_later).await.unwrap(), 1);
    ask::<()>(&test_env, &[b"DEL", acme.as_bytes()]);
    ask::<()>(&test_env, &[b"SET", acme.as_bytes(), &mark]);
    assert!(!guarded.is_first(&test_env.acme, &used).await, "a mark that was put back");

    // A mark that is copied to the other tenant or to another identifier is invalid.
    let globex = acme.replace("{acme}", "{globex}");
    ask::<()>(&test_env, &[b"SET", globex.as_bytes(), &mark]);
    assert!(guarded.is_first(&test_env.globex, &used).await);
    let other = identifier("2");
    assert!(guarded.is_first(&test_env.acme, &other).await);
    guarded.has_marked(3).await;
    let names = test_env.names();
    let other_name = names.iter().find(|name| name.contains("{acme}:used:") && **name != acme).unwrap();
    ask::<()>(&test_env, &[b"SET", other_name.as_bytes(), &mark]);
    let before = test_env.store.calls().record_use;
    assert!(!guarded.is_first(&test_env.acme, &other).await);
    assert_eq!(test_env.store.calls().record_use, before + 1, "the store has refused it");
    assert_eq!(guarded.replica.redis.counts().rejected.get(), 2);

    // An expired mark is ignored, also if it is written back.
    let late = Guarded::with(&test_env, Traits::ahead(LEFT)).await;
    let again = ends_in("1", 2 * LEFT);
    assert!(late.is_first(&test_env.acme, &again).await);
    // A mark of an installation with another pepper is ignored.
    let foreign = Guarded::with(&test_env, Traits { pepper: 2, ..Traits::default() }).await;
    assert!(!foreign.guard.is_used(&test_env.acme.id, &identifier("3")).await.unwrap());
    let before = test_env.store.calls().record_use;
    assert!(!foreign.is_first(&test_env.acme, &again).await);
    assert_eq!(test_env.store.calls().record_use, before + 1);
}

// [parties #11]
#[tokio::test]
async fn foreign_marks_refuse_nothing() {
    let test_env = TestEnv::new();
    let guarded = Guarded::new(&test_env).await;
    let commands: [&[&[u8]]; 6] = [
        &[b"SET", b"NAME", b""],
        &[b"SET", b"NAME", b"1"],
        &[b"SET", b"NAME", &[2; 53]],
        &[b"HSET", b"NAME", b"field", b"value"],
        &[b"RPUSH", b"NAME", b"1"],
        &[b"SETBIT", b"NAME", b"4096", b"1"],
    ];
    for (number, command) in commands.into_iter().enumerate() {
        for tenant in [&test_env.acme, &test_env.globex] {
            // The mark in Redis is that of another use, whose row is then deleted.
            let used = identifier(&number.to_string());
            assert!(guarded.is_first(tenant, &used).await);
            let below = test_env.name(tenant, "used:");
            eventually("it is marked", || test_env.names().iter().any(|name| name.starts_with(&below))).await;
            let name = mark_of(&test_env, tenant);
            test_env.store.delete_expired_identifiers(used.expires_at).await.unwrap();
            ask::<()>(&test_env, &[b"DEL", name.as_bytes()]);
            let words: Vec<&[u8]> =
                command.iter().map(|word| if *word == b"NAME" { name.as_bytes() } else { word }).collect();
            ask::<redis::Value>(&test_env, &words);
            assert!(guarded.is_first(tenant, &used).await, "{number}");
            assert!(guarded.replica.redis.is_up(), "{number}");
            let is_whole = || ask::<i64>(&test_env, &[b"PTTL", name.as_bytes()]) > 0;
            eventually("a mark has replaced it", is_whole).await;
            let calls = test_env.store.calls().record_use;
            assert!(!guarded.is_first(tenant, &used).await, "{number}");
            assert_eq!(test_env.store.calls().record_use, calls, "{number}: Redis has refused it");
            ask::<()>(&test_env, &[b"DEL", name.as_bytes()]);
        }
    }
}

#[tokio::test]
async fn store_decides_while_redis_does_not_answer() {
    let mut server = RedisServer::started();
    let test_env = TestEnv::at(&server.url());
    let guarded = Guarded::with(&test_env, Traits::quick()).await;
    let (paused, gone, back) = (identifier("paused"), identifier("gone"), identifier("back"));
    let decides = async |used: &SingleUseIdentifier| {
        for tenant in [&test_env.acme, &test_env.globex] {
            assert!(guarded.is_first(tenant, used).await);
            assert!(!guarded.is_first(tenant, used).await);
            assert!(guarded.guard.is_used(&tenant.id, used).await.unwrap());
        }
    };
    server.pause();
    decides(&paused).await;
    server.resume();
    server.kill();
    decides(&gone).await;
    server.start();
    eventually("Redis is back", || guarded.replica.redis.is_up()).await;
    decides(&back).await;
    for used in [&paused, &gone, &back] {
        assert!(!guarded.is_first(&test_env.acme, used).await);
    }
}

#[tokio::test]
async fn unrecorded_use_is_not_marked() {
    let test_env = TestEnv::new();
    let guarded = Guarded::new(&test_env).await;
    let used = identifier("1");
    test_env.store.fail_with(Failure::Unavailable);
    assert!(guarded.guard.record_use(&test_env.acme.id, &used).await.is_err());
    assert!(guarded.guard.is_used(&test_env.acme.id, &used).await.is_err());
    test_env.store.fail_with(None);
    assert!(!guarded.guard.is_used(&test_env.acme.id, &used).await.unwrap());
    assert!(guarded.is_first(&test_env.acme, &used).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn number_of_waiting_marks_is_limited() {
    let server = RedisServer::started();
    let test_env = TestEnv::at(&server.url());
    let guarded = Arc::new(Guarded::new(&test_env).await);
    let held = test_env.store.hold_answers().await;
    let spawn = |number: u32| {
        let (guarded, acme) = (Arc::clone(&guarded), test_env.acme.clone());
        tokio::spawn(async move { guarded.is_first(&acme, &identifier(&number.to_string())).await })
    };
    let uses: Vec<_> = (0..1_500).map(spawn).collect();
    eventually("all have found no mark", || test_env.store.calls().record_use == 1_500).await;
    server.pause();
    drop(held);
    for first in uses {
        // No request waits for Redis.
        assert!(first.await.unwrap());
    }
    let commands = || guarded.replica.redis.counts().commands.get();
    eventually("marks wait", || commands() == 1_500 + 1_024).await;
    server.resume();
    guarded.has_marked(1_024).await;
    assert_eq!(commands(), 1_500 + 1_024);
}
