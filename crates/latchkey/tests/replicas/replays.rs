//! Tests that with Redis, refusing a replay at another replica costs no statement. Even if Redis is flushed
//! or others write to it, nothing is accepted twice, and nothing is refused at another tenant.

use std::time::Duration;

use testkit::RedisServer;
use tokio::time::sleep;

use crate::assertions::{LIFETIME, assertion, key, status, with_keys};
use crate::dpop;
use crate::numbers::Numbers;
use crate::program::Mark;
use crate::prover::Prover;
use crate::redis_server::Inspected;
use crate::test_env::{Replica, TENANTS, TestEnv, settings};

/// More often than the program's own statements, one a second, can coincide with a replay.
const TIMES: usize = 6;
/// The remaining life of an assertion in milliseconds, with the leeway for the client's clock and for the
/// clocks of replicas.
const LEFT: i64 = (LIFETIME as i64 + 120) * 1_000;

async fn two_with_redis(test_env: &TestEnv, settings: &str) -> [Replica; 2] {
    let replicas = test_env.start_two(settings).await;
    for replica in &replicas {
        replica.program.log_after(Mark::START, "Redis answers");
    }
    replicas
}

/// The keys of a tenant's marks in Redis, and their remaining milliseconds.
fn marks(redis: &RedisServer, tenant: &str) -> Vec<(Vec<u8>, i64)> {
    let below = format!("latchkey:{{{tenant}}}:used:").into_bytes();
    let names = redis.names().into_iter().filter(|name| name.starts_with(&below));
    let left = |name: &[u8]| redis.ask(&[b"PTTL", name]).unwrap();
    names.map(|name| (name.clone(), left(&name))).collect()
}

/// Uses values until one has a mark in Redis, and returns these. A mark is only a shortcut and written once,
/// so it may be missing on a busy machine.
async fn used_and_marked<T>(redis: &RedisServer, tenant: &str, using: impl AsyncFn(&str) -> T) -> T {
    for jti in ["1", "2", "3", "4", "5"] {
        let used = using(jti).await;
        for _ in 0..40 {
            if marks(redis, tenant).iter().any(|(_, left)| *left > 0) {
                return used;
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
    panic!("{tenant}: no mark of five");
}

/// The statements and commands for a replay at this replica, which Redis refuses. The least of several
/// measurements.
async fn cost<F: Future<Output = u16>>(
    replica: &Replica,
    replay: impl Fn() -> F,
    refused: u16,
) -> (u64, u64) {
    let (mut statements, mut commands) = (u64::MAX, u64::MAX);
    for _ in 0..TIMES {
        let before = Numbers::from_replica(replica).await;
        assert_eq!(replay().await, refused);
        let after = Numbers::from_replica(replica).await;
        assert_eq!(after.refused_early, before.refused_early + 1);
        statements = statements.min(after.statements - before.statements);
        commands = commands.min(after.commands - before.commands);
    }
    (statements, commands)
}

// [assertions RFC 7523 §6]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replayed_assertion_is_refused_without_a_statement() {
    let (redis, test_env) = TestEnv::with_redis();
    let keys = [key(), key()];
    let [one, other] = two_with_redis(&test_env, &with_keys(&keys)).await;
    for (key, tenant) in keys.iter().zip(TENANTS) {
        // The values have the same client and `jti` at both tenants.
        let used = used_and_marked(&redis, tenant, async |jti| {
            let used = assertion(key, tenant, jti);
            assert_eq!(status(&one.program, tenant, &used).await, 200, "{tenant}");
            used
        });
        let used = used.await;
        assert_eq!(cost(&other, || status(&other.program, tenant, &used), 401).await, (0, 1), "{tenant}");
        let left: Vec<_> = marks(&redis, tenant).into_iter().map(|(_, left)| left).collect();
        assert!(!left.is_empty() && left.iter().all(|left| (1..=LEFT).contains(left)), "{tenant}: {left:?}");
    }
}

// [dpop RFC 9449 §11.1]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replayed_proof_is_refused_without_a_statement() {
    let (redis, test_env) = TestEnv::with_redis();
    let [one, other] = two_with_redis(&test_env, &settings(1)).await;
    let prover = Prover::new();
    for tenant in TENANTS {
        let secret = test_env.secret_of(tenant);
        let send =
            async |replica: &Replica, proof: &str| dpop::request(replica, tenant, secret, proof).await.status;
        let proof = used_and_marked(&redis, tenant, async |jti| {
            let proof = prover.proof(&dpop::url(tenant), jti);
            assert_eq!(send(&one, &proof).await, 200, "{tenant}");
            proof
        });
        let proof = proof.await;
        assert_eq!(cost(&other, || send(&other, &proof), 400).await, (0, 1), "{tenant}");
    }
}
