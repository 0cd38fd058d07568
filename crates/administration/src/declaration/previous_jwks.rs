//! How long verifiers may use copies of a tenant's key set that they fetched under the previous policy (RFC
//! 9111 §4.2.1, RFC 5861 §3).

use tenancy::SigningPolicy;
use values::{Lifetime, Timestamp};

/// Returns the age and end of such copies, if they may be cached for longer than new copies. Without these
/// values, a key that is announced under the new policy could begin to sign before a verifier with such a
/// copy fetches again.
pub(crate) fn after_change(
    before: &SigningPolicy,
    after: &SigningPolicy,
    now: Timestamp,
    l1_lifetime: Lifetime,
) -> Option<(Lifetime, Timestamp)> {
    let kept = kept(before);
    // Replicas may send the previous age while they still use the previous row, and their clocks may be
    // behind.
    (self::kept(after) < kept).then(|| (kept, now + kept + l1_lifetime + before.skew))
}

fn kept(policy: &SigningPolicy) -> Lifetime {
    Lifetime::from_seconds(policy.jwks_max_age.seconds().saturating_add(policy.jwks_stale.seconds()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cached_key_sets_are_remembered_only_if_longer_lived() {
        let span = Lifetime::from_seconds;
        let policy = |max_age, stale| SigningPolicy {
            jwks_max_age: span(max_age),
            jwks_stale: span(stale),
            skew: span(7),
            ..SigningPolicy::default()
        };
        let check = |before: (u64, u64), after: (u64, u64), expected: Option<(u64, u64)>| {
            let [before, after] = [before, after].map(|(max_age, stale)| policy(max_age, stale));
            let found = after_change(&before, &after, Timestamp::from_seconds(1000), span(10));
            assert_eq!(found.map(|(age, until)| (age.seconds(), until.seconds())), expected);
        };
        check((300, 60), (300, 60), None);
        check((300, 60), (3000, 60), None);
        check((300, 60), (60, 300), None);
        check((300, 60), (300, 59), Some((360, 1377)));
        check((300, 60), (0, 0), Some((360, 1377)));
        check((u64::MAX, 60), (0, 0), Some((u64::MAX, u64::MAX)));
    }
}
