//! A session of the console: whose credential it uses, and when it expires. A link that was not used yet is
//! stored as a session, too.

use accounts::AccountId;
use protocol::{Scope, Thumbprint};
use registry::ClientId;
use serde::{Deserialize, Serialize};
use sessions::SessionId;
use tenancy::TenantId;
use values::{Lifetime, Timestamp};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleSession {
    /// The tenant of the session's owner; `platform` for administrators of the platform.
    pub tenant: TenantId,
    pub id: SessionId,
    /// The digest of the secret that opens the session: the code of a link, or the value of a cookie.
    pub token_digest: [u8; 32],
    /// Whether this is a link that was not exchanged yet.
    pub is_link: bool,
    /// Whose permissions the session has.
    pub holder: ConsoleHolder,
    /// The name of the session's owner in the audit.
    pub actor: String,
    /// When the owner last authenticated.
    pub proven_at: Timestamp,
    /// When the session was last used, to the minute.
    pub last_seen_at: Timestamp,
    /// When the session ends, even if it is in use.
    pub expires_at: Timestamp,
}

/// The owner of a session. The session has the owner's current permissions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsoleHolder {
    /// An operator with access to the store.
    Operator,
    Client(ConsoleToken),
    /// A person with permissions.
    Account(AccountId),
}

/// The stored facts about a client's token, which show whether its credential is still valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleToken {
    pub client: ClientId,
    /// `jti`, which contains the tag of the credential.
    pub jti: String,
    pub issued_at: Timestamp,
    pub scope: Scope,
    /// The certificate that the token is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Thumbprint>,
    /// The kind of key that the token was bound to, in the words of the audit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_constraint: Option<String>,
    /// When the token expires; in a session, when the session ends. `None` in sessions of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
}

impl ConsoleToken {
    /// The token as the owner of a session, and when its client last authenticated. The session ends with the
    /// token. If the client has authenticated in the request for the link, the session may last longer. A
    /// session is not bound to a key, so the session for a bound token is short.
    pub(crate) fn to_holder(&self, is_authenticated: bool, now: Timestamp) -> (ConsoleHolder, Timestamp) {
        let longest = match self.sender_constraint {
            Some(_) => ConsoleSession::PROOF,
            None => ConsoleSession::LONGEST,
        };
        let exp = self.ends_at.filter(|_| !is_authenticated);
        let ends_at = exp.map_or(now + longest, |exp| exp.min(now + longest));
        let proven_at = if is_authenticated { now } else { self.issued_at.min(now) };
        (ConsoleHolder::Client(Self { ends_at: Some(ends_at), ..self.clone() }), proven_at)
    }

    /// Whether the session of this token may continue.
    #[must_use]
    pub fn is_before_end(&self, now: Timestamp) -> bool {
        self.ends_at.is_none_or(|end| now < end)
    }
}

impl ConsoleSession {
    /// How long a link can be exchanged.
    pub const LINK: Lifetime = Lifetime::from_seconds(60);
    /// How long a session lasts without a request.
    pub const IDLE: Lifetime = Lifetime::from_seconds(30 * 60);
    /// How long a session lasts at most.
    pub const LONGEST: Lifetime = Lifetime::from_seconds(12 * 3_600);
    /// How long after authenticating the owner may take a dangerous step without authenticating again.
    pub const PROOF: Lifetime = Lifetime::from_seconds(15 * 60);
    /// The most sessions of one owner.
    pub const MOST: u32 = 10;
    /// A session stores its last use at most this often.
    pub(crate) const NOTED: Lifetime = Lifetime::from_seconds(60);

    /// The session that begins when the code of a link is exchanged.
    #[must_use]
    pub(crate) fn begun(self, token_digest: [u8; 32], now: Timestamp) -> Self {
        let (last_seen_at, expires_at) = (now, self.ends_at(now));
        Self { token_digest, is_link: false, last_seen_at, expires_at, ..self }
    }

