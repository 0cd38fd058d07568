//! Tests Redis found through Sentinel, and Redis as a cluster.

use std::time::Duration;

use testkit::{RedisServer, free_port};

use crate::server;
use crate::test_env::{Replica, TestEnv, Traits, eventually, svc_of};

/// One replica's rows and changes reach another.
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
}

async fn replicas(test_env: &TestEnv) -> [Replica; 2] {
    let replicas = [test_env.replica_now(Traits::default()), test_env.replica_now(Traits::default())];
    eventually("Redis is found", || replicas.iter().all(|replica| replica.redis.is_up())).await;
    replicas
}

#[tokio::test]
async fn sentinels_say_who_the_master_is() {
    let master = RedisServer::started();
    let sentinel = master.sentinel();
    let test_env = TestEnv::at(&format!("redis+sentinel://{}/main", sentinel.host()));
    let [first, second] = replicas(&test_env).await;
    check(&test_env, &first, &second).await;
}

#[tokio::test]
async fn a_cluster_keeps_a_tenants_keys_together() {
    // By default the port of the bus is one of those that systems give to connections.
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

/// A cluster of two nodes that serves its slots also while the other node is away. The first node has the
/// slots up to this one.
async fn two_nodes(last_of_first: u16) -> [RedisServer; 2] {
    let nodes = [(); 2].map(|()| {
        let bus = free_port().to_string();
        let cluster = ["--cluster-enabled", "yes", "--cluster-require-full-coverage", "no", "--cluster-port"];
        RedisServer::with_arguments(&[&cluster[..], &[&bus]].concat())
    });
    let slots = [(0, last_of_first), (last_of_first + 1, 16_383)];
    for (node, (first, last)) in nodes.iter().zip(slots) {
        let mut redis = server::connection(&node.url());
        redis::cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(first).arg(last).exec(&mut redis).unwrap();
    }
    let [mut first, mut second] = nodes.each_ref().map(|node| server::connection(&node.url()));
    let line = redis::cmd("CLUSTER").arg("NODES").query::<String>(&mut second).unwrap();
    let bus = line.split_once('@').unwrap().1.split([' ', ',']).next().unwrap().to_owned();
    let (host, port) = nodes[1].host().split_once(':').map(|(h, p)| (h.to_owned(), p.to_owned())).unwrap();
    redis::cmd("CLUSTER").arg("MEET").arg(host).arg(port).arg(bus).exec(&mut first).unwrap();
    for redis in [&mut first, &mut second] {
        let mut info = || redis::cmd("CLUSTER").arg("INFO").query::<String>(redis).unwrap();
        while !info().contains("cluster_slots_assigned:16384") || !info().contains("cluster_state:ok") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    nodes
}

/// The tenants' slots, by a node that is in no cluster yet.
fn slots(test_env: &TestEnv) -> [u16; 2] {
    let node = RedisServer::with_arguments(&[
        "--cluster-enabled",
        "yes",
        "--cluster-port",
        &free_port().to_string(),
    ]);
    let mut redis = server::connection(&node.url());
    [&test_env.acme, &test_env.globex].map(|tenant| {
        let name = test_env.name(tenant, "epoch");
        redis::cmd("CLUSTER").arg("KEYSLOT").arg(name).query(&mut redis).unwrap()
    })
}

#[tokio::test]
async fn a_node_that_is_killed_stops_no_other_node_and_is_used_again() {
    let [of_acme, of_globex] = slots(&TestEnv::new());
    let mut nodes = two_nodes(of_acme.min(of_globex)).await;
    let test_env = TestEnv::at(&format!("redis+cluster://{},{}", nodes[0].host(), nodes[1].host()));
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
