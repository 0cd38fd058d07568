//! Sessions of the console.

use async_trait::async_trait;
use protocol::Timestamp;
use sessions::SessionId;
use tenancy::{Stored, TenantId};

use crate::ConsoleSession;

/// Keeps sessions of the console. They are never read from a cache: one that was ended is ended everywhere.
#[async_trait]
pub trait ConsoleSessions: Send + Sync {
    /// Adds a link or a session. Those of the tenant that have expired go, and the oldest of the same holder beyond
    /// [`ConsoleSession::MOST`].
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

    /// Writes the session that a link has become. Says whether it did: of two exchanges of one link one gets a session.
    async fn begin_console_session(&self, tenant: &TenantId, session: &ConsoleSession) -> Stored<bool>;

    /// Notes that a session is in use.
    async fn touch_console_session(&self, tenant: &TenantId, id: &SessionId, now: Timestamp) -> Stored<()>;

    /// Ends a session.
    async fn end_console_session(&self, tenant: &TenantId, id: &SessionId) -> Stored<()>;
}
