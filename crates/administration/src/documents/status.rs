//! The state of the platform, as interfaces show it.

use serde::{Deserialize, Serialize};
use tenancy::TenantId;
use values::Timestamp;

use super::Instant;
use super::schema::JsonSchema;

/// Which replicas serve requests, and which keys change next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlatformStatus {
    /// The replicas that counted a request within the last day, latest first: at most 20.
    pub replicas: Vec<ReplicaView>,
    /// The tenants whose signing keys change next, earliest first: at most 20.
    pub next_key_steps: Vec<KeyStepView>,
}

/// A replica.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReplicaView {
    /// A name that it keeps until it stops.
    pub id: String,
    /// When it last wrote request counts. It writes them every minute if there are any.
    pub counted_at: Instant,
}

/// The next step of a tenant's keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyStepView {
    /// The tenant.
    pub tenant_id: String,
    /// When: a time in the past means now.
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
