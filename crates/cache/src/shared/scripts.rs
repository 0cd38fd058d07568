//! Lua scripts for Redis. Each is atomic. All keys of a script have the hash tag of one tenant, so a cluster
//! stores them on one node.

use std::sync::LazyLock;

use redis::Script;

/// Keys: value, lease, epoch. Arguments: a new token, the lifetimes of lease and epoch in milliseconds, and
/// optionally a fourth argument to delete the value first. Returns epoch, value, remaining milliseconds of
/// the value, and lease. Returns a lease only if there is no value. Deletes keys of the wrong type or without
/// a required token, so that sharing continues.
pub(crate) static LOOK: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
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

/// Keys: value, lease, epoch. Arguments: lease, epoch, value, lifetime in milliseconds. Writes the value only
/// if lease and epoch are unchanged since the load began. A change in the meantime has deleted one of them.
pub(crate) static PUT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.pcall('GET', KEYS[2]) ~= ARGV[1] or redis.pcall('GET', KEYS[3]) ~= ARGV[2] then return 0 end
    redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
    redis.call('DEL', KEYS[2])
    return 1",
    )
});

/// Keys: the mark of an identifier.
pub(crate) static LOOK_FOR_MARK: LazyLock<Script> =
    LazyLock::new(|| Script::new("return redis.call('GET', KEYS[1])"));

/// Keys: the mark of an identifier. Arguments: the mark, its lifetime in milliseconds. Keeps an existing mark
/// that expires later, because only the first use knows the correct expiry.
pub(crate) static MARK: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('PTTL', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
    return 1",
    )
});

/// Keys: counts. Arguments, five words for each key: `1` to reset the count first, the remaining milliseconds
/// of the count's span, the maximum, the amount to add, and the member. Returns the totals.
///
/// - Without a span, the count decreases by one each millisecond, so it is the key's remaining lifetime.
/// - With a member, the value is the text of all members, and the amount is not used.
pub(crate) static EXCHANGE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local totals = {}
    for at, key in ipairs(KEYS) do
      local reset, rest, most, amount, member = string.match(ARGV[at], '(.*) (.*) (.*) (.*) (.*)')
      rest, most, amount = tonumber(rest), tonumber(most), tonumber(amount)
      if reset == '1' then redis.call('DEL', key) end
      local found = redis.pcall('GET', key)
      if type(found) ~= 'string' then found = '' end
      local total, value = 0, ''
      if rest == 0 then
        total = math.min(math.max(redis.call('PTTL', key), 0) + amount, most)
        rest = total
      elseif member == '' then
        total = math.min((tonumber(string.match(found, '^%d+$')) or 0) + amount, most)
        value = string.format('%.0f', total)
      else
        value = string.sub(found, 1, #member * most)
        if not string.find(value, member, 1, true) then value = value .. member end
        total = math.floor(#value / #member)
      end
      if rest > 0 then redis.call('SET', key, value, 'PX', string.format('%.0f', rest)) end
      totals[at] = total
    end
    return totals",
    )
});

/// Keys: the changed rows. Arguments: channel, message.
pub(crate) static PUBLISH_INVALIDATION: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "redis.call('DEL', unpack(KEYS))
    return redis.call('PUBLISH', ARGV[1], ARGV[2])",
    )
});
