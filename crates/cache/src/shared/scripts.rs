//! Scripts that run inside Redis. Each one is atomic, and all its keys have the hash tag of one tenant, so a cluster
//! keeps them on one node.

use std::sync::LazyLock;

use redis::{Cmd, ErrorKind, FromRedisValue, RedisResult, Script, ServerErrorKind};

use super::connector::Connection;

/// A script with its digest, by which Redis runs it after the first time.
pub(crate) struct Step {
    code: &'static str,
    digest: String,
}

/// Keys: value, lease, epoch. Arguments: a new token, the lifetimes of lease and epoch in milliseconds, and
/// optionally a fourth that deletes the value first. Returns epoch, value, its remaining milliseconds, lease; a lease
/// only without a value. A key of another type, or without a token where one belongs, is deleted, so that sharing
/// goes on.
pub(crate) static LOOK: LazyLock<Step> = LazyLock::new(|| {
    Step::new(
        "local function text(key)
      local found = redis.pcall('GET', key)
      if type(found) ~= 'table' then return found end
      if not string.find(found.err, 'WRONGTYPE', 1, true) then return redis.call('GET', key) end
      redis.call('DEL', key)
      return false
    end
    local function token(key)
      local found = text(key)
      if found and (#found ~= #ARGV[1] or string.find(found, '[^%w_-]')) then
        redis.call('DEL', key)
        return false
      end
      return found
    end
    local epoch = token(KEYS[3])
    if not epoch then
      epoch = ARGV[1]
      redis.call('SET', KEYS[3], epoch, 'PX', ARGV[3])
    end
    if ARGV[4] then redis.call('DEL', KEYS[1]) end
    local value = text(KEYS[1])
    if value then return {epoch, value, redis.call('PTTL', KEYS[1]), false} end
    local lease = token(KEYS[2])
    if not lease then
      lease = ARGV[1]
      redis.call('SET', KEYS[2], lease, 'PX', ARGV[2])
    end
    return {epoch, false, 0, lease}",
    )
});

/// Keys: value, lease, epoch. Arguments: lease, epoch, value, its milliseconds. The value is written only if lease
/// and epoch are those from before the load: a change meanwhile has removed one of them.
pub(crate) static PUT: LazyLock<Step> = LazyLock::new(|| {
    Step::new(
        "if redis.pcall('GET', KEYS[2]) ~= ARGV[1] or redis.pcall('GET', KEYS[3]) ~= ARGV[2] then return 0 end
    redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
    redis.call('DEL', KEYS[2])
    return 1",
    )
});

/// Keys: the changed rows. Arguments: channel, message.
pub(crate) static PUBLISH_INVALIDATION: LazyLock<Step> = LazyLock::new(|| {
    Step::new(
        "redis.call('DEL', unpack(KEYS))
    return redis.call('PUBLISH', ARGV[1], ARGV[2])",
    )
});

impl Step {
    fn new(code: &'static str) -> Self {
        Self { code, digest: Script::new(code).get_hash().to_owned() }
    }

    /// Runs the script by its digest or, after a restart of Redis, by its text.
    pub(crate) async fn run<T: FromRedisValue>(
        &self,
        connection: &mut Connection,
        keys: &[String],
        arguments: &[&[u8]],
    ) -> RedisResult<T> {
        match connection.query(&command("EVALSHA", &self.digest, keys, arguments)).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                connection.query(&command("EVAL", self.code, keys, arguments)).await
            }
            answer => answer,
        }
    }
}

fn command(name: &str, script: &str, keys: &[String], arguments: &[&[u8]]) -> Cmd {
    let mut command = redis::cmd(name);
    command.arg(script).arg(keys.len()).arg(keys).arg(arguments);
    command
}
