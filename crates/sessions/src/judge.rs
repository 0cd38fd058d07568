//! Whether a session is valid: judged at each read, so no job has to end one.

use protocol::Timestamp;

use crate::FoundSession;

impl FoundSession {
    /// Whether the person of the session is signed in: it has not ended, is neither idle nor too old, and its account may still sign in
    /// with it.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        let Self { session, valid_from } = self;
        let is_used = now <= session.last_seen_at + session.idle;
        // What was signed in before is ended by one change of the account.
        let is_of_account = valid_from.is_some_and(|from| session.authenticated_at >= from);
        session.ended_at.is_none() && now < session.expires_at && is_used && is_of_account
    }
}

#[cfg(test)]
mod tests {
    use protocol::Lifetime;

    use super::*;
    use crate::Session;
    use crate::sessions::tests::session;

    #[test]
    fn a_session_ends_by_time_by_itself_and_with_its_account() {
        let at = Timestamp::from_seconds;
        let valid = FoundSession {
            session: Session {
                authenticated_at: at(1_000),
                last_seen_at: at(1_500),
                idle: Lifetime::from_seconds(100),
                expires_at: at(1_590),
                ended_at: None,
                ..session()
            },
            valid_from: Some(at(1_000)),
        };
        assert!(valid.is_valid(at(1_589)));
        assert!(!valid.is_valid(at(1_590)));
        let longer = |session: Session| FoundSession { session, valid_from: Some(at(0)) };
        let long = Session { expires_at: at(9_000), ..valid.session.clone() };
        assert!(longer(long.clone()).is_valid(at(1_600)) && !longer(long.clone()).is_valid(at(1_601)));
        assert!(!longer(Session { ended_at: Some(at(1_550)), ..long.clone() }).is_valid(at(1_560)));
        for valid_from in [None, Some(at(1_001))] {
            assert!(
                !FoundSession { session: long.clone(), valid_from }.is_valid(at(1_510)),
                "{valid_from:?}"
            );
        }
    }
}
