//! The store that sessions need.

use async_trait::async_trait;
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::{Session, SessionId, SignedIn};

/// A session with the facts about its account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundSession {
    pub session: Session,
    /// The time from which the account's sessions are valid. `None` if the account may not sign in.
    pub valid_from: Option<Timestamp>,
}

/// A session to write. Only [`Sessions::begin`](crate::Sessions::begin) creates one.
#[derive(Debug)]
pub struct SessionWrite {
    pub(crate) session: Session,
    pub(crate) ended: Option<(u32, SessionId)>,
}

impl SessionWrite {
    /// The new session. If the person signed in again, its row already exists.
    #[must_use]
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// The person, who is signed in after the write.
    #[must_use]
    pub fn signed_in(&self) -> SignedIn {
        SignedIn::new(self.session.clone())
    }

    /// The partition and id of the session in the same browser that this session replaces or continues.
    #[must_use]
    pub const fn ended(&self) -> Option<&(u32, SessionId)> {
        self.ended.as_ref()
    }

    /// Whether the write ends another session and its tokens.
    #[must_use]
    pub fn ends_another(&self) -> bool {
        self.ended.as_ref().is_some_and(|(_, id)| *id != self.session.id)
    }
}

#[async_trait]
pub trait SessionStore: Send + Sync {
    /// The session in this partition, in any state.
    async fn find_session(
        &self,
        tenant: &TenantId,
        slot: u32,
        id: &SessionId,
    ) -> Stored<Option<FoundSession>>;

    /// Writes a session and ends the session that it replaces. Returns `false` if the session that it
    /// continues has already ended.
    async fn write_session(&self, tenant: &TenantId, write: &SessionWrite) -> Stored<bool>;

    /// Records a use of the session.
    async fn touch_session(&self, tenant: &TenantId, slot: u32, id: &SessionId, now: Timestamp)
    -> Stored<()>;

    /// Ends a session. Its codes become invalid.
    async fn end_session(&self, tenant: &TenantId, slot: u32, id: &SessionId, now: Timestamp) -> Stored<()>;

    /// Empties the partitions whose rows have all expired, and deletes a limited number of other expired
    /// rows. Returns the number of rows that were deleted individually.
    async fn delete_expired_sign_ins(&self, now: Timestamp) -> Stored<u64>;
}
