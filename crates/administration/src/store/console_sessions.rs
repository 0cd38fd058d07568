//! The store of console sessions.

use async_trait::async_trait;
use sessions::SessionId;
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::administrator::console_session::ConsoleSession;

/// Stores sessions of the console. They are never cached, so ending a session takes effect everywhere
/// immediately.
#[async_trait]
pub trait ConsoleSessions: Send + Sync {
    /// Adds a link or a session. Deletes expired ones of the tenant. If the owner has more than
    /// [`ConsoleSession::MOST`], also deletes those that were used least recently.
    async fn add_console_session(
        &self,
        tenant: &TenantId,
        session: &ConsoleSession,
        now: Timestamp,
    ) -> Stored<()>;

    /// The link or session of this identifier, unless it has expired.
    async fn find_console_session(
        &self,
        tenant: &TenantId,
        id: &SessionId,
        now: Timestamp,
    ) -> Stored<Option<ConsoleSession>>;

    /// Replaces a link by its session. Returns whether it did: if two requests exchange a link at the same
    /// time, only one gets a session.
    async fn begin_console_session(&self, tenant: &TenantId, session: &ConsoleSession) -> Stored<bool>;

    async fn touch_console_session(&self, tenant: &TenantId, id: &SessionId, now: Timestamp) -> Stored<()>;

    async fn end_console_session(&self, tenant: &TenantId, id: &SessionId) -> Stored<()>;
}
