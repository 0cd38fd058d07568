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
    /// Writes a code, unless its client has too many undecided codes from this address. Returns whether it
    /// was written.
    async fn write_device_code(&self, tenant: &TenantId, code: &DeviceCode, most: u32) -> Stored<bool>;

    /// The code in any state, by the device's own code.
    async fn find_device_code(&self, tenant: &TenantId, key: &CodeKey) -> Stored<Option<DeviceCode>>;

    /// Finds a valid, undecided code by the text that a person has typed. Returns nothing if two devices have
    /// this text.
    async fn find_device_by_user_code(
        &self,
        tenant: &TenantId,
        user_digest: &[u8; 32],
        now: Timestamp,
    ) -> Stored<Option<DeviceCode>>;

    /// Writes the decision of a person, if it is the first one and the code is valid: the account with what
    /// it grants, or a refusal. Returns whether it was written.
    async fn decide_on_device(
        &self,
        tenant: &TenantId,
        key: &CodeKey,
        allowed: Option<(&AccountId, &Granted)>,
        now: Timestamp,
    ) -> Stored<bool>;

    /// Uses up a code and begins its family, if the code is this client's, was allowed and is valid, and its
    /// account may still sign in. One of several concurrent uses succeeds, at all replicas together.
    async fn redeem_device_code(
        &self,
        tenant: &TenantId,
        key: &CodeKey,
        by: (&ClientId, Option<&NewFamily>),
        now: Timestamp,
    ) -> Stored<Option<DeviceCode>>;
}
