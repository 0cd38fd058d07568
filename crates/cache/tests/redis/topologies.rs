//! Tests Redis behind Sentinel, and Redis as a cluster.

use std::time::{Duration, Instant};

use testkit::{RedisServer, free_port};
use values::{Lifetime, Timestamp};

use crate::server;
use crate::test_env::{Replica, SOON, TestEnv, Traits, eventually, now, svc_of};

/// Checks that one replica's rows, changes and counts reach another replica.
async fn check(test_env: &TestEnv, first: &Replica, second: &Replica) {
    first.token(&test_env.acme).await;
    first.has_put(3).await;
    second.token(&test_env.acme).await;
    assert_eq!(second.redis.counts().hits.get(), 3, "{:?}", second.redis.counts());
    test_env.rename(&test_env.acme, "renamed");
    eventually("a change is heard", || {
        first.caches.apply(&[svc_of(&test_env.acme)]);
        second.redis.counts().received.get() > 0
    })
    .await;
    assert_eq!(second.name(&test_env.acme).await, "renamed");
    let (id, now) = (&test_env.acme.id, Timestamp::from_seconds(now().as_secs()));
    let span = (1_000, now + Lifetime::from_seconds(900));
    let limit = |replica: &Replica| replica.redis.counts_to_share.limit("test", "counts");
    let keys = ["ada", "bob"];
    keys.iter().for_each(|key| limit(first).add(id, key, (990, None), span, now));
    eventually("the other counts what the first has counted", || {
        keys.iter().all(|key| {
            limit(second).add(id, key, (1, None), span, now);
            limit(second).is_reached(id, key, span, now)
        })
    })
    .await;
}

async fn replicas(test_env: &TestEnv) -> [Replica; 2] {
    let replicas = [test_env.replica_now(Traits::default()), test_env.replica_now(Traits::default())];
    eventually("Redis is found", || replicas.iter().all(|replica| replica.redis.is_up())).await;
    replicas
}

#[tokio::test]
async fn sentinels_name_the_master() {
    let master = RedisServer::started();
    let sentinel = master.sentinel("");
    let test_env = TestEnv::at(&format!("redis+sentinel://{}/main", sentinel.host()));
    let [first, second] = replicas(&test_env).await;
    check(&test_env, &first, &second).await;
}

const PASSWORD: &str = "secret";

/// Waits until the answer to the command contains the text.
async fn until(server: &RedisServer, command: &[&str], text: &str) {
    // A server that becomes a master closes its connections, so a failure is tried again.
    let is_so =
        || ask::<redis::Value>(server, command).is_ok_and(|answer| format!("{answer:?}").contains(text));
    eventually(text, is_so).await;
}

fn told<T: redis::FromRedisValue>(server: &RedisServer, words: &[&str]) -> T {
    ask(server, words).unwrap()
}

/// Sends a command with the password.
fn ask<T: redis::FromRedisValue>(server: &RedisServer, words: &[&str]) -> redis::RedisResult<T> {
    let client = redis::Client::open(format!("redis://:{PASSWORD}@{}", server.host()))?;
    let mut command = redis::Cmd::new();
    for word in words {
        command.arg(*word);
    }
    command.query(&mut client.get_connection_with_timeout(Duration::from_secs(1))?)
}

#[tokio::test]
async fn replicas_follow_a_failover_of_sentinels() {
    let passwords = ["--requirepass", PASSWORD, "--masterauth", PASSWORD];
    let mut master = RedisServer::with_arguments(&passwords);
    let (host, port) = master.host().split_once(':').map(|(h, p)| (h.to_owned(), p.to_owned())).unwrap();
    let copy =
        RedisServer::with_arguments(&[&passwords[..], &["--replicaof", &format!("{host} {port}")]].concat());
    until(&copy, &["ROLE"], "connected").await;
    let sentinel = master.sentinel(&format!(
        "sentinel auth-pass main {PASSWORD}\nsentinel down-after-milliseconds main 300\nrequirepass {PASSWORD}"
    ));
    until(&sentinel, &["SENTINEL", "REPLICAS", "main"], copy.host().split_once(':').unwrap().1).await;
    let test_env = TestEnv::at(&format!("redis+sentinel://:{PASSWORD}@{}/main", sentinel.host()));
    let [first, second] = replicas(&test_env).await;
    first.token(&test_env.acme).await;
    master.kill();
    until(&copy, &["ROLE"], "master").await;
    eventually("the loss is noticed", || {
        first.caches.apply(&[svc_of(&test_env.acme)]);
        second.caches.apply(&[svc_of(&test_env.acme)]);
        !first.redis.is_up() && !second.redis.is_up()
    })
    .await;
    eventually("the new master is used", || first.redis.is_up() && second.redis.is_up()).await;
    let heard = second.redis.counts().received.get();
    eventually("a change is heard", || {
        first.caches.apply(&[svc_of(&test_env.globex)]);
        second.redis.counts().received.get() > heard
    })
    .await;
}

