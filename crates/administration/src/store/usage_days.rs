//! The store of usage counts, of tenants and clients, by day.

use std::ops::RangeInclusive;

use async_trait::async_trait;
use registry::ClientId;
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::audit::usage::{DayCounts, UsageBatch};
use crate::rules::advice::ClientCount;

/// Adds counts, and reads them.
#[async_trait]
pub trait UsageDays: Send + Sync {
    /// Adds a batch, unless it was added before. It ignores tenants that do not exist.
    async fn add_usage(&self, batch: &UsageBatch) -> Stored<()>;

    /// The counts of these days, ordered by day.
    async fn usage(&self, of: UsageOf<'_>, days: &RangeInclusive<u64>) -> Stored<Vec<DayCounts>>;

    /// The counts of each of these clients of a tenant in these days.
    async fn client_counts(
        &self,
        tenant: &TenantId,
        clients: &RangeInclusive<ClientId>,
        days: &RangeInclusive<u64>,
    ) -> Stored<UseOfTenant>;

    /// The clients of a tenant, or the tenants of the platform, that were issued most tokens in these days.
    async fn busiest(
        &self,
        tenant: Option<&TenantId>,
        days: &RangeInclusive<u64>,
        limit: u32,
    ) -> Stored<Vec<(String, u64)>>;

    /// The replicas that have added counts within a day, each with its last time. The latest comes first,
    /// with a limit.
    async fn list_replicas(&self, limit: u32) -> Stored<Vec<(String, Timestamp)>>;
}

/// The counts of clients, and the first day on which their tenant was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UseOfTenant {
    pub counts: Vec<ClientCount>,
    /// The first stored day on which anything of the tenant was counted.
    pub first_day: Option<u64>,
}

/// The tenant or client of the counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageOf<'a> {
    /// All tenants together.
    Platform,
    /// All clients of a tenant together, with requests of no client.
    Tenant(&'a TenantId),
    Client(&'a TenantId, &'a ClientId),
}
