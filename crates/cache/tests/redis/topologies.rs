//! Redis found through Sentinel, and Redis as a cluster.

use std::time::Duration;

use crate::house::{House, Replica, Traits, eventually, svc_of};
use crate::server::{self, Server};

/// One replica's rows and changes reach another.
async fn check(house: &House, first: &Replica, second: &Replica) {
    first.token(&house.acme).await;
    first.has_put(3).await;
    second.token(&house.acme).await;
    assert_eq!(second.redis.counts().hits, 3, "{:?}", second.redis.counts());
    house.rename(&house.acme, "renamed");
    eventually("a change is heard", || {
        first.caches.apply(&[svc_of(&house.acme)]);
        second.redis.counts().received > 0
    })
    .await;
    assert_eq!(second.name(&house.acme).await, "renamed");
}

async fn replicas(house: &House) -> [Replica; 2] {
    let replicas = [house.replica_now(Traits::default()), house.replica_now(Traits::default())];
    eventually("Redis is found", || replicas.iter().all(|replica| replica.redis.is_up())).await;
    replicas
}

#[tokio::test]
async fn sentinels_say_who_the_master_is() {
    let master = Server::started();
    let sentinel = master.sentinel();
    let house = House::at(&format!("redis+sentinel://{}/main", sentinel.host()));
    let [first, second] = replicas(&house).await;
    check(&house, &first, &second).await;
}

#[tokio::test]
async fn a_cluster_keeps_a_tenants_keys_together() {
    let node = Server::with_arguments(&["--cluster-enabled", "yes"]);
    let mut redis = server::connection(&node.url()).unwrap();
    redis::cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(0).arg(16383).exec(&mut redis).unwrap();
    loop {
        let info: String = redis::cmd("CLUSTER").arg("INFO").query(&mut redis).unwrap();
        if info.contains("cluster_state:ok") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let house = House::at(&format!("redis+cluster://{}", node.host()));
    let [first, second] = replicas(&house).await;
    check(&house, &first, &second).await;
}
