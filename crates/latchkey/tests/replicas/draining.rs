//! The end of one of two replicas on PostgreSQL and Redis while the other one takes over.

use crate::house::{House, TENANTS, settings};
use crate::redis_server::RedisServer;
use crate::taking_over::assert_none_dropped;
use crate::told::{LONGEST, eventually};
use crate::traffic::Asked;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_dropped_while_the_other_replica_takes_over() {
    let redis = RedisServer::started();
    let house = House::new(Some(redis.url()));
    let replicas = house.start_two(&settings(1)).await;
    let asked = TENANTS.map(|tenant| Asked::new(tenant, "svc-0", house.secret_of(tenant)));
    // A store that does not answer in time on a busy machine is a clean 503, and has nothing to do with who takes over.
    for replica in &replicas {
        for Asked { tenant, client, secret } in &asked {
            let is_warm = async || replica.program.ask_for_token(tenant, client, secret).await.status == 200;
            eventually("every client is warm at every replica", LONGEST, is_warm).await;
        }
    }
    let (programs, _folders): (Vec<_>, Vec<_>) =
        replicas.into_iter().map(|replica| (replica.program, replica.folder)).unzip();
    let Ok(programs) = programs.try_into() else { panic!("two programs") };
    assert_none_dropped(programs, &asked).await;
}
