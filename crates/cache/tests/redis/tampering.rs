//! Tests that an attacker who can write to Redis can only cause reads of the store.

use std::time::Duration;

use redis::Connection;
use tenancy::Tenant;
use testkit::fixtures;
use tokio::time::sleep;

use crate::test_env::{TestEnv, Traits, eventually};

/// Shares acme's client, changes it in the store, lets an attacker change Redis (`meddle`), and reads with
/// another replica, which must read the store. A third replica then finds the repaired row.
async fn check(case: &str, traits: Traits, meddle: impl Fn(&TestEnv, &mut Connection)) {
    let test_env = TestEnv::new();
    let first = test_env.replica().await;
    test_env.store.put_client(fixtures::client(&test_env.acme, "other"));
    assert_eq!(first.name(&test_env.acme).await, "svc");
    first.client(&test_env.acme, "other").await.unwrap();
    assert_eq!(first.name(&test_env.globex).await, "svc");
    first.has_put(3).await;
    test_env.rename(&test_env.acme, "renamed");
    meddle(&test_env, &mut test_env.redis());
    let (pepper, ahead) = (traits.pepper, traits.ahead);
    let second = test_env.replica_with(traits).await;
    assert_eq!(second.name(&test_env.acme).await, "renamed", "{case}");
    assert_eq!(second.redis.counts().hits.get(), 0, "{case}");
    assert!(second.redis.is_up(), "{case}");
    second.has_put(1).await;
    let third = test_env.replica_with(Traits { pepper, ahead, ..Traits::default() }).await;
    assert_eq!(third.name(&test_env.acme).await, "renamed", "{case}");
    assert_eq!(third.redis.counts().hits.get(), 1, "{case}: not repaired");
}

fn get(test_env: &TestEnv, redis: &mut Connection, tenant: &Tenant, what: &str) -> Vec<u8> {
    redis::cmd("GET").arg(test_env.name(tenant, what)).query(redis).unwrap()
}

/// Writes like an attacker, with the longest possible lifetime.
fn set(test_env: &TestEnv, redis: &mut Connection, value: &[u8]) {
    let name = test_env.name(&test_env.acme, "client:svc");
    redis::cmd("SET").arg(name).arg(value).arg("PX").arg(100_000).exec(redis).unwrap();
}

// [parties #11]: Redis, and those who can write to it | delay the propagation of a change to 10 s; force
//   replicas to read the store; make a limit stricter for a key that it already counts, as if twice the limit
//   had been used | forge, move or replay a row beyond its 10 s; refuse an assertion or a proof
//   that was not used in its tenant; make one count twice; read a secret
#[tokio::test]
async fn forged_cut_and_moved_values_are_ignored() {
    type Forge = fn(&mut Vec<u8>);
    let cases: [(_, _, _, Forge); 6] = [
        ("noise", "acme", "client:svc", |value| *value = vec![1; 300]),
        ("nothing", "acme", "client:svc", Vec::clear),
        ("cut off", "acme", "client:svc", |value| value.truncate(value.len() - 1)),
        ("one bit", "acme", "client:svc", |value| value[100] ^= 1),
        ("another client's", "acme", "client:other", |_| ()),
        ("another tenant's", "globex", "client:svc", |_| ()),
    ];
    for (case, tenant, what, forge) in cases {
        let meddle = |test_env: &TestEnv, redis: &mut Connection| {
            let mut value = get(test_env, redis, &fixtures::tenant(tenant), what);
            forge(&mut value);
            set(test_env, redis, &value);
        };
        check(case, Traits::default(), meddle).await;
    }
}

// [parties #11]
#[tokio::test]
async fn replayed_value_keeps_its_expiry() {
    let replay = |test_env: &TestEnv, redis: &mut Connection| {
        let value = get(test_env, redis, &test_env.acme, "client:svc");
        set(test_env, redis, &value);
    };
    check("replayed", Traits::ahead(10), replay).await;
    check("without an end", Traits::default(), |test_env, redis| {
        redis::cmd("PERSIST").arg(test_env.name(&test_env.acme, "client:svc")).exec(redis).unwrap();
    })
    .await;
}

#[tokio::test]
async fn values_of_another_installation_are_ignored() {
    check("another pepper", Traits { pepper: 2, ..Traits::default() }, |_, _| {}).await;
}

