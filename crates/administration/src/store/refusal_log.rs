//! The store of refused requests. They are written without a commit, several at once.

use async_trait::async_trait;
use registry::ClientId;
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::audit::refusals::Refusal;

/// Writes refusals, and reads them.
#[async_trait]
pub trait RefusalLog: Send + Sync {
    /// Writes refused requests, each once. The latest ones of each tenant are kept. Requests of unknown
    /// tenants are ignored.
    async fn record_refusals(&self, refusals: &[Refusal]) -> Stored<()>;

    /// A page of a tenant's refusals, the newest first.
    async fn list_refusals(&self, tenant: &TenantId, query: &RefusalQuery) -> Stored<Vec<Refusal>>;
}

/// Selects refusals of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefusalQuery {
    /// Only requests of this client, whether it was proven or not.
    pub client: Option<ClientId>,
    /// Only requests with this reason.
    pub reason: Option<String>,
    /// Only the request with this identifier.
    pub request_id: Option<String>,
    /// Only requests from this instant on.
    pub since: Option<Timestamp>,
    /// Only requests after this one in the order of the list.
    pub before: Option<RefusalCursor>,
    /// At most this number.
    pub limit: u32,
}

/// The end of a page of refusals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalCursor {
    /// The time of the request.
    pub at: Timestamp,
    pub request_id: String,
}
