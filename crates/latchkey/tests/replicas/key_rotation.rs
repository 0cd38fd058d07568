//! Two programs sign with the same keys and change to the next one together, whichever of them is told to rotate and whichever of them
//! is killed meanwhile: no verifier that honours `Cache-Control` meets a token that it cannot verify, and each tenant always has exactly
//! one key that signs. What takes longer is in `cargo xtask soak --only rotation`.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use tokio::time::sleep;

use crate::administrator::Administrator;
use crate::redis_server::RedisServer;
use crate::rotations::{QUICK, QUICK_CACHE, QUICK_TOKENS, look, rotate};
use crate::running::tenant_path;
use crate::test_env::{Replica, TENANTS, TestEnv, settings};
use crate::test_servers::{LONGEST, eventually};
use crate::traffic::{Pace, Requester, Traffic};

const CLIENTS: usize = 3;
const ROTATIONS: usize = 6;
const PACE: Pace = Pace { callers: 6, pause: Duration::from_millis(10), again: 4 };

/// So many milliseconds after it was told to rotate a leader is killed: before it has written, while it does, and at times when the new
/// key waits and is about to sign.
const KILLED_AFTER: [u64; 4] = [1_200, 3, 12, 2_950];
/// A lease is of 15 s; and what a busy machine needs.
const TAKEN_OVER: Duration = Duration::from_secs(30);
/// By itself, once somebody leads; and what a busy machine needs.
const ROTATED: Duration = Duration::from_secs(25);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_rotation_leaves_a_verifier_without_the_key_of_a_token() {
    let redis = RedisServer::started();
    let test_env = TestEnv::new(Some(redis.url()));
    let replicas = test_env.start_two(&rotated("")).await;
    let admin = first_admin(&test_env, &replicas[0]).await;
    let traffic = traffic(&test_env, &[&replicas[0], &replicas[1]]).await;
    let admins = [admin.at(&replicas[1].program), admin];
    rotate(&admins, &TENANTS, ROTATIONS, &traffic).await;
    let outcome = traffic.end().await;
    outcome.assert_all_served(ROTATIONS * 50);
    for tenant in TENANTS {
        assert_eq!(outcome.kids[tenant].len(), ROTATIONS + 1, "{outcome:?}");
    }
    eprintln!("measured: {outcome:?}");
}

/// Keys are rotated by themselves here, every few seconds, and by an administrator too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_killed_at_any_moment_leaves_one_key_that_signs() {
    let test_env = TestEnv::new(None);
    let settings = rotated(", rotate_every: 4s");
    let mut leader = test_env.start(&settings);
    let mut holder = next_holder(&test_env, "").await;
    let mut follower = test_env.start(&settings);
    follower.open_connections().await;
    let admin = first_admin(&test_env, &follower).await;
    let traffic = traffic(&test_env, &[&leader, &follower]).await;

    for (round, after) in KILLED_AFTER.into_iter().enumerate() {
        let (api, tenant) = (admin.at(&leader.program), TENANTS[round % TENANTS.len()]);
        let path = tenant_path(tenant, "/keys/rotate");
        // It may have no time to answer.
        let requested = tokio::spawn(async move { api.send(Method::POST, &path, Some(&json!({}))).await });
        sleep(Duration::from_millis(after)).await;
        traffic.turn_to(vec![follower.program.url("")]);
        leader.program.kill();
        drop(requested.await);
        if round > 0 {
            // The first lease was waited for to its end; for the others these seconds count as past.
            test_env.database.query("UPDATE leases SET until = until - 15 WHERE name = 'rotation'");
        }
        let admin = admin.at(&follower.program);
        let began = Instant::now();
        let looks = tokio::spawn(async move {
            loop {
                for tenant in TENANTS {
                    look(&admin, tenant).await;
                }
                sleep(Duration::from_millis(50)).await;
            }
        });
        holder = next_holder(&test_env, &holder).await;
        eprintln!("measured: another leads {:?} after its leader was killed", began.elapsed());
        let before = TENANTS.map(|tenant| traffic.kids(tenant));
        let all_rotated =
            async || TENANTS.iter().zip(&before).all(|(tenant, before)| traffic.kids(tenant) > *before);
        eventually("keys are rotated by the next leader", ROTATED, all_rotated).await;
        assert!(!looks.is_finished(), "{:?}", looks.await);
        looks.abort();
        leader = follower;
        follower = test_env.start(&settings);
        follower.open_connections().await;
        know_all(&test_env, &follower).await;
        traffic.turn_to(vec![leader.program.url(""), follower.program.url("")]);
    }
    let outcome = traffic.end().await;
    // A program that has just started opens its connections while it is asked, which a busy machine makes slow.
    outcome.assert_none_failed(500);
    eprintln!("measured: {outcome:?}");
}

/// Who leads, once that is another one than before.
async fn next_holder(test_env: &TestEnv, before: &str) -> String {
    let mut holder = String::new();
    let is_another = async || {
        holder = test_env.database.query("SELECT holder FROM leases WHERE name = 'rotation'");
        !holder.is_empty() && holder != before
    };
    eventually("somebody leads", TAKEN_OVER, is_another).await;
    holder
}

async fn first_admin(test_env: &TestEnv, replica: &Replica) -> Administrator {
    let mut init = test_env.command(&replica.folder, &["admin", "init", "--json"]);
    Administrator::init(&replica.program, &mut init, &replica.folder.canaries).await
}

/// At programs that know all clients.
async fn traffic(test_env: &TestEnv, replicas: &[&Replica]) -> Traffic {
    for replica in replicas {
        know_all(test_env, replica).await;
    }
    let requested = |tenant: &str, number: usize| Requester {
        tenant: tenant.to_owned(),
        client: format!("svc-{number}"),
        secret: test_env.secret_of(tenant).to_owned(),
    };
    let requested = (0..CLIENTS).flat_map(|number| TENANTS.map(|tenant| requested(tenant, number)));
    let origins = replicas.iter().map(|replica| replica.program.url("")).collect();
    Traffic::start(origins, requested.collect(), PACE)
}

/// Asks until every client has had a token here. What is cold when connections are still being opened is told to come back, and tests
/// are about what comes later.
async fn know_all(test_env: &TestEnv, replica: &Replica) {
    for number in 0..CLIENTS {
        for tenant in TENANTS {
            let (client, secret) = (format!("svc-{number}"), test_env.secret_of(tenant));
            let is_known =
                async || replica.program.request_token(tenant, &client, secret).await.status == 200;
            eventually("a client is known", LONGEST, is_known).await;
        }
    }
}

/// The installation's settings with keys that live for seconds.
fn rotated(more: &str) -> String {
    let settings = settings(CLIENTS);
    let servers = "    resource_servers:";
    let of = |algorithm: &str| format!("    signing: {{ algorithm: {algorithm}, {QUICK}{more} }}\n");
    let acme = settings.replacen(servers, &format!("{}{servers}", of("RS256")), 1);
    let globex = acme.replacen("    signing: { algorithm: ES256 }\n", &of("ES256"), 1);
    let tokens = globex.replace(servers, &format!("    {QUICK_TOKENS}\n{servers}"));
    assert_eq!(tokens.matches(QUICK).count(), 2, "{tokens}");
    format!("{QUICK_CACHE}{tokens}")
}
