//! After a failover to a standby that had not received all transactions, numbers of the log and of
//! transactions are given again for other changes. Every change after the promotion counts at every replica
//! all the same.

use std::time::Instant;

use reqwest::Method;

use crate::postgres_server::PostgresServer;
use crate::revocation::{NOTIFIED, is_active, revoke};
use crate::running::tenant_path;
use crate::test_env::{TENANTS, TestEnv, settings};
use crate::test_servers::{LONGEST, eventually};

/// So many transactions are lost, more than there are after the promotion.
const LOST: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_count_after_a_failover_that_lost_transactions() {
    let primary = PostgresServer::started();
    let test_env = TestEnv::on(&primary.server(), None);
    let replicas = test_env.start_two(&settings(2)).await;
    let [one, other] = &replicas;
    let administrator = test_env.administrator(one).await;
    let mut tokens = Vec::new();
    for tenant in TENANTS {
        let token = other.program.token(tenant, "svc-0", test_env.secret_of(tenant)).await;
        tokens.push((tenant, token));
    }
    let mut standby = primary.standby();
    primary.stop_replication();
    for _ in 0..LOST {
        let lost = one.program.token("acme", "svc-0", test_env.secret_of("acme")).await;
        revoke(&test_env, one, "acme", &lost).await;
    }
    for (tenant, token) in &tokens {
        for replica in &replicas {
            assert!(
                is_active(&test_env, replica, tenant, token).await,
                "the facts of the lost history are read"
            );
        }
    }
    standby.replace(primary);
    let promoted = Instant::now();
    for (tenant, token) in &tokens {
        let is_revoked = async || revoke(&test_env, one, tenant, token).await == 200;
        eventually("the new primary takes writes", LONGEST, is_revoked).await;
        let revoked = Instant::now();
        let is_ended = async || !is_active(&test_env, other, tenant, token).await;
        eventually("the other replica knows", NOTIFIED, is_ended).await;
        eprintln!(
            "measured: a revocation counts {:?} after it, {:?} after the promotion",
            revoked.elapsed(),
            promoted.elapsed()
        );
        let path = format!("{}/clients/svc-1/suspend", tenant_path(tenant, ""));
        administrator.send_request(Method::POST, &path, None).await;
        let secret = test_env.secret_of(tenant);
        let is_refused = async || other.program.request_token(tenant, "svc-1", secret).await.status == 401;
        eventually("a suspension counts", NOTIFIED, is_refused).await;
    }
}
