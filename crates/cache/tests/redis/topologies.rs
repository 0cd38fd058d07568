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
