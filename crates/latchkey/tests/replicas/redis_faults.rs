//! Tests faults of Redis: no request fails and no token belongs to another client. Two programs continuously
//! get requests, mostly for clients that they have not cached, so that they would use Redis. Afterwards they
//! use Redis again without intervention.

use std::time::{Duration, Instant};

use testkit::RedisServer;
use tokio::time::sleep;

use crate::host::run;
use crate::load::Load;
use crate::numbers::Numbers;
use crate::program::Mark;
use crate::redis_server::Inspected;
use crate::test_env::{Replica, TENANTS, TestEnv, settings};
use crate::test_servers::{LONGEST, eventually};

const CLIENTS: usize = 500;
/// The load leaves out some clients, which show later that rows are shared again.
const LOADED: usize = CLIENTS - 100;
/// The longest pause between two attempts, and a margin for a busy machine.
const USED_AGAIN: Duration = Duration::from_secs(20);
/// Fewer requests would prove nothing.
const LEAST: usize = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_can_be_killed_and_restarted() {
    let (mut redis, test_env) = TestEnv::with_redis();
    let replicas = test_env.start_two(&settings(CLIENTS)).await;
    let load = Load::on(&test_env, &replicas, LOADED).await;
    redis.kill();
    sleep(Duration::from_secs(1)).await;
    load.more(200).await;
    redis.start();

    // The programs share rows through Redis again.
    let (ended, mut cold) = (Instant::now(), LOADED..CLIENTS);
    for replica in &replicas {
        let is_up = async || Numbers::from_replica(replica).await.redis_is_up;
        eventually("Redis is used again", USED_AGAIN, is_up).await;
    }
    let is_up = ended.elapsed();
    let shared = async || {
        let client = format!("svc-{}", cold.next().unwrap());
        let is_shared = is_shared(&test_env, &redis, &replicas, &client).await;
        sleep(Duration::from_millis(if is_shared { 0 } else { 200 })).await;
        is_shared
    };
    eventually("a row is shared again", USED_AGAIN, shared).await;
    eprintln!("measured: up after {is_up:?}, a row shared after {:?}", ended.elapsed());
    let answered = load.assert_none_failed(LEAST).await;
    eprintln!("measured: {answered} requests, 0 failed");
}

/// Whether one program finds a row in Redis that the other has read.
async fn is_shared(
    test_env: &TestEnv,
    redis: &RedisServer,
    [one, other]: &[Replica; 2],
    client: &str,
) -> bool {
    let (before, hits, scripts) = (
        Numbers::from_replica(one).await.commands,
        Numbers::from_replica(other).await.hits,
        redis.scripts_run(),
    );
    one.program.token("acme", client, test_env.secret_of("acme")).await;
    // A program writes rows to Redis after the answer.
    sleep(Duration::from_millis(50)).await;
    other.program.token("acme", client, test_env.secret_of("acme")).await;
    let (after, found) = (Numbers::from_replica(one).await.commands, Numbers::from_replica(other).await.hits);
    after > before && found > hits && redis.scripts_run() > scripts
}

/// A command to Redis, the command that undoes it, the cause in readiness and log, and the cause in `doctor`.
const REFUSALS: [[&str; 4]; 3] = [
    ["CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0", "Redis is full", "\"OOM\""],
    ["REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", "Redis accepts no writes", "ReadOnly"],
    [
        "ACL SETUSER default -set",
        "ACL SETUSER default +set",
        "the account of Redis lacks a right",
        "can't run this command",
    ],
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reason_for_not_using_redis_is_reported() {
    let (redis, test_env) = TestEnv::with_redis();
    let replica = test_env.start(&settings(60));
    replica.program.log_after(Mark::START, "Redis answers");
    let told = |words: &str| redis.command(&words.split(' ').map(str::as_bytes).collect::<Vec<_>>());
    let state = async || {
        let ready = replica.program.get("/health/ready").await;
        assert_eq!(ready.status, 200, "{ready:?}");
        ready.json()["checks"]["redis"].clone()
    };
    let mut numbers = 0..60;
    for [begin, end, trouble, refused] in REFUSALS {
        told(begin);
        let reason = format!("{trouble}; Latchkey reads from the store instead");
        eventually("the refusal is noticed", LONGEST, async || {
            let client = format!("svc-{}", numbers.next().unwrap_or(0));
            for tenant in TENANTS {
                replica.program.token(tenant, &client, test_env.secret_of(tenant)).await;
            }
            state().await["reason"] == reason.as_str()
        })
        .await;
        let ran = run(&mut test_env.command(&replica.folder, &["doctor", "--json"]));
        let checks = ran.document()["checks"].as_array().unwrap().clone();
        let line = checks.iter().find(|line| line["check"] == "redis").unwrap();
        let found = line["found"].as_str().unwrap();
        assert!(line["status"] == "warning" && found.contains("it refuses scripts that write"), "{found}");
        assert!(found.contains(refused), "{found}");
        told(end);
        eventually("Redis is used again", USED_AGAIN, async || state().await["status"] == "ok").await;
    }
    // Several refusals in a row are one outage.
    let lines = replica.program.log();
    let texts = lines.iter().filter_map(|line| line["message"].as_str());
    let begun: Vec<_> = texts.filter(|text| text.ends_with("; the store is read instead")).collect();
    // On a busy machine Redis may be late first.
    let is_named = begun.iter().any(|text| !text.starts_with("Redis is out of reach"));
    assert!(is_named && begun.len() <= REFUSALS.len() + 1, "{begun:?}");
}
