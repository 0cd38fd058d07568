//! When a tenant's keys are due, and which process handles them.

use async_trait::async_trait;
use keys::KeyRecords;
use protocol::{Lifetime, Timestamp};
use tenancy::{Stored, Tenant, TenantId};

use crate::RowLifecycle;

/// Reads the keys of tenants with their schedules, and grants leases.
#[async_trait]
pub trait KeySchedule: Send + Sync {
    /// A tenant with its keys, and what their life cycle depends on.
    async fn load_keys(&self, tenant: &TenantId) -> Stored<Option<TenantKeys>>;

    /// At most `limit` tenants whose keys are due, the longest due first. An index finds them.
    async fn find_due_keys(&self, now: Timestamp, limit: u32) -> Stored<Vec<TenantId>>;

    /// When the keys of tenants are to be looked at next, the earliest first: of this tenant, or of so many tenants at most.
    async fn next_key_steps(
        &self,
        tenant: Option<&TenantId>,
        limit: u32,
    ) -> Stored<Vec<(TenantId, Timestamp)>>;

    /// Whether this holder has the lease until then. It gets a lease that is free, has expired or is its own already.
    async fn try_lease(&self, name: &str, holder: &str, now: Timestamp, until: Timestamp) -> Stored<bool>;
}

/// A tenant's keys, and what their lives depend on, as they were at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantKeys {
    /// The tenant, as requests see it.
    pub tenant: Tenant,
    /// How it stands.
    pub lifecycle: RowLifecycle,
    /// On which a plan rests.
    pub revision: u64,
    /// The longest lifetime of its tokens, as the tenant and its live clients say today.
    pub longest_token: Lifetime,
    /// When the last token that was issued under a longer lifetime than today's expires.
    pub previous_tokens_until: Option<Timestamp>,
    /// For how long copies of the key set were kept under an earlier policy, and until when such copies may be about.
    pub previous_jwks: Option<(Lifetime, Timestamp)>,
    /// When its keys are to be looked at.
    pub due_at: Option<Timestamp>,
    /// Its keys.
    pub records: KeyRecords,
}
