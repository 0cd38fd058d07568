//! The store that device authorizations need.

use accounts::AccountId;
use async_trait::async_trait;
use protocol::Timestamp;
use registry::ClientId;
use tenancy::{Stored, TenantId};

use super::DeviceCode;
use crate::{CodeKey, Granted, NewFamily};

/// Keeps device codes.
#[async_trait]
pub trait DeviceCodeStore: Send + Sync {
    /// Writes a code, unless its client has so many from this address that nobody has decided on. Says whether it was written.
    async fn write_device_code(&self, tenant: &TenantId, code: &DeviceCode, most: u32) -> Stored<bool>;

    /// The code in any state, by the device's own code.
    async fn find_device_code(&self, tenant: &TenantId, key: &CodeKey) -> Stored<Option<DeviceCode>>;

    /// The code that a person has typed: valid, and not decided on. None where two devices have it.
    async fn find_device_by_user_code(
        &self,
        tenant: &TenantId,
        user_digest: &[u8; 32],
        now: Timestamp,
    ) -> Stored<Option<DeviceCode>>;

    /// Writes the decision of a person, if nobody has decided before and the code is valid: the account with what it grants, or nothing. Says
    /// whether it was written.
    async fn decide_on_device(
        &self,
        tenant: &TenantId,
        key: &CodeKey,
        allowed: Option<(&AccountId, &Granted)>,
        now: Timestamp,
    ) -> Stored<bool>;

    /// Uses a code up and begins its family, if it is this client's, was allowed, is valid, and its account may still sign in. Of uses at the same time, at all replicas,
    /// one gets it.
    async fn redeem_device_code(
        &self,
        tenant: &TenantId,
        key: &CodeKey,
        by: (&ClientId, Option<&NewFamily>),
        now: Timestamp,
    ) -> Stored<Option<DeviceCode>>;
}