    /// The latest end of a session of this owner that begins now.
    #[must_use]
    pub fn ends_at(&self, now: Timestamp) -> Timestamp {
        let longest = now + Self::LONGEST;
        match &self.holder {
            ConsoleHolder::Client(token) => token.ends_at.map_or(longest, |end| end.min(longest)),
            ConsoleHolder::Operator | ConsoleHolder::Account(_) => longest,
        }
    }

    /// Whether it is a session, not a link, and has not expired.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        !self.is_link && now < self.expires_at && now < self.last_seen_at + Self::IDLE
    }

    /// Whether the owner authenticated so recently that a dangerous step needs no new authentication.
    #[must_use]
    pub fn is_proven_for_danger(&self, now: Timestamp) -> bool {
        now < self.proven_at + Self::PROOF
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn link() -> ConsoleSession {
        ConsoleSession {
            tenant: TenantId::parse("acme").unwrap(),
            id: SessionId::from_bytes([1; 16]),
            token_digest: [1; 32],
            is_link: true,
            holder: ConsoleHolder::Operator,
            actor: "cli:root".to_owned(),
            proven_at: at(1_000),
            last_seen_at: at(1_000),
            expires_at: at(1_060),
        }
    }

    // [third 6]
    #[test]
    fn session_ends_with_its_token_unless_client_authenticated() {
        let (bound, free) = (Some("dpop".to_owned()), None);
        for (sender_constraint, is_authenticated, ends_at, proven_at) in [
            (free.clone(), false, 1_600, 900),
            (free, true, 44_200, 1_000),
            (bound.clone(), false, 1_600, 900),
            (bound, true, 1_900, 1_000),
        ] {
            let token = ConsoleToken {
                client: ClientId::parse("ops").unwrap(),
                jti: "1".to_owned(),
                issued_at: at(900),
                scope: Scope::default(),
                certificate: None,
                sender_constraint,
                ends_at: Some(at(1_600)),
            };
            let (holder, proven) = token.to_holder(is_authenticated, at(1_000));
            let session = ConsoleSession { holder, proven_at: proven, ..link() }.begun([2; 32], at(1_050));
            assert_eq!((session.expires_at, session.proven_at), (at(ends_at), at(proven_at)));
            let ConsoleHolder::Client(holder) = &session.holder else { panic!("a client") };
            assert!(holder.is_before_end(at(ends_at - 1)) && !holder.is_before_end(at(ends_at)));
        }
        let long = ConsoleToken {
            ends_at: Some(at(99_999)),
            sender_constraint: Some("dpop".to_owned()),
            ..of_before()
        };
        let (ConsoleHolder::Client(holder), _) = long.to_holder(false, at(1_000)) else { panic!("a client") };
        assert_eq!(holder.ends_at, Some(at(1_900)), "a session of a bound token is short");
    }

    /// A token as an earlier version stored it.
    fn of_before() -> ConsoleToken {
        serde_json::from_str(r#"{"client":"ops","jti":"1","issued_at":900,"scope":"latchkey:audit"}"#)
            .unwrap()
    }

    #[test]
    fn stored_token_of_earlier_version_has_no_expiry() {
        assert!(of_before().is_before_end(at(99_999)));
    }

    #[test]
    fn link_is_not_a_session_before_exchange() {
        assert!(!link().is_valid(at(1_000)));
        let session = link().begun([2; 32], at(1_059));
        assert!(session.is_valid(at(1_059)) && session.token_digest == [2; 32]);
    }

    #[test]
    fn session_expires_after_30_idle_minutes_or_12_hours() {
        let session = ConsoleSession { proven_at: at(0), ..link() }.begun([2; 32], at(0));
        for (now, seen, is_valid) in
            [(1_799, 0, true), (1_800, 0, false), (43_199, 43_000, true), (43_200, 43_199, false)]
        {
            let session = ConsoleSession { last_seen_at: at(seen), ..session.clone() };
            assert_eq!(session.is_valid(at(now)), is_valid, "{now} {seen}");
        }
        assert!(session.is_proven_for_danger(at(899)) && !session.is_proven_for_danger(at(900)));
    }
}
