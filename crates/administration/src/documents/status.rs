//! The state of the platform, as interfaces show it.

use serde::{Deserialize, Serialize};
use tenancy::TenantId;
use values::Timestamp;

use super::Instant;
use super::schema::JsonSchema;

/// Which replicas serve, and which keys change next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlatformStatus {
    /// The replicas that have counted a request within a day, the latest first: 20 at most.
    pub replicas: Vec<ReplicaView>,
    /// The tenants whose signing keys are looked at next, the earliest first: 20 at most.
    pub next_key_steps: Vec<KeyStepView>,
}

/// A replica.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReplicaView {
    /// A name that it has until it ends.
    pub id: String,
    /// When it wrote counts of requests last. It does so every minute in which there are any.
    pub counted_at: Instant,
}

/// The next look at the keys of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyStepView {
    /// The tenant.
    pub tenant_id: String,
    /// When: one that is past is due now.
    pub due_at: Instant,
}

impl PlatformStatus {
    pub(crate) fn new(replicas: Vec<(String, Timestamp)>, steps: Vec<(TenantId, Timestamp)>) -> Self {
        Self {
            replicas: replicas
                .into_iter()
                .map(|(id, at)| ReplicaView { id, counted_at: at.into() })
                .collect(),
            next_key_steps: steps
                .into_iter()
                .map(|(tenant, at)| KeyStepView { tenant_id: tenant.to_string(), due_at: at.into() })
                .collect(),
        }
    }
}
