//! A person's session at one tenant, in one browser.

use std::sync::Arc;

use accounts::AccountId;
use tenancy::{SessionPolicy, TenantId};
use values::{Lifetime, Timestamp};

use crate::{Ring, SessionId};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub tenant: TenantId,
    /// The partition of the row, which follows from `expires_at`.
    pub slot: u32,
    pub id: SessionId,
    /// The digest of the secret in the cookie.
    pub token_digest: [u8; 32],
    pub account: AccountId,
    /// The time of the last authentication.
    pub authenticated_at: Timestamp,
    /// The strength of the last authentication.
    pub acr: String,
    /// The authentication methods (RFC 8176).
    pub amr: Vec<String>,
    pub created_at: Timestamp,
    /// The approximate time of the last use.
    pub last_seen_at: Timestamp,
    /// The maximum time without a use.
    pub idle: Lifetime,
    /// The session ends at this time at the latest.
    pub expires_at: Timestamp,
    /// Whether the session outlives the browser.
    pub remembered: bool,
    /// The browser's `User-Agent`, up to 256 characters.
    pub user_agent: String,
    /// The address that the person signed in from, if it is known.
    pub source: Option<String>,
    pub ended_at: Option<Timestamp>,
}

impl Session {
    pub const RING: Ring = Ring::WEEKS;

    /// The maximum time without a use: that of the session, or that of the tenant's current policy if it is
    /// shorter.
    pub(crate) fn idle_under(&self, policy: SessionPolicy) -> Lifetime {
        self.idle.min(policy.lifetimes(self.remembered).0)
    }

    /// The latest end of the session, by the session's own limit or by the tenant's current policy if it is
    /// shorter.
    #[must_use]
    pub fn expires_under(&self, policy: SessionPolicy) -> Timestamp {
        self.expires_at.min(self.authenticated_at + policy.lifetimes(self.remembered).1)
    }

    /// How long the browser keeps the cookie of a new session: the rest of the session, or `None` for "until
    /// the browser is closed".
    #[must_use]
    pub fn cookie_lifetime(&self) -> Option<Lifetime> {
        let seconds = self.expires_at.seconds().saturating_sub(self.last_seen_at.seconds());
        self.remembered.then(|| Lifetime::from_seconds(seconds))
    }
}

/// A person who is signed in now. Only a valid session creates one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn(Arc<Session>);

impl SignedIn {
    pub(crate) fn new(session: Session) -> Self {
        Self(Arc::new(session))
    }

    /// A person who signed in at this time, for tests of other crates.
    #[cfg(feature = "unjudged-sessions")]
    #[must_use]
    pub fn for_tests(tenant: TenantId, account: AccountId, at: Timestamp) -> Self {
        Self::new(Session {
            tenant,
            slot: 1,
            id: SessionId::from_bytes([0; 16]),
            token_digest: [0; 32],
            account,
            authenticated_at: at,
            acr: "urn:latchkey:acr:1".to_owned(),
            amr: vec!["pwd".to_owned()],
            created_at: at,
            last_seen_at: at,
            idle: Lifetime::from_seconds(3_600),
            expires_at: at + Lifetime::from_seconds(86_400),
            remembered: false,
            user_agent: String::new(),
            source: None,
            ended_at: None,
        })
    }

    #[must_use]
    pub fn session(&self) -> &Session {
        &self.0
    }

    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.0.account
    }
}