#[tokio::test]
async fn values_of_a_previous_epoch_are_ignored() {
    check("no epoch", Traits::default(), |test_env, redis| {
        redis::cmd("DEL").arg(test_env.name(&test_env.acme, "epoch")).exec(redis).unwrap();
    })
    .await;
    check("forged epoch", Traits::default(), |test_env, redis| {
        redis::cmd("SET").arg(test_env.name(&test_env.acme, "epoch")).arg("x").exec(redis).unwrap();
    })
    .await;
}

#[tokio::test]
async fn values_of_another_type_cause_no_outage() {
    let test_env = TestEnv::new();
    let replica = test_env.replica().await;
    let mut redis = test_env.redis();
    for what in ["client:svc", "client-lease:svc", "epoch"] {
        let name = test_env.name(&test_env.acme, what);
        redis::cmd("DEL").arg(&name).exec(&mut redis).unwrap();
        redis::cmd("HSET").arg(&name).arg("field").arg("value").exec(&mut redis).unwrap();
    }
    assert_eq!(replica.name(&test_env.acme).await, "svc");
    assert!(replica.redis.is_up());
    assert_eq!(replica.redis.counts().outages.get(), 0);
}

/// The first reader repairs the value, whatever it is, and the next reader finds the shared row.
#[tokio::test]
async fn foreign_values_are_replaced_and_sharing_continues() {
    for what in ["client:svc", "client-lease:svc", "epoch", "all"] {
        let foreign: [&[&[u8]]; 5] = [
            &[b"HSET", b"field", b"value"],
            &[b"RPUSH", b"value"],
            &[b"SET", b""],
            &[b"SET", &[0xff; 22]],
            &[b"SET", &[b'x'; 100_000]],
        ];
        for command in foreign {
            let test_env = TestEnv::new();
            let mut redis = test_env.redis();
            let all = ["client:svc", "client-lease:svc", "epoch"];
            for what in all.iter().filter(|each| what == "all" || what == **each) {
                let mut set = redis::cmd(std::str::from_utf8(command[0]).unwrap());
                set.arg(test_env.name(&test_env.acme, what));
                command[1..].iter().for_each(|argument| {
                    set.arg(*argument);
                });
                set.exec(&mut redis).unwrap();
            }
            let (first, second) = (test_env.replica().await, test_env.replica().await);
            assert_eq!(first.name(&test_env.acme).await, "svc", "{what} {command:?}");
            first.has_put(1).await;
            assert_eq!(second.name(&test_env.acme).await, "svc");
            assert_eq!(second.redis.counts().hits.get(), 1, "{what}: not repaired");
            let counts = (first.redis.counts().outages.get(), test_env.store.calls().find_client);
            assert_eq!(counts, (0, 1), "{what}");
        }
    }
}

#[tokio::test]
async fn foreign_values_do_not_stop_the_probe() {
    let test_env = TestEnv::new();
    let mut redis = test_env.redis();
    for what in ["value", "lease", "epoch"] {
        let name = format!("{}:{{.probe}}:{what}", test_env.prefix);
        redis::cmd("HSET").arg(name).arg("field").arg("value").exec(&mut redis).unwrap();
    }
    assert!(test_env.replica().await.redis.is_up());
}

#[tokio::test]
async fn forged_messages_are_ignored() {
    let test_env = TestEnv::new();
    let replica = test_env.replica().await;
    assert_eq!(replica.name(&test_env.acme).await, "svc");
    let mut redis = test_env.redis();
    let forged: [&[u8]; 3] = [b"\0", b"{\"tenant\":\"acme\",\"changes\":[\"tenant\"]}", &[1; 200]];
    for forged in forged {
        redis::cmd("PUBLISH").arg(test_env.channel()).arg(forged).exec(&mut redis).unwrap();
    }
    eventually("they are refused", || replica.redis.counts().rejected_messages.get() == 3).await;
    sleep(Duration::from_millis(20)).await;
    assert_eq!(replica.redis.counts().received.get(), 0);
    assert_eq!(replica.name(&test_env.acme).await, "svc");
    assert_eq!(test_env.store.calls().find_client, 1, "nothing was forgotten");
}
