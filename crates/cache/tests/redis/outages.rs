//! Tests a Redis that is absent, killed, hung, flushed or restarted. No caller gets an error, and only the
//! first one waits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cache::{RedisOptions, ping};
use testkit::{RedisServer, fixtures};

use crate::server;
use crate::test_env::{Replica, SOON, TestEnv, Traits, eventually};

const CLIENTS: usize = 500;
/// The time limit for 500 requests. If each waited for a hung Redis, they would take 25 s.
const GENEROUS: Duration = Duration::from_secs(8);

/// A replica with the timeouts of production, and many clients, each of which is read once.
struct Street {
    test_env: TestEnv,
    replica: Replica,
    next: usize,
}

impl Street {
    async fn before(server: &RedisServer) -> Self {
        let test_env = TestEnv::at(&server.url());
        let client = |number| fixtures::client(&test_env.acme, &format!("c{number}"));
        test_env.store.put_clients(&(0..20 * CLIENTS).map(client).collect::<Vec<_>>());
        let replica = test_env.replica_now(Traits::quick());
        Self { test_env, replica, next: 0 }
    }

    /// Reads cold clients, which must all be correct, and returns the duration.
    async fn requests(&mut self) -> Duration {
        let began = Instant::now();
        for _ in 0..CLIENTS {
            self.request().await;
        }
        began.elapsed()
    }

    async fn request(&mut self) {
        let id = format!("c{}", self.next);
        self.next += 1;
        assert_eq!(self.replica.client(&self.test_env.acme, &id).await.unwrap().name, id);
    }

    fn commands(&self) -> u64 {
        self.replica.redis.counts().commands.get()
    }

    /// Runs requests during an outage. A few commands detect the outage; after that, no more commands are
    /// sent.
    async fn outage(&mut self, what: &str) {
        let before = self.commands();
        let took = self.requests().await;
        let spent = self.commands() - before;
        println!("{what}: {CLIENTS} requests in {took:?}, {spent} commands");
        assert!(spent <= 4, "{what}: {spent} commands");
        assert!(took < GENEROUS, "{what}: {took:?}");
        assert!(!self.replica.redis.is_up(), "{what}");
        let before = self.commands();
        self.requests().await;
        assert_eq!(self.commands(), before, "{what}: Redis was asked again");
    }

    async fn recovered(&mut self, what: &str) {
        let began = Instant::now();
        eventually(what, || self.replica.redis.is_up()).await;
        println!("{what}: {:?}", began.elapsed());
        let before = self.replica.redis.counts().puts.get();
        // On a busy machine a command may be late, and then Redis is not used for a while again.
        while self.replica.redis.counts().puts.get() == before {
            assert!(began.elapsed() < SOON, "rows are not shared again");
            self.request().await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_missing_at_start_is_found_later() {
    let (mut absent, hung) = (RedisServer::absent(), RedisServer::started());
    hung.pause();
    let mut streets = [Street::before(&absent).await, Street::before(&hung).await];
    for street in &mut streets {
        street.outage("absent or hung").await;
        assert_eq!(street.commands(), 0);
    }
    absent.start();
    hung.resume();
    for street in &mut streets {
        street.recovered("found").await;
    }
}

/// Runs two outages with a Redis that works before, between and after them.
async fn check(what: &str, begin: fn(&mut RedisServer), end: fn(&mut RedisServer)) {
    let mut server = RedisServer::started();
    let mut street = Street::before(&server).await;
    street.recovered("found").await;
    for _ in 0..2 {
        begin(&mut server);
        street.outage(what).await;
        end(&mut server);
        street.recovered(what).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replica_works_after_redis_is_killed() {
    check("killed", RedisServer::kill, RedisServer::start).await;
}

// [V13 13.2.6]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_one_request_waits_for_a_hung_redis() {
    check("hung", |server| server.pause(), |server| server.resume()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flushing_redis_causes_no_errors() {
    let server = RedisServer::started();
    let mut street = Street::before(&server).await;
    street.recovered("found").await;
    let mut redis = server::connection(&server.url());
    for _ in 0..3 {
        redis::cmd("FLUSHALL").exec(&mut redis).unwrap();
        redis::cmd("SCRIPT").arg("FLUSH").exec(&mut redis).unwrap();
        street.requests().await;
    }
    assert!(street.replica.redis.counts().puts.get() > 0);
}

/// Checks a Redis that answers but refuses writes between two commands.
async fn check_refusal(begin: &[&str], end: &[&str], trouble: &str, refused: &str) {
    let server = RedisServer::started();
    let mut street = Street::before(&server).await;
    street.recovered("found").await;
    let run = |words: &[&str]| {
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(*word);
        }
        command.exec(&mut server::connection(&server.url())).unwrap();
    };
    run(begin);
    street.outage(trouble).await;
    // At least three probes find that Redis still refuses writes.
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(900) {
        assert!(!street.replica.redis.is_up());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(street.replica.redis.trouble(), trouble);
    let options = RedisOptions::new(&server.url(), Arc::new(|| Duration::ZERO)).unwrap();
    let fault = ping(options).await.unwrap_err().to_string();
    assert!(fault.starts_with(&format!("it refuses scripts that write: {refused}")), "{fault}");
    run(end);
    street.recovered("writable again").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn read_only_redis_is_reported_and_not_used() {
    let (begin, end) = (["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"]);
    check_refusal(&begin, &end, "Redis accepts no writes", "ReadOnly").await;
}

// By default, a full Redis evicts nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_redis_is_reported_and_not_used() {
    let [begin, end] = ["1", "0"].map(|bytes| ["CONFIG", "SET", "maxmemory", bytes]);
    check_refusal(&begin, &end, "Redis is full", "\"OOM\"").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_changes_are_received_again() {
    let mut server = RedisServer::started();
    let test_env = TestEnv::at(&server.url());
    let (first, second) =
        (test_env.replica_with(Traits::quick()).await, test_env.replica_with(Traits::quick()).await);
    assert_eq!(second.name(&test_env.acme).await, "svc");
    server.kill();
    server.start();
    eventually("Redis is back", || first.redis.is_up() && second.redis.is_up()).await;
    test_env.rename(&test_env.acme, "renamed");
    let began = Instant::now();
    while second.redis.counts().received.get() == 0 {
        first.caches.publish_invalidation(&[crate::test_env::svc_of(&test_env.acme)]).await;
        assert!(began.elapsed() < Duration::from_secs(9), "nobody listens");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("heard again after {:?}", began.elapsed());
    assert_eq!(second.name(&test_env.acme).await, "renamed");
}
