//! The store that sessions need.

use async_trait::async_trait;
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::{Session, SessionId, SignedIn};

/// A session as the store returns it, with the facts of its account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundSession {
    pub session: Session,
    /// The instant from which on the account's sessions are valid. `None` if the account may not sign in.
    pub valid_from: Option<Timestamp>,
}

/// A session to be written. Only [`Sessions::begin`](crate::Sessions::begin) creates one.
#[derive(Debug)]
pub struct SessionWrite {
    pub(crate) session: Session,
    pub(crate) ended: Option<(u32, SessionId)>,
}

impl SessionWrite {
    /// The session from now on. Its row exists already if the person has signed in again.
    #[must_use]
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// The person, who is signed in from now on.
    #[must_use]
    pub fn signed_in(&self) -> SignedIn {
        SignedIn::new(self.session.clone())
    }

    /// The partition and the identifier of the session that it replaces, in the same browser.
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

    /// Writes a session, and ends the one that it replaces. Returns whether it was written: a session that
    /// has ended does not continue, although its person has signed in again meanwhile.
    async fn write_session(&self, tenant: &TenantId, write: &SessionWrite) -> Stored<bool>;

    /// Notes that a session is in use.
    async fn touch_session(&self, tenant: &TenantId, slot: u32, id: &SessionId, now: Timestamp)
    -> Stored<()>;

    /// Ends a session. Codes of it are worth nothing from then on.
    async fn end_session(&self, tenant: &TenantId, slot: u32, id: &SessionId, now: Timestamp) -> Stored<()>;

    /// Empties the partitions whose time is over, and deletes a limited number of other expired rows. Returns
    /// how many were deleted singly.
    async fn delete_expired_sign_ins(&self, now: Timestamp) -> Stored<u64>;
}
