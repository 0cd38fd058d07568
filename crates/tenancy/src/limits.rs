//! The limits that a tenant has of its own.

use std::num::NonZeroU32;

use protocol::Rate;
use serde::{Deserialize, Serialize};

/// Limits that take the place of the platform's for one tenant. Where one is absent, the platform's holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TenantLimits {
    /// Failed authentications of one source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_attempts: Option<Rate>,
    /// Clients that are neither retired nor deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clients: Option<NonZeroU32>,
    /// Writes of the tenant's administrators together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin_writes: Option<Rate>,
    /// Secrets of a client that are live at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live_secrets: Option<NonZeroU32>,
}
