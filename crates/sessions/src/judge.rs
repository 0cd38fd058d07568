//! Whether a session is valid. This is decided at each read, so no job has to end sessions.

use tenancy::SessionPolicy;
use values::Timestamp;

use crate::{FoundSession, Session};

impl Session {
    /// Whether the session has not ended, and is neither idle nor too old by the tenant's policy.
    #[must_use]
    pub fn lasts(&self, policy: SessionPolicy, now: Timestamp) -> bool {
        let is_used = now <= self.last_seen_at + self.idle_under(policy);
        self.ended_at.is_none() && now < self.expires_under(policy) && is_used
    }
}

impl FoundSession {
    /// Whether the person of the session is signed in: the session is still valid, and the account may still
    /// use it.
    #[must_use]
    pub fn is_valid(&self, policy: SessionPolicy, now: Timestamp) -> bool {
        let Self { session, valid_from } = self;
        // A change of `valid_from` invalidates all earlier sign-ins of the account.
        let is_of_account = valid_from.is_some_and(|from| session.authenticated_at >= from);
        session.lasts(policy, now) && is_of_account
    }
}

#[cfg(test)]
mod tests {
    use values::Lifetime;

    use super::*;
    use crate::sessions::tests::session;

    const AT: fn(u64) -> Timestamp = Timestamp::from_seconds;

    fn policy(idle: u64, absolute: u64, remember: u64) -> SessionPolicy {
        let [idle, absolute, remember] = [idle, absolute, remember].map(Lifetime::from_seconds);
        SessionPolicy { idle, absolute, remember }
    }

    /// Checks a session that was signed in at 1000, may last 100 s without a use and 1000 s in total, and was
    /// used at 1500. `last` is the last time at which it is valid.
    #[track_caller]
    fn check(change: impl FnOnce(&mut FoundSession), policy: SessionPolicy, last: Option<u64>) {
        let session = Session {
            authenticated_at: AT(1_000),
            last_seen_at: AT(1_500),
            idle: Lifetime::from_seconds(100),
            expires_at: AT(2_000),
            ..session()
        };
        let mut found = FoundSession { session, valid_from: Some(AT(1_000)) };
        change(&mut found);
        let found = (1_500..2_100).rfind(|second| found.is_valid(policy, AT(*second)));
        assert_eq!(found, last, "{policy:?}");
    }

    // [V7 7.3.1], [V7 7.4.1]
    #[test]
    fn session_expires_and_ends_with_its_account() {
        let of = policy(100, 1_000, 0);
        check(|_| (), of, Some(1_600));
        check(|found| found.session.expires_at = AT(1_590), of, Some(1_589));
        check(|found| found.session.ended_at = Some(AT(1_499)), of, None);
        check(|found| found.valid_from = None, of, None);
        check(|found| found.valid_from = Some(AT(1_001)), of, None);
    }

    #[test]
    fn stricter_policy_shortens_sessions_and_looser_does_not() {
        check(|_| (), policy(200, 2_000, 0), Some(1_600));
        check(|_| (), policy(10, 1_000, 0), Some(1_510));
        check(|_| (), policy(10, 505, 0), Some(1_504));
        check(|_| (), policy(10, 500, 0), None);
    }

    #[test]
    fn remembered_session_lasts_for_the_remember_time() {
        let remembered = |found: &mut FoundSession| {
            found.session.remembered = true;
            found.session.idle = Lifetime::from_seconds(1_000);
        };
        check(remembered, policy(10, 100, 1_000), Some(1_999));
        check(remembered, policy(10, 100, 540), Some(1_539));
        check(remembered, policy(10, 1_000, 0), Some(1_510));
    }
}
