//! Shutdown of one of two replicas on PostgreSQL and Redis while the other takes over.

use crate::redis_server::RedisServer;
use crate::taking_over::assert_none_dropped;
use crate::test_env::{TENANTS, TestEnv, settings};
use crate::test_servers::{LONGEST, eventually};
use crate::traffic::Requester;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_dropped_while_the_other_replica_takes_over() {
    let redis = RedisServer::started();
    let test_env = TestEnv::new(Some(redis.url()));
    let replicas = test_env.start_two(&settings(1)).await;
    let requested = TENANTS.map(|tenant| Requester::new(tenant, "svc-0", test_env.secret_of(tenant)));
    // On a busy machine a store may not answer in time: a correct 503 that does not concern this test.
    for replica in &replicas {
        for Requester { tenant, client, secret } in &requested {
            let is_warm = async || replica.program.request_token(tenant, client, secret).await.status == 200;
            eventually("every client is warm at every replica", LONGEST, is_warm).await;
        }
    }
    let (programs, _folders): (Vec<_>, Vec<_>) =
        replicas.into_iter().map(|replica| (replica.program, replica.folder)).unzip();
    let Ok(programs) = programs.try_into() else { panic!("two programs") };
    assert_none_dropped(programs, &requested).await;
}
