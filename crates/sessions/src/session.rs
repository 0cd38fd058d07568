//! A person's session at one tenant, in one browser.

use std::sync::Arc;

use accounts::AccountId;
use tenancy::{SessionPolicy, TenantId};
use values::{Lifetime, Timestamp};

use crate::{Ring, SessionId};

/// A session as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub tenant: TenantId,
    /// The partition of its row, which follows from `expires_at`.
    pub slot: u32,
    pub id: SessionId,
    /// The digest of its cookie's secret.
    pub token_digest: [u8; 32],
    /// The person who signed in.
    pub account: AccountId,
    /// When that was proven last.
    pub authenticated_at: Timestamp,
    /// How well it was proven.
    pub acr: String,
    /// The authentication methods (RFC 8176).
    pub amr: Vec<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was used last, a little before or later.
    pub last_seen_at: Timestamp,
    /// The longest time without a use.
    pub idle: Lifetime,
    /// The session ends at this instant at the latest.
    pub expires_at: Timestamp,
    /// Whether it outlives the browser.
    pub remembered: bool,
    /// The browser, as it calls itself: up to 256 characters.
    pub user_agent: String,
    /// The address from which the person signed in, where it is known.
    pub source: Option<String>,
    pub ended_at: Option<Timestamp>,
}

impl Session {
    /// The ring of partitions that has the row.
    pub const RING: Ring = Ring::WEEKS;

    /// How long the session lasts without a use: as long as at its beginning, or less if the policy has
    /// become stricter since.
    pub(crate) fn idle_under(&self, policy: SessionPolicy) -> Lifetime {
        self.idle.min(policy.lifetimes(self.remembered).0)
    }

    /// When the session ends at the latest, by the same rule.
    #[must_use]
    pub fn expires_under(&self, policy: SessionPolicy) -> Timestamp {
        self.expires_at.min(self.authenticated_at + policy.lifetimes(self.remembered).1)
    }

    /// How long the cookie of a new session is kept: until the browser is closed, or as long as the session
    /// lasts at most.
    #[must_use]
    pub fn cookie_lifetime(&self) -> Option<Lifetime> {
        let seconds = self.expires_at.seconds().saturating_sub(self.last_seen_at.seconds());
        self.remembered.then(|| Lifetime::from_seconds(seconds))
    }
}

/// A person who is signed in now. Only a valid session yields one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn(Arc<Session>);

impl SignedIn {
    pub(crate) fn new(session: Session) -> Self {
        Self(Arc::new(session))
    }

    /// A person who signed in at this instant, for tests of the rules of other crates.
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

    /// The person who is signed in.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.0.account
    }
}
