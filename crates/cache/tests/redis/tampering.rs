//! Who can write in Redis can make us read the store, and nothing else.

use std::time::Duration;

use redis::Connection;
use testkit::fixtures;
use tokio::time::sleep;

use crate::house::{House, Traits, eventually};

/// Shares acme's client, changes it in the store, lets somebody meddle, and lets another replica read: it must read the store. And
/// what was meddled with is mended for a third.
async fn check(case: &str, traits: Traits, meddle: impl Fn(&House, &mut Connection)) {
    let house = House::new();
    let first = house.replica().await;
    house.store.put_client(fixtures::client(&house.acme, "other"));
    assert_eq!(first.name(&house.acme).await, "svc");
    first.client(&house.acme, "other").await.unwrap();
    assert_eq!(first.name(&house.globex).await, "svc");
    first.has_put(3).await;
    house.rename(&house.acme, "renamed");
    meddle(&house, &mut house.redis());
    let pepper = traits.pepper;
    let ahead = traits.ahead;
    let second = house.replica_with(traits).await;
    assert_eq!(second.name(&house.acme).await, "renamed", "{case}");
    assert_eq!(second.redis.counts().hits, 0, "{case}");
    assert!(second.redis.is_up(), "{case}");
    second.has_put(1).await;
    let third = house.replica_with(Traits { pepper, ahead, ..Traits::default() }).await;
    assert_eq!(third.name(&house.acme).await, "renamed", "{case}");
    assert_eq!(third.redis.counts().hits, 1, "{case}: not mended");
}

fn get(house: &House, redis: &mut Connection, what: &str) -> Vec<u8> {
    redis::cmd("GET").arg(house.name(&house.acme, what)).query(redis).unwrap()
}

/// As an attacker would: with a life as long as it gets.
fn set(house: &House, redis: &mut Connection, value: &[u8]) {
    let name = house.name(&house.acme, "client:svc");
    redis::cmd("SET").arg(name).arg(value).arg("PX").arg(100_000).exec(redis).unwrap();
}

#[tokio::test]
async fn forged_cut_and_moved_values_are_not_believed() {
    check("noise", Traits::default(), |house, redis| set(house, redis, &[1; 300])).await;
    check("nothing", Traits::default(), |house, redis| set(house, redis, b"")).await;
    check("cut off", Traits::default(), |house, redis| {
        let value = get(house, redis, "client:svc");
        set(house, redis, &value[..value.len() - 1]);
    })
    .await;
    check("one bit", Traits::default(), |house, redis| {
        let mut value = get(house, redis, "client:svc");
        value[100] ^= 1;
        set(house, redis, &value);
    })
    .await;
    check("another client's", Traits::default(), |house, redis| {
        let value = get(house, redis, "client:other");
        set(house, redis, &value);
    })
    .await;
    check("another tenant's", Traits::default(), |house, redis| {
        let name = house.name(&house.globex, "client:svc");
        let value: Vec<u8> = redis::cmd("GET").arg(name).query(redis).unwrap();
        set(house, redis, &value);
    })
    .await;
}

#[tokio::test]
async fn an_old_value_that_is_put_back_counts_no_longer_than_it_did() {
    let late = Traits { ahead: Duration::from_secs(10), ..Traits::default() };
    check("replayed", late, |house, redis| {
        let value = get(house, redis, "client:svc");
        set(house, redis, &value);
    })
    .await;
    check("without an end", Traits::default(), |house, redis| {
        redis::cmd("PERSIST").arg(house.name(&house.acme, "client:svc")).exec(redis).unwrap();
    })
    .await;
}

#[tokio::test]
async fn another_installations_values_are_not_believed() {
    check("another pepper", Traits { pepper: 2, ..Traits::default() }, |_, _| {}).await;
}

#[tokio::test]
async fn values_of_a_former_epoch_are_not_believed() {
    check("no epoch", Traits::default(), |house, redis| {
        redis::cmd("DEL").arg(house.name(&house.acme, "epoch")).exec(redis).unwrap();
    })
    .await;
    check("forged epoch", Traits::default(), |house, redis| {
        redis::cmd("SET").arg(house.name(&house.acme, "epoch")).arg("x").exec(redis).unwrap();
    })
    .await;
}

#[tokio::test]
async fn things_of_another_type_cost_a_read_and_no_outage() {
    let house = House::new();
    let replica = house.replica().await;
    let mut redis = house.redis();
    for what in ["client:svc", "client-lease:svc", "epoch"] {
        let name = house.name(&house.acme, what);
        redis::cmd("DEL").arg(&name).exec(&mut redis).unwrap();
        redis::cmd("HSET").arg(&name).arg("field").arg("value").exec(&mut redis).unwrap();
    }
    assert_eq!(replica.name(&house.acme).await, "svc");
    assert!(replica.redis.is_up());
    assert_eq!(replica.redis.counts().outages, 0);
}

/// Whoever reads first mends it, whatever it is and in whichever place, and the next one finds what was shared.
#[tokio::test]
async fn foreign_values_under_our_names_are_removed_and_sharing_goes_on() {
    for what in ["client:svc", "client-lease:svc", "epoch", "all"] {
        let foreign: [&[&[u8]]; 5] = [
            &[b"HSET", b"field", b"value"],
            &[b"RPUSH", b"value"],
            &[b"SET", b""],
            &[b"SET", &[0xff; 22]],
            &[b"SET", &[b'x'; 100_000]],
        ];
        for command in foreign {
            let house = House::new();
            let mut redis = house.redis();
            let all = ["client:svc", "client-lease:svc", "epoch"];
            for what in all.iter().filter(|each| what == "all" || what == **each) {
                let mut set = redis::cmd(std::str::from_utf8(command[0]).unwrap());
                set.arg(house.name(&house.acme, what));
                command[1..].iter().for_each(|argument| {
                    set.arg(*argument);
                });
                set.exec(&mut redis).unwrap();
            }
            let (first, second) = (house.replica().await, house.replica().await);
            assert_eq!(first.name(&house.acme).await, "svc", "{what} {command:?}");
            first.has_put(1).await;
            assert_eq!(second.name(&house.acme).await, "svc");
            assert_eq!(second.redis.counts().hits, 1, "{what}: not mended");
            assert_eq!((first.redis.counts().outages, house.store.calls().find_client), (0, 1), "{what}");
        }
    }
}

#[tokio::test]
async fn foreign_values_under_the_probes_names_do_not_stop_it() {
    let house = House::new();
    let mut redis = house.redis();
    for what in ["value", "lease", "epoch"] {
        let name = format!("{}:{{.probe}}:{what}", house.prefix);
        redis::cmd("HSET").arg(name).arg("field").arg("value").exec(&mut redis).unwrap();
    }
    assert!(house.replica().await.redis.is_up());
}

#[tokio::test]
async fn messages_that_no_replica_sealed_are_ignored() {
    let house = House::new();
    let replica = house.replica().await;
    assert_eq!(replica.name(&house.acme).await, "svc");
    let mut redis = house.redis();
    let forged: [&[u8]; 3] = [b"", b"{\"tenant\":\"acme\",\"changes\":[\"tenant\"]}", &[1; 200]];
    for forged in forged {
        redis::cmd("PUBLISH").arg(house.channel()).arg(forged).exec(&mut redis).unwrap();
    }
    eventually("they are refused", || replica.redis.counts().rejected_messages == 3).await;
    sleep(Duration::from_millis(20)).await;
    assert_eq!(replica.redis.counts().received, 0);
    assert_eq!(replica.name(&house.acme).await, "svc");
    assert_eq!(house.store.calls().find_client, 1, "nothing was forgotten");
}
