//! The store of usage counts, of tenants and clients, by day.

use std::ops::RangeInclusive;

use async_trait::async_trait;
use registry::ClientId;
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::audit::usage::{DayCounts, UsageBatch};
use crate::rules::advice::ClientCount;

#[async_trait]
pub trait UsageDays: Send + Sync {
    /// Adds a batch, unless it was added before. Ignores tenants that do not exist.
    async fn add_usage(&self, batch: &UsageBatch) -> Stored<()>;

    /// The counts of these days, ordered by day.
    async fn usage(&self, of: UsageOf<'_>, days: &RangeInclusive<u64>) -> Stored<Vec<DayCounts>>;

    async fn client_counts(
        &self,
        tenant: &TenantId,
        clients: &RangeInclusive<ClientId>,
        days: &RangeInclusive<u64>,
    ) -> Stored<UseOfTenant>;

    async fn busiest(
        &self,
        tenant: Option<&TenantId>,
        days: &RangeInclusive<u64>,
        limit: u32,
    ) -> Stored<Vec<(String, u64)>>;

    /// At most `limit` replicas that added counts within the last day, with the time of each. The most recent
    /// comes first.
    async fn list_replicas(&self, limit: u32) -> Stored<Vec<(String, Timestamp)>>;
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UseOfTenant {
    pub counts: Vec<ClientCount>,
    /// The first stored day with any count of the tenant.
    pub first_day: Option<u64>,
}

/// The tenant or client of the counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageOf<'a> {
    Platform,
    /// All clients of a tenant together, including requests without a client.
    Tenant(&'a TenantId),
    Client(&'a TenantId, &'a ClientId),
}
