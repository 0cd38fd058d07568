//! Tests that two programs sign with the same keys and change to the next key together, whichever of them
//! gets the command to rotate and whichever is killed. No verifier that honours `Cache-Control` receives a
//! token that it cannot verify, and each tenant always has exactly one key that signs. `cargo xtask soak
//! --only rotation` is the long form of this test.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use tokio::time::sleep;

use crate::rotations::{QUICK, QUICK_CACHE, QUICK_TOKENS, look, rotate};
use crate::running::tenant_path;
use crate::test_env::{Replica, TENANTS, TestEnv, settings};
use crate::test_servers::{LONGEST, eventually};
use crate::traffic::{Pace, Requester, Traffic};

const CLIENTS: usize = 3;
const ROTATIONS: usize = 6;
const PACE: Pace = Pace { callers: 6, pause: Duration::from_millis(10), again: 4 };

/// How long after the command to rotate the leader is killed, in milliseconds: before its write, during it,
/// while the new key is announced, and just before the new key signs.
const KILLED_AFTER: [u64; 4] = [1_200, 3, 12, 2_950];
/// A lease of 15 s, and a margin for a busy machine.
const TAKEN_OVER: Duration = Duration::from_secs(30);
/// An automatic rotation after a leader is elected, and a margin for a busy machine.
const ROTATED: Duration = Duration::from_secs(25);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verifiers_always_have_the_key_during_rotations() {
    let (_redis, test_env) = TestEnv::with_redis();
    let replicas = test_env.start_two(&rotated("")).await;
    let admin = test_env.administrator(&replicas[0]).await;
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

/// Both the scheduler (every few seconds) and an administrator rotate keys here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_leader_leaves_one_signing_key() {
    let test_env = TestEnv::new(None);
    let settings = rotated(", rotate_every: 4s");
    let mut leader = test_env.start(&settings);
    let mut holder = next_holder(&test_env, "").await;
    let mut follower = test_env.start(&settings);
    follower.open_connections().await;
    let admin = test_env.administrator(&follower).await;
    let traffic = traffic(&test_env, &[&leader, &follower]).await;

    for (round, after) in KILLED_AFTER.into_iter().enumerate() {
        let (api, tenant) = (admin.at(&leader.program), TENANTS[round % TENANTS.len()]);
        let path = tenant_path(tenant, "/keys/rotate");
        // The program may be killed before it answers.
        let requested = tokio::spawn(async move { api.send(Method::POST, &path, Some(&json!({}))).await });
        sleep(Duration::from_millis(after)).await;
        traffic.turn_to(vec![follower.program.url("")]);
        leader.program.kill();
        drop(requested.await);
        if round > 0 {
            // The test only waits for the first lease; the others are made to expire in the database.
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
    // A program that has just started opens its connections during requests, which takes time on a busy
    // machine.
    outcome.assert_none_failed(500);
    eprintln!("measured: {outcome:?}");
}

/// Waits until the leader is another one than `before`, and returns it.
async fn next_holder(test_env: &TestEnv, before: &str) -> String {
    let mut holder = String::new();
    let is_another = async || {
        holder = test_env.database.query("SELECT holder FROM leases WHERE name = 'rotation'");
        !holder.is_empty() && holder != before
    };
    eventually("a new leader", TAKEN_OVER, is_another).await;
    holder
}

/// Load on programs that have every client cached.
async fn traffic(test_env: &TestEnv, replicas: &[&Replica]) -> Traffic {
    for replica in replicas {
        know_all(test_env, replica).await;
    }
    let requested = |tenant: &str, number: usize| {
        Requester::new(tenant, &format!("svc-{number}"), test_env.secret_of(tenant))
    };
    let requested = (0..CLIENTS).flat_map(|number| TENANTS.map(|tenant| requested(tenant, number)));
    let origins = replicas.iter().map(|replica| replica.program.url("")).collect();
    Traffic::start(origins, requested.collect(), PACE)
}

/// Requests tokens until every client has got one here. Clients that are not cached may get 503 while
/// connections are being opened, which these tests do not check.
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
