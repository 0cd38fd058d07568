//! A program's metrics.

use crate::test_env::Replica;

/// Some of a program's metrics at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// SQL statements, including one a second for the program's check of its store.
    pub(crate) statements: u64,
    /// Redis commands for rows, changes and used identifiers.
    pub(crate) commands: u64,
    /// How often the client cache was loaded from Redis or the store.
    pub(crate) client_loads: u64,
    /// Rows found in Redis.
    pub(crate) hits: u64,
    /// Replays that Redis refused.
    pub(crate) refused_early: u64,
    pub(crate) redis_is_up: bool,
    /// How often the program stopped using Redis.
    pub(crate) outages: u64,
}

impl Numbers {
    pub(crate) async fn from_replica(replica: &Replica) -> Self {
        let text = replica.program.get("/metrics").await.body;
        let read = |series: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
            line.map_or(0, |number| number.parse().unwrap())
        };
        assert!(text.contains("latchkey_store_statements_total "), "{text}");
        Self {
            statements: read("latchkey_store_statements_total"),
            commands: read("latchkey_redis_commands_total"),
            client_loads: read("latchkey_cache_loads_total{cache=\"clients\"}"),
            hits: read("latchkey_redis_rows_total{outcome=\"hit\"}"),
            refused_early: read("latchkey_redis_replays_refused_total"),
            outages: read("latchkey_redis_outages_total"),
            redis_is_up: read("latchkey_redis_up") == 1,
        }
    }
}
