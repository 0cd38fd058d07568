//! Tests that replicas count together what each admits, that a forged count only makes a limit stricter for a
//! while, and that each replica counts alone while Redis is away.

use std::net::Ipv4Addr;

use futures_util::future::join_all;
use redis::Value;
use secrets::{CallerAddress, FailedAttempts, LeakyBuckets, SharedCounts};
use tenancy::Tenant;
use testkit::RedisServer;
use values::{Lifetime, Rate, RateUnit, Timestamp};

use crate::test_env::{Replica, TestEnv, Traits, eventually, now};

const SPAN: Lifetime = Lifetime::from_seconds(900);

/// The limits of one replica: 10 attempts at a bucket, 10 failures an hour.
struct Limits {
    replica: Replica,
    buckets: LeakyBuckets,
    failures: FailedAttempts,
    source: CallerAddress,
}

impl Limits {
    async fn new(test_env: &TestEnv, traits: Traits) -> Self {
        let replica = test_env.replica_with(traits).await;
        let counts = replica.redis.counts_to_share.clone();
        let (buckets, failures) = limits(&counts);
        let source = CallerAddress::new(Some(Ipv4Addr::new(192, 0, 2, 1).into()));
        Self { replica, buckets, failures, source }
    }

    /// How many of these attempts at each limit are within it.
    fn fit(&self, tenant: &Tenant, attempts: u32) -> [u32; 2] {
        let now = Timestamp::from_seconds(now().as_secs());
        let in_bucket = || self.buckets.begin(&tenant.id, "ada", now).is_some();
        let in_span = || self.failures.begin(&tenant.id, None, &self.source, now).fail().is_none();
        let (mut buckets, mut spans) = (0, 0);
        for _ in 0..attempts {
            buckets += u32::from(in_bucket());
            spans += u32::from(in_span());
        }
        [buckets, spans]
    }

    /// Whether both limits are reached, without counting an attempt.
    fn is_full(&self, tenant: &Tenant) -> bool {
        let now = Timestamp::from_seconds(now().as_secs());
        let bucket = self.buckets.begin(&tenant.id, "ada", now);
        let attempt = self.failures.begin(&tenant.id, None, &self.source, now);
        let is_full = bucket.is_none() && attempt.is_over_limit();
        bucket.into_iter().for_each(secrets::BucketAttempt::forgive);
        attempt.forgive();
        is_full
    }
}

fn limits(counts: &SharedCounts) -> (LeakyBuckets, FailedAttempts) {
    let rate = Rate { count: 10, unit: RateUnit::Hour };
    (
        LeakyBuckets::new(10, SPAN).shared(counts.limit("test", "bucket")),
        FailedAttempts::new(rate).shared(counts.limit("test", "failures")),
    )
}

fn counts_in_redis(test_env: &TestEnv, tenant: &Tenant) -> Vec<String> {
    let below = test_env.name(tenant, "count:");
    test_env.names().into_iter().filter(|name| name.starts_with(&below)).collect()
}

fn ask<T: redis::FromRedisValue>(test_env: &TestEnv, command: &[&str]) -> T {
    redis::cmd(command[0]).arg(&command[1..]).query(&mut test_env.redis()).unwrap()
}

#[tokio::test]
async fn limit_reached_at_one_replica_is_reached_at_the_other() {
    let test_env = TestEnv::new();
    let [one, other] = [
        Limits::new(&test_env, Traits::default()).await,
        // The clocks of replicas differ.
        Limits::new(&test_env, Traits::ahead(2)).await,
    ];
    let (acme, globex) = (&test_env.acme, &test_env.globex);
    assert_eq!(one.fit(acme, 20), [10, 10]);
    eventually("counts are in Redis", || counts_in_redis(&test_env, acme).len() == 2).await;
    assert_eq!(other.fit(acme, 1), [1, 1], "the first attempt tells of the others");
    eventually("the other has learned", || other.is_full(acme)).await;
    assert_eq!((other.fit(acme, 1), other.fit(globex, 10)), ([0, 0], [10, 10]));
    for name in [acme, globex].into_iter().flat_map(|tenant| counts_in_redis(&test_env, tenant)) {
        let left: i64 = ask(&test_env, &["PTTL", &name]);
        assert!((1..=3_600_000).contains(&left), "{left}");
        assert!(!name.contains("192.0.2") && !name.contains("ada"), "{name}");
    }
}

