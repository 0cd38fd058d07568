//! For how long the key set may be kept that is handed out now (`max-age`, RFC 9111 §5.2.2.1).

use protocol::{Lifetime, Timestamp};

use super::KeyPolicy;
use crate::KeyRecords;

/// Verifiers come back after no less than this, however near a change is.
const SHORTEST: u64 = 1;

/// `jwks_max_age`, but less if the next key is to be announced before that, so that copies are fetched anew when it has appeared.
/// Safety does not depend on it: a key that verifiers have not been promised is published for the whole window all the same. What has
/// been overdue for longer than a copy is kept is not waited for.
#[must_use]
pub fn max_age(records: &KeyRecords, policy: &KeyPolicy, now: Timestamp) -> Lifetime {
    let longest = policy.jwks_max_age;
    let line = records.keys.iter().filter(|key| key.retiring_from.is_none() && key.removed_at.is_none());
    let Some(last) = line.max_by_key(|key| (key.active_from, key.id)) else { return longest };
    let announced_at = policy.succession_of(last);
    if announced_at + longest <= now {
        return longest;
    }
    let left = announced_at.seconds().saturating_sub(now.seconds()).max(SHORTEST);
    Lifetime::from_seconds(left).min(longest)
}
