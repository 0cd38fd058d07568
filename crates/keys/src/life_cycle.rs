//! The life cycle of a tenant's keys as a pure state machine: announced, active, retiring, removed. The live
//! keys form a sequence: each key retires exactly when the next becomes active, so exactly one key signs at
//! any time. Keys for opaque tokens form a second sequence. The code reads no clock, generates no key and
//! writes no row. The result is a [`KeyPlan`].

mod cache_lifetime;
mod commands;
mod happened;
mod key_sequence;
mod order;
mod outcome;
mod plan;
mod policy;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

use values::Timestamp;

use self::key_sequence::KeySequence;
use crate::{KeyRecords, KeyStage};

pub use self::cache_lifetime::{JwksCacheLifetime, cache_lifetime};
pub use self::commands::{hold, import, revoke, rotate_in_emergency, rotate_now};
pub(crate) use self::key_sequence::is_revoked;
pub use self::plan::{Announcement, BrokenTokens, KeyCommandError, KeyPlan, KeyTimes, RevocationPlan};
pub use self::policy::KeyPolicy;

/// The plan for the current time and policy.
///
/// A key with another algorithm than the policy's gets a successor with the policy's algorithm. The successor
/// is announced immediately and signs after `publish_before`; until then the old key signs. If the policy
/// changes back before that, the successor is dropped, because it never signed. If its activation is so near
/// that replicas may already use it, it becomes active and gets a successor itself.
#[must_use]
pub fn next(records: &KeyRecords, policy: &KeyPolicy, now: Timestamp) -> KeyPlan {
    next_of_one_use(records, policy, now).and(next_of_opaque_tokens(records, policy, now), now)
}

/// The keys for opaque tokens live by the same rules. Only the first of them is not planned: an opaque token
/// that finds none creates it.
fn next_of_opaque_tokens(records: &KeyRecords, policy: &KeyPolicy, now: Timestamp) -> KeyPlan {
    next_of_one_use(records, &policy.for_opaque_tokens(), now)
}

fn next_of_one_use(records: &KeyRecords, policy: &KeyPolicy, now: Timestamp) -> KeyPlan {
    let mut sequence = KeySequence::new(records, policy, now);
    sequence.set_in_order();
    sequence.continue_from(now);
    sequence.into_plan()
}

/// The part of a policy change that must be in the same commit as the policy: it keeps keys for longer if
/// tokens get a longer lifetime, because such tokens can be issued before the next step runs. All other
/// changes wait for the next step.
#[must_use]
pub fn extend_retention(records: &KeyRecords, policy: &KeyPolicy, now: Timestamp) -> Vec<KeyTimes> {
    let here = records.keys.iter().filter(|key| key.state(now) != KeyStage::Removed && !is_revoked(key));
    let longer = here.filter_map(|key| {
        let until = key.retiring_from? + policy.retention();
        key.removed_at.filter(|removed| *removed < until)?;
        Some(KeyTimes { removed_at: Some(until), ..KeyTimes::from_key(key) })
    });
    longer.collect()
}