#[tokio::test]
async fn sources_count_distinct_members_in_redis() {
    let test_env = TestEnv::new();
    let [one, other] = [test_env.replica().await, test_env.replica().await];
    let (acme, now) = (&test_env.acme, Timestamp::from_seconds(now().as_secs()));
    let span = (4, now + SPAN);
    let limit = |replica: &Replica| replica.redis.counts_to_share.limit("test", "members");
    let add = |replica: &Replica, member| {
        limit(replica).add(&acme.id, "source", (1, Some(member)), span, now);
    };
    (1..=3).for_each(|member| add(&one, member));
    eventually("members are in Redis", || counts_in_redis(&test_env, acme).len() == 1).await;
    let value: String = ask(&test_env, &["GET", &counts_in_redis(&test_env, acme)[0]]);
    assert_eq!(value.len(), 48);
    let before = other.redis.counts().commands.get();
    [2, 3].into_iter().for_each(|member| add(&other, member));
    eventually("it has exchanged", || other.redis.counts().commands.get() > before).await;
    add(&other, 9);
    eventually("the limit is reached", || limit(&other).is_reached(&acme.id, "source", span, now)).await;
    assert!(!limit(&other).is_reached(&test_env.globex.id, "source", span, now));
}

// [parties #11]
#[tokio::test]
async fn forged_counts_are_bounded_and_expire() {
    let commands: [&[&str]; 6] = [
        &["SET", "NAME", "nan"],
        &["SET", "NAME", "99999999999999999999999999999999"],
        &["SET", "NAME", "x", "PX", "9000000000000000"],
        &["HSET", "NAME", "field", "value"],
        &["SET", "NAME", "-1"],
        &["SETBIT", "NAME", "80000", "1"],
    ];
    let forge = async |command: &[&str]| {
        let test_env = TestEnv::new();
        let (acme, globex) = (&test_env.acme, &test_env.globex);
        let limits = Limits::new(&test_env, Traits::default()).await;
        limits.fit(acme, 1);
        eventually("counts are in Redis", || counts_in_redis(&test_env, acme).len() == 2).await;
        let names = counts_in_redis(&test_env, acme);
        for name in &names {
            let words: Vec<_> =
                command.iter().map(|word| if *word == "NAME" { name } else { *word }).collect();
            ask::<i64>(&test_env, &["DEL", name]);
            ask::<Value>(&test_env, &words);
        }
        limits.fit(acme, 1);
        let is_repaired = || {
            let lifetimes = names.iter().map(|name| ask::<i64>(&test_env, &["PTTL", name]));
            lifetimes.into_iter().all(|left| (1..=3_600_000).contains(&left))
        };
        eventually("counts expire again", is_repaired).await;
        assert!(limits.replica.redis.is_up(), "{command:?}");
        let in_two_spans = Timestamp::from_seconds(now().as_secs() + 2 * SPAN.seconds() + 1);
        assert!(limits.buckets.begin(&acme.id, "ada", in_two_spans).is_some(), "{command:?}");
        assert_eq!(limits.fit(globex, 11), [10, 10]);
    };
    join_all(commands.map(forge)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_count_alone_while_redis_is_away() {
    let mut server = RedisServer::started();
    let test_env = TestEnv::at(&server.url());
    let [one, other] =
        [Limits::new(&test_env, Traits::quick()).await, Limits::new(&test_env, Traits::quick()).await];
    let (acme, globex) = (&test_env.acme, &test_env.globex);
    let are_up = || [&one, &other].map(|limits| limits.replica.redis.is_up());
    server.kill();
    // The first exchange fails. Later ones wait for Redis.
    assert_eq!([&one, &other].map(|limits| limits.fit(globex, 1)), [[1, 1]; 2]);
    eventually("both know", || are_up() == [false; 2]).await;
    assert_eq!((one.fit(acme, 20), other.fit(acme, 6)), ([10, 10], [6, 6]));
    server.start();
    eventually("Redis is back", || are_up() == [true; 2]).await;
    eventually("counts are in Redis", || counts_in_redis(&test_env, acme).len() == 2).await;
    other.fit(acme, 1);
    eventually("the other has learned", || other.is_full(acme)).await;
    assert_eq!(other.fit(globex, 9), [9, 9]);
}
