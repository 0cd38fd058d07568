//! For how long the key set may be kept that is handed out now (`Cache-Control`, RFC 9111 §5.2).

use protocol::{Lifetime, Timestamp};

use super::KeyPolicy;
use crate::KeyRecords;

/// Verifiers come back after no less than this, however near a change is.
const SHORTEST: u64 = 1;

/// The cache lifetime that verifiers get for a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JwksCacheLifetime {
    /// `max-age` (RFC 9111 §5.2.2.1).
    pub max_age: Lifetime,
    /// `stale-while-revalidate` (RFC 5861 §3).
    pub stale: Lifetime,
}

/// What the policy says, but less if the next key is to be announced before that, so that copies are fetched anew when it has appeared.
/// Safety does not depend on it: a key that verifiers have not been promised is published for the whole window all the same. What has
/// been overdue for longer than a copy is kept is not waited for.
#[must_use]
pub fn cache_lifetime(records: &KeyRecords, policy: &KeyPolicy, now: Timestamp) -> JwksCacheLifetime {
    let longest = JwksCacheLifetime { max_age: policy.jwks_max_age, stale: policy.jwks_stale };
    let sequence = records.keys.iter().filter(|key| key.retiring_from.is_none() && key.removed_at.is_none());
    let Some(last) = sequence.max_by_key(|key| (key.active_from, key.id)) else { return longest };
    let announced_at = policy.succession_of(last);
    if announced_at + longest.max_age <= now {
        return longest;
    }
    let left = announced_at.seconds().saturating_sub(now.seconds()).max(SHORTEST);
    let max_age = Lifetime::from_seconds(left).min(longest.max_age);
    JwksCacheLifetime { max_age, stale: Lifetime::from_seconds(left - max_age.seconds()).min(longest.stale) }
}