#[tokio::test]
async fn a_cluster_keeps_a_tenants_keys_together() {
    // The default port of the cluster bus is in the range that the system uses for connections.
    let bus = free_port().to_string();
    let node = RedisServer::with_arguments(&["--cluster-enabled", "yes", "--cluster-port", &bus]);
    let mut redis = server::connection(&node.url());
    redis::cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(0).arg(16383).exec(&mut redis).unwrap();
    let mut info = || redis::cmd("CLUSTER").arg("INFO").query::<String>(&mut redis).unwrap();
    while !info().contains("cluster_state:ok") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let test_env = TestEnv::at(&format!("redis+cluster://{}", node.host()));
    let [first, second] = replicas(&test_env).await;
    check(&test_env, &first, &second).await;
}

/// A node of a cluster that serves its slots even if other nodes are down.
fn node() -> RedisServer {
    let bus = free_port().to_string();
    RedisServer::with_arguments(&[
        "--cluster-enabled",
        "yes",
        "--cluster-port",
        &bus,
        "--cluster-require-full-coverage",
        "no",
        "--requirepass",
        PASSWORD,
        "--masterauth",
        PASSWORD,
    ])
}

/// Makes the first node know the second.
fn introduce(first: &RedisServer, second: &RedisServer) {
    let line: String = told(second, &["CLUSTER", "NODES"]);
    let bus = line.split_once('@').unwrap().1.split([' ', ',']).next().unwrap().to_owned();
    let (host, port) = second.host().split_once(':').map(|(h, p)| (h.to_owned(), p.to_owned())).unwrap();
    told::<()>(first, &["CLUSTER", "MEET", &host, &port, &bus]);
}

