//! The last refused requests of tenants, written without a commit, several at once.

use async_trait::async_trait;
use protocol::Timestamp;
use registry::ClientId;
use tenancy::{Stored, TenantId};

use crate::Refusal;

/// Writes refusals, and reads them.
#[async_trait]
pub trait RefusalLog: Send + Sync {
    /// Writes them, each once. Of each tenant the latest are kept; it ignores tenants that do not exist.
    async fn record_refusals(&self, refusals: &[Refusal]) -> Stored<()>;

    /// A page of a tenant's refusals, the newest first.
    async fn list_refusals(&self, tenant: &TenantId, query: &RefusalQuery) -> Stored<Vec<Refusal>>;
}

/// Which refusals of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefusalQuery {
    /// Only of this client, proven or not.
    pub client: Option<ClientId>,
    /// Only for this reason.
    pub reason: Option<String>,
    /// Only the request of this name.
    pub request_id: Option<String>,
    /// From then on.
    pub since: Option<Timestamp>,
    /// Only those that come after this one.
    pub before: Option<RefusalCursor>,
    /// At most so many.
    pub limit: u32,
}

/// Where a page of refusals ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalCursor {
    /// The time of the request.
    pub at: Timestamp,
    /// Its name.
    pub request_id: String,
}
