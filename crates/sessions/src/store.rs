//! The store that sessions need.

use async_trait::async_trait;
use protocol::Timestamp;
use tenancy::{Stored, TenantId};

use crate::{Session, SessionId, SignedIn};

/// A session as it is found, with what its account says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundSession {
    /// The session.
    pub session: Session,
    /// From when on the account's sessions are valid; `None` where the account may not sign in.
    pub valid_from: Option<Timestamp>,
}

/// A session to be written. Only [`Sessions::begin`](crate::Sessions::begin) makes one.
#[derive(Debug)]
pub struct SessionWrite {
    pub(crate) session: Session,
    pub(crate) ended: Option<(u32, SessionId)>,
}

impl SessionWrite {
    /// The session as it is from now on. Its row is there already when the person has signed in again.
    #[must_use]
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// The person, who is signed in from now on.
    #[must_use]
    pub fn signed_in(&self) -> SignedIn {
        SignedIn::new(self.session.clone())
    }

    /// The partition and the identifier of the session that it takes the place of, in the same browser.
    #[must_use]
    pub const fn ended(&self) -> Option<&(u32, SessionId)> {
        self.ended.as_ref()
    }

    /// Whether another session ends with it, and that session's tokens.
    #[must_use]
    pub fn ends_another(&self) -> bool {
        self.ended.as_ref().is_some_and(|(_, id)| *id != self.session.id)
    }
}

/// Keeps sessions.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// The session in this partition of the tenant, in any state.
    async fn find_session(
        &self,
        tenant: &TenantId,
        slot: u32,
        id: &SessionId,
    ) -> Stored<Option<FoundSession>>;

    /// Writes a session, and ends the one whose place it takes. Says whether it was written: one that has ended does not go on, although
    /// its person has signed in again meanwhile.
    async fn write_session(&self, tenant: &TenantId, write: &SessionWrite) -> Stored<bool>;

    /// Notes that a session is in use.
    async fn touch_session(&self, tenant: &TenantId, slot: u32, id: &SessionId, now: Timestamp)
    -> Stored<()>;

    /// Ends a session. Codes of it are worth nothing from then on.
    async fn end_session(&self, tenant: &TenantId, slot: u32, id: &SessionId, now: Timestamp) -> Stored<()>;

    /// Empties what lies behind the rows that are live, and deletes other expired rows, a limited number of them. Returns how many were
    /// deleted singly.
    async fn delete_expired_sign_ins(&self, now: Timestamp) -> Stored<u64>;
}