/// A cluster of two nodes. The first has the slots up to `last_of_first`.
async fn two_nodes(last_of_first: u16) -> [RedisServer; 2] {
    let nodes = [node(), node()];
    let slots = [(0, last_of_first), (last_of_first + 1, 16_383)];
    for (node, (first, last)) in nodes.iter().zip(slots) {
        told::<()>(node, &["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &last.to_string()]);
    }
    introduce(&nodes[0], &nodes[1]);
    for node in &nodes {
        until(node, &["CLUSTER", "INFO"], "cluster_slots_assigned:16384").await;
        until(node, &["CLUSTER", "INFO"], "cluster_state:ok").await;
    }
    nodes
}

fn at_cluster(nodes: &[RedisServer; 2]) -> TestEnv {
    TestEnv::at(&format!("redis+cluster://:{PASSWORD}@{},{}", nodes[0].host(), nodes[1].host()))
}

/// The tenants' slots.
fn slots(test_env: &TestEnv) -> [u16; 2] {
    let node = node();
    [&test_env.acme, &test_env.globex].map(|tenant| {
        let name = test_env.name(tenant, "epoch");
        told(&node, &["CLUSTER", "KEYSLOT", &name])
    })
}

#[tokio::test]
async fn killed_node_does_not_stop_other_nodes() {
    let [of_acme, of_globex] = slots(&TestEnv::new());
    let mut nodes = two_nodes(of_acme.min(of_globex)).await;
    let test_env = at_cluster(&nodes);
    let (lost, kept) = if of_acme < of_globex {
        (&test_env.acme, &test_env.globex)
    } else {
        (&test_env.globex, &test_env.acme)
    };
    for tenant in [lost, kept] {
        let client = |number| testkit::fixtures::client(tenant, &format!("c{number}"));
        test_env.store.put_clients(&(0..40).map(client).collect::<Vec<_>>());
    }
    let [replica, _] = replicas(&test_env).await;
    let count = || replica.redis.counts().commands.get();
    let read = async |tenant, numbers: std::ops::Range<u32>| {
        for number in numbers {
            assert!(replica.client(tenant, &format!("c{number}")).await.is_some());
        }
    };
    for tenant in [lost, kept] {
        let before = count();
        read(tenant, 0..5).await;
        assert!(count() >= before + 5, "both nodes are used");
    }
    nodes[0].kill();
    read(lost, 5..10).await;
    assert!(!replica.redis.is_up(), "one node is missed");
    let (before, outages) = (count(), replica.redis.counts().outages.get());
    read(lost, 10..20).await;
    assert_eq!(count(), before, "the dead node is not asked");
    read(kept, 5..25).await;
    assert!(count() >= before + 20, "the other node is asked for each row");
    assert_eq!(replica.redis.counts().outages.get(), outages, "and does not fail");
    nodes[0].start();
    eventually("the node is used again", || replica.redis.is_up()).await;
    let before = count();
    read(lost, 20..25).await;
    assert!(count() >= before + 5);
}

/// Short, because rows are not written while slots move.
const SHORT: Duration = Duration::from_millis(100);

#[tokio::test]
async fn replicas_follow_slots_to_another_node() {
    let [of_acme, of_globex] = slots(&TestEnv::new());
    let (from_first, slot) = (of_acme < of_globex, of_acme.min(of_globex).to_string());
    let nodes = two_nodes(of_acme.min(of_globex)).await;
    // A copy of a master, which `CLUSTER SLOTS` lists next to its master.
    let copy = node();
    introduce(&nodes[0], &copy);
    let [source, target]: [String; 2] = nodes.each_ref().map(|node| told(node, &["CLUSTER", "MYID"]));
    until(&copy, &["CLUSTER", "NODES"], &source).await;
    told::<()>(&copy, &["CLUSTER", "REPLICATE", &source]);
    let port = copy.host().split_once(':').unwrap().1.to_owned();
    until(&nodes[0], &["CLUSTER", "SLOTS"], &port).await;

    let test_env = at_cluster(&nodes);
    let (moved, kept) =
        if from_first { (&test_env.acme, &test_env.globex) } else { (&test_env.globex, &test_env.acme) };
    for tenant in [moved, kept] {
        let client = |number| testkit::fixtures::client(tenant, &format!("c{number}"));
        test_env.store.put_clients(&(0..400).map(client).collect::<Vec<_>>());
    }
    let [first, second] = replicas(&test_env).await;
    let mut numbers = 0..400;
    // Both read a row that neither has read before; the second must find it in Redis.
    let mut is_shared = async |tenant, patience: Duration| {
        let (id, hits) = (format!("c{}", numbers.next().unwrap()), second.redis.counts().hits.get());
        let puts = first.redis.counts().puts.get();
        assert!(first.client(tenant, &id).await.is_some());
        let began = Instant::now();
        while first.redis.counts().puts.get() == puts && began.elapsed() < patience {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(second.client(tenant, &id).await.is_some());
        second.redis.counts().hits.get() > hits
    };
    assert!(is_shared(moved, SOON).await && is_shared(kept, SOON).await);

    told::<()>(&nodes[1], &["CLUSTER", "SETSLOT", &slot, "IMPORTING", &source]);
    told::<()>(&nodes[0], &["CLUSTER", "SETSLOT", &slot, "MIGRATING", &target]);
    for _ in 0..5 {
        is_shared(moved, SHORT).await;
        assert!(is_shared(kept, SOON).await, "the other tenant's rows do not move");
    }
    let keys: Vec<String> = told(&nodes[0], &["CLUSTER", "GETKEYSINSLOT", &slot, "1000"]);
    assert!(!keys.is_empty());
    let (host, port) = nodes[1].host().split_once(':').map(|(h, p)| (h.to_owned(), p.to_owned())).unwrap();
    let mut migrate = vec!["MIGRATE", &host, &port, "", "0", "5000", "AUTH", PASSWORD, "KEYS"];
    migrate.extend(keys.iter().map(String::as_str));
    told::<()>(&nodes[0], &migrate);
    is_shared(moved, SHORT).await;
    for node in [&nodes[1], &nodes[0]] {
        told::<()>(node, &["CLUSTER", "SETSLOT", &slot, "NODE", &target]);
    }
    let began = Instant::now();
    while !is_shared(moved, SHORT).await {
        assert!(began.elapsed() < SOON, "the new node is not used");
    }
    assert!(is_shared(kept, SOON).await);
    for replica in [&first, &second] {
        assert_eq!(replica.redis.counts().outages.get(), 0, "a move is no outage");
    }
}
