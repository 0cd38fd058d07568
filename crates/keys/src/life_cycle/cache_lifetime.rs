//! How long a copy of the current key set may be cached (`Cache-Control`, RFC 9111 §5.2).

use values::{Lifetime, Timestamp};

use super::KeyPolicy;
use crate::KeyRecords;

/// The minimum lifetime in seconds, however near a change is.
const SHORTEST: u64 = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JwksCacheLifetime {
    /// `max-age` (RFC 9111 §5.2.2.1).
    pub max_age: Lifetime,
    /// `stale-while-revalidate` (RFC 5861 §3).
    pub stale: Lifetime,
}

/// The lifetime of the policy, but at most that of the policy at the time of the rows: a key in these rows
/// may not have been published for long enough for a longer lifetime.
///
/// The lifetime is shorter if the next key will be announced earlier, so that copies are fetched again after
/// the announcement. This is only an optimization, because every new key is published for the whole window
/// anyway. If an announcement is overdue for longer than a copy's lifetime, it no longer shortens the result.
#[must_use]
pub fn cache_lifetime(records: &KeyRecords, policy: &KeyPolicy, now: Timestamp) -> JwksCacheLifetime {
    let max_age = policy.jwks_max_age.min(records.copies_kept);
    let stale = records.copies_kept.seconds() - max_age.seconds();
    let longest = JwksCacheLifetime { max_age, stale: policy.jwks_stale.min(Lifetime::from_seconds(stale)) };
    let published = records.keys.iter().filter(|key| policy.concerns(key));
    let sequence = published.filter(|key| key.retiring_from.is_none() && key.removed_at.is_none());
    let Some(last) = sequence.max_by_key(|key| (key.active_from, key.id)) else { return longest };
    let announced_at = policy.succession_of(last);
    if announced_at + longest.max_age <= now {
        return longest;
    }
    let left = announced_at.seconds().saturating_sub(now.seconds()).max(SHORTEST);
    let max_age = Lifetime::from_seconds(left).min(longest.max_age);
    JwksCacheLifetime { max_age, stale: Lifetime::from_seconds(left - max_age.seconds()).min(longest.stale) }
}
