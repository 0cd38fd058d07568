//! When tenants' keys are due for a step, and which process takes the steps.

use async_trait::async_trait;
use keys::KeyRecords;
use tenancy::{Stored, Tenant, TenantId};
use values::{Lifetime, Timestamp};

use crate::kinds::state::RowLifecycle;

/// Reads the keys of tenants with their schedules, and grants leases.
#[async_trait]
pub trait KeySchedule: Send + Sync {
    /// A tenant with its keys, and the facts that decide their life cycle.
    async fn load_keys(&self, tenant: &TenantId) -> Stored<Option<TenantKeys>>;

    /// At most `limit` tenants whose keys are due, the longest due first. Needs an index.
    async fn find_due_keys(&self, now: Timestamp, limit: u32) -> Stored<Vec<TenantId>>;

    /// When the keys of tenants must be checked next, the earliest first. `of` selects one tenant, or at most
    /// a number of tenants.
    async fn next_key_steps(
        &self,
        tenant: Option<&TenantId>,
        limit: u32,
    ) -> Stored<Vec<(TenantId, Timestamp)>>;

    /// Takes the lease for this holder until `until`, if it is free, has expired or already belongs to the
    /// holder. Returns whether the holder has the lease.
    async fn try_lease(&self, name: &str, holder: &str, now: Timestamp, until: Timestamp) -> Stored<bool>;
}

/// A tenant's keys with the facts that decide their life cycle, from one read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantKeys {
    /// The tenant as token requests see it.
    pub tenant: Tenant,
    pub lifecycle: RowLifecycle,
    /// The revision that a plan expects.
    pub revision: u64,
    /// The longest lifetime of new tokens under the current settings of the tenant and its active clients.
    pub longest_token: Lifetime,
    /// When the last token expires that was issued with a longer lifetime than today's.
    pub previous_tokens_until: Option<Timestamp>,
    /// How long copies of the key set were cached under an earlier policy, and until when such copies may be
    /// in use.
    pub previous_jwks: Option<(Lifetime, Timestamp)>,
    /// When the keys must be checked next.
    pub due_at: Option<Timestamp>,
    pub records: KeyRecords,
}
