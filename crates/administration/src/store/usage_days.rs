//! How often what happened in tenants and at clients, day by day.

use std::ops::RangeInclusive;

use async_trait::async_trait;
use protocol::Timestamp;
use registry::ClientId;
use tenancy::{Stored, TenantId};

use crate::{ClientCount, DayCounts, UsageBatch};

/// Adds counts, and reads them.
#[async_trait]
pub trait UsageDays: Send + Sync {
    /// Adds a batch, unless it was added before. It ignores tenants that do not exist.
    async fn add_usage(&self, batch: &UsageBatch) -> Stored<()>;

    /// The counts of these days, ordered by day.
    async fn usage(&self, of: UsageOf<'_>, days: &RangeInclusive<u64>) -> Stored<Vec<DayCounts>>;

    /// What each of these clients of a tenant did in these days.
    async fn client_counts(
        &self,
        tenant: &TenantId,
        clients: &RangeInclusive<ClientId>,
        days: &RangeInclusive<u64>,
    ) -> Stored<ClientCounts>;

    /// Who was issued most tokens in these days: of a tenant its clients, of the platform its tenants.
    async fn busiest(
        &self,
        tenant: Option<&TenantId>,
        days: &RangeInclusive<u64>,
        limit: u32,
    ) -> Stored<Vec<(String, u64)>>;

    /// The replicas that have added counts within a day, each with when it did last; the latest first, and so many at most.
    async fn list_replicas(&self, limit: u32) -> Stored<Vec<(String, Timestamp)>>;
}

/// What clients did, and since when their tenant is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientCounts {
    /// Of each client.
    pub counts: Vec<ClientCount>,
    /// The first day of the tenant on which anything was counted, of those that are kept.
    pub first_day: Option<u64>,
}

/// Whose counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageOf<'a> {
    /// Of all tenants together.
    Platform,
    /// Of all clients of a tenant together, and of requests of none.
    Tenant(&'a TenantId),
    /// Of a client.
    Client(&'a TenantId, &'a ClientId),
}
