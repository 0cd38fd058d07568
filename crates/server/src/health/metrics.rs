//! Metrics of the parts behind the gateway.

use cache::{Caches, Counters, RedisCache};
use gateway::Sample;

type CacheCount = (&'static str, &'static str, fn(&Counters) -> u64);

const CACHE_COUNTS: [CacheCount; 4] = [
    ("latchkey_cache_hits_total", "Cache hits.", |counters| counters.hits.sum()),
    ("latchkey_cache_loads_total", "Reads of the store by a cache.", |counters| counters.loads.get()),
    ("latchkey_cache_load_failures_total", "Failed reads of the store by a cache.", |counters| {
        counters.failures.get()
    }),
    (
        "latchkey_cache_stale_answers_total",
        "Responses from cached data while the store is unavailable.",
        |counters| counters.stale_answers.get(),
    ),
];

pub(super) fn of_caches(caches: &Caches) -> Vec<Sample> {
    let all = caches.counters();
    let of = |(name, help, count): CacheCount| {
        Vec::from_iter(
            all.iter().map(|(labels, counters)| Sample::counter(name, help, labels, count(counters))),
        )
    };
    let mut samples: Vec<_> = CACHE_COUNTS.into_iter().flat_map(of).collect();
    let help = "Age in seconds of the latest moment up to which this replica knows all changes of the store.";
    let age = caches.followed_age().as_secs();
    samples.push(Sample::gauge("latchkey_change_feed_age_seconds", help, &[], age));
    samples
}

pub(super) fn of_redis(redis: &RedisCache) -> Vec<Sample> {
    let counts = redis.counts();
    let (rows, messages) = ("latchkey_redis_rows_total", "latchkey_redis_messages_total");
    let of_rows =
        "Lookups of rows in Redis. Rejected rows were altered, moved, or belong to another installation.";
    let of_messages = "Invalidations: sent to other replicas (told), received from them (heard), or not sent in time (untold).";
    let is_up = u64::from(redis.is_up());
    vec![
        Sample::gauge("latchkey_redis_up", "Whether Redis is used (1) or not (0).", &[], is_up),
        Sample::counter(
            "latchkey_redis_commands_total",
            "Redis commands for rows, changes and used identifiers.",
            &[],
            counts.commands.get(),
        ),
        Sample::counter(rows, of_rows, &[("outcome", "hit")], counts.hits.get()),
        Sample::counter(rows, of_rows, &[("outcome", "miss")], counts.misses.get()),
        Sample::counter(rows, of_rows, &[("outcome", "rejected")], counts.rejected.get()),
        Sample::counter(messages, of_messages, &[("outcome", "told")], counts.published.get()),
        Sample::counter(messages, of_messages, &[("outcome", "untold")], counts.unpublished.get()),
        Sample::counter(messages, of_messages, &[("outcome", "heard")], counts.received.get()),
        Sample::counter(
            "latchkey_redis_replays_refused_total",
            "Replayed assertions and DPoP proofs that were refused without the store, because Redis knew them.",
            &[],
            counts.refused_early.get(),
        ),
        Sample::counter(
            "latchkey_redis_outages_total",
            "Number of times that Latchkey stopped using Redis after failures.",
            &[],
            counts.outages.get(),
        ),
    ]
}
