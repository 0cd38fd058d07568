//! Whatever happens to Redis, no request fails and no token is another's: two programs are asked all the while, mostly for clients
//! that they do not remember, so that they would turn to Redis. Afterwards they use it again, by themselves.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::house::{House, Replica, settings};
use crate::load::Load;
use crate::numbers::Numbers;
use crate::redis_server::{RedisServer, Reply};
use crate::told::eventually;

/// Of each tenant.
const CLIENTS: usize = 500;
/// The load leaves some out, to ask for them afterwards.
const LOADED: usize = CLIENTS - 40;
/// Two seconds, and what a busy machine needs.
const USED_AGAIN: Duration = Duration::from_secs(6);
/// Fewer requests would say little.
const LEAST: usize = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_may_be_absent_at_the_start_and_come_later() {
    check(RedisServer::absent(), "absent at start", async |redis, load, replicas| {
        load.more(200).await;
        for replica in replicas {
            assert!(!Numbers::of(replica).await.redis_is_up);
        }
        redis.start();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_may_be_killed_and_started_anew() {
    check(RedisServer::started(), "killed", async |redis, load, _| {
        redis.kill();
        sleep(Duration::from_secs(1)).await;
        load.more(200).await;
        redis.start();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_may_hang() {
    check(RedisServer::started(), "paused for 3 s", async |redis, load, _| {
        redis.pause();
        sleep(Duration::from_secs(3)).await;
        load.more(100).await;
        redis.resume();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_may_be_flushed() {
    check(RedisServer::started(), "flushed", async |redis, load, _| {
        for _ in 0..10 {
            redis.command(&[b"FLUSHALL"]);
            load.more(30).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_may_hold_what_nobody_of_us_has_written() {
    check(RedisServer::started(), "forged values", async |redis, load, _| {
        for _ in 0..10 {
            forge(redis);
            load.more(30).await;
        }
    })
    .await;
}

/// Runs programs, load and fault; then nothing may have failed, and rows are shared through Redis again.
async fn check(
    mut redis: RedisServer,
    fault: &str,
    happens: impl AsyncFnOnce(&mut RedisServer, &Load, &[Replica; 2]),
) {
    let house = House::new(Some(redis.url()));
    let replicas = house.start_two(&settings(CLIENTS)).await;
    let load = Load::on(&house, &replicas, LOADED).await;
    happens(&mut redis, &load, &replicas).await;
    let ended = Instant::now();
    for replica in &replicas {
        eventually("Redis is used again", USED_AGAIN, async || Numbers::of(replica).await.redis_is_up).await;
    }
    let is_up = ended.elapsed();
    let mut cold = LOADED..CLIENTS;
    let shared = async || {
        let client = format!("svc-{}", cold.next().unwrap());
        let is_shared = is_shared(&house, &redis, &replicas, &client).await;
        sleep(Duration::from_millis(if is_shared { 0 } else { 200 })).await;
        is_shared
    };
    eventually("a row is shared again", USED_AGAIN, shared).await;
    let answered = load.assert_none_failed(LEAST).await;
    eprintln!(
        "measured: {fault}: {answered} requests, 0 failed, up after {is_up:?}, a row shared after {:?}",
        ended.elapsed()
    );
}

/// Whether what one program reads is found in Redis by the other, which both turn to Redis for.
async fn is_shared(house: &House, redis: &RedisServer, [one, other]: &[Replica; 2], client: &str) -> bool {
    let (before, hits, scripts) =
        (Numbers::of(one).await.commands, Numbers::of(other).await.hits, redis.scripts_run());
    one.program.token("acme", client, house.secret_of("acme")).await;
    // What was read is written to Redis after the answer.
    sleep(Duration::from_millis(50)).await;
    other.program.token("acme", client, house.secret_of("acme")).await;
    let (after, found) = (Numbers::of(one).await.commands, Numbers::of(other).await.hits);
    after > before && found > hits && redis.scripts_run() > scripts
}

/// Writes over everything: values become nonsense, nothing, another thing's value, or no text at all; leases, epochs and probes
/// become other texts.
fn forge(redis: &RedisServer) {
    let mut foreign = b"foreign".to_vec();
    for (number, name) in redis.names().iter().enumerate() {
        match number % 4 {
            _ if !is_value(name) => drop(redis.command(&[b"SET", name, b"nonsense"])),
            0 => drop(redis.command(&[b"SET", name, b"\x00\xffnonsense"])),
            1 => drop(redis.command(&[b"SET", name, b""])),
            2 => {
                if let Reply::Text(value) = redis.command(&[b"GETSET", name, &foreign]) {
                    foreign = value;
                }
            }
            _ => {
                redis.command(&[b"DEL", name]);
                redis.command(&[b"RPUSH", name, b"no text"]);
            }
        }
    }
}

fn is_value(name: &[u8]) -> bool {
    let name = String::from_utf8_lossy(name);
    [":tenant", ":keys"].iter().any(|end| name.ends_with(end)) || name.contains(":client:")
}
