//! The store of refused requests. They are written in batches outside commits.

use async_trait::async_trait;
use registry::ClientId;
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::audit::refusals::Refusal;

#[async_trait]
pub trait RefusalLog: Send + Sync {
    /// Writes refused requests. Only the latest ones of each tenant are kept. Requests to unknown tenants are
    /// ignored.
    async fn record_refusals(&self, refusals: &[Refusal]) -> Stored<()>;

    /// A page of a tenant's refusals, the newest first.
    async fn list_refusals(&self, tenant: &TenantId, query: &RefusalQuery) -> Stored<Vec<Refusal>>;
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefusalQuery {
    /// Only requests of this client, even if it did not authenticate.
    pub client: Option<ClientId>,
    pub reason: Option<String>,
    /// Only the request with this identifier.
    pub request_id: Option<String>,
    /// Only requests at or after this time.
    pub since: Option<Timestamp>,
    /// Only requests that follow this request in the list, so earlier ones.
    pub before: Option<RefusalCursor>,
    /// The most rows of the page.
    pub limit: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalCursor {
    pub at: Timestamp,
    pub request_id: String,
}
