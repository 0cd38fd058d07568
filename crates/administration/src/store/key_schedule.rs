//! The times when tenants' keys are due, and the process that handles them.

use async_trait::async_trait;
use keys::KeyRecords;
use tenancy::{Stored, Tenant, TenantId};
use values::{Lifetime, Timestamp};

use crate::kinds::state::RowLifecycle;

/// Reads the keys of tenants with their schedules, and grants leases.
#[async_trait]
pub trait KeySchedule: Send + Sync {
    /// A tenant with its keys, and what their life cycle depends on.
    async fn load_keys(&self, tenant: &TenantId) -> Stored<Option<TenantKeys>>;

    /// At most `limit` tenants whose keys are due, the longest due first. An index finds them.
    async fn find_due_keys(&self, now: Timestamp, limit: u32) -> Stored<Vec<TenantId>>;

    /// When the keys of tenants must be checked next, the earliest first: of this tenant, or of this number
    /// of tenants at most.
    async fn next_key_steps(
        &self,
        tenant: Option<&TenantId>,
        limit: u32,
    ) -> Stored<Vec<(TenantId, Timestamp)>>;

    /// Takes the lease for this holder until this instant, if it is free, has expired or is the holder's
    /// already. Returns whether the holder has it.
    async fn try_lease(&self, name: &str, holder: &str, now: Timestamp, until: Timestamp) -> Stored<bool>;
}

/// A tenant's keys with the facts that their lives depend on, as of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantKeys {
    /// The tenant, as requests see it.
    pub tenant: Tenant,
    pub lifecycle: RowLifecycle,
    /// The revision that a plan expects.
    pub revision: u64,
    /// The longest lifetime of its tokens under today's settings of the tenant and its live clients.
    pub longest_token: Lifetime,
    /// When the last token that was issued under a longer lifetime than today's expires.
    pub previous_tokens_until: Option<Timestamp>,
    /// How long copies of the key set were cached under an earlier policy, and until when such copies may be
    /// used.
    pub previous_jwks: Option<(Lifetime, Timestamp)>,
    /// When its keys are to be looked at.
    pub due_at: Option<Timestamp>,
    pub records: KeyRecords,
}
