//! Reads and writes in the Redis of a test.

use redis::{Cmd, FromRedisValue, Value};
use testkit::RedisServer;

pub(crate) trait Inspected {
    /// The answer of Redis to a command, if it has this type.
    fn ask<T: FromRedisValue>(&self, words: &[&[u8]]) -> Option<T>;

    fn command(&self, words: &[&[u8]]) {
        drop(self.ask::<Value>(words));
    }

    /// All keys that programs have written.
    fn names(&self) -> Vec<Vec<u8>> {
        self.ask(&[b"KEYS", b"latchkey:*"]).unwrap()
    }

    /// The number of executed scripts. Every operation of programs on rows and changes is one script.
    fn scripts_run(&self) -> u64 {
        let statistics: String = self.ask(&[b"INFO", b"commandstats"]).unwrap();
        let calls = |name: &str| {
            let line = statistics.lines().find_map(|line| line.strip_prefix(name))?;
            line.split(',').next()?.parse::<u64>().ok()
        };
        calls("cmdstat_evalsha:calls=").unwrap_or(0) + calls("cmdstat_eval:calls=").unwrap_or(0)
    }
}

impl Inspected for RedisServer {
    fn ask<T: FromRedisValue>(&self, words: &[&[u8]]) -> Option<T> {
        let mut command = Cmd::new();
        for word in words {
            command.arg(*word);
        }
        let client = redis::Client::open(self.url()).unwrap();
        command.query(&mut client.get_connection().unwrap()).ok()
    }
}
