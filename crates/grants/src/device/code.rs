//! Device codes (RFC 8628 §3.2): a partition and 256 random bits, and beside them the code that the person
//! types. The store has a digest of each.

use accounts::AccountId;
use protocol::{Lifetime, Timestamp, UserCode};
use registry::ClientId;
use secrets::{KeyedDigest, random_bytes};
use tenancy::TenantId;

use crate::authorization::kept;
use crate::person_grant::PersonGrant;
use crate::{CodeKey, GrantId, Granted, NewFamily, RefreshFamily};

/// How long a person has to type the code and to decide.
pub(super) const DEVICE_CODE_LIFETIME: Lifetime = Lifetime::from_seconds(600);
/// The least time between two polls of a device (RFC 8628 §3.2).
pub(super) const POLL_INTERVAL: Lifetime = Lifetime::from_seconds(5);
/// Bytes to draw a user code from: too few of them are of use once in 10^21 draws.
const DRAWN: usize = 64;

/// A device that waits for a person's decision, or has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCode {
    /// Its tenant.
    pub tenant: TenantId,
    /// The partition, which follows from `expires_at`.
    pub slot: u32,
    /// The digest of the device's code.
    pub digest: [u8; 32],
    /// The digest of the code that the person types.
    pub user_digest: [u8; 32],
    /// The client that may redeem it.
    pub client: ClientId,
    /// What the device requests. Once a person has allowed it, it includes how the person authenticated.
    pub granted: Granted,
    /// The address that the device requested it from, for the person who decides.
    pub requested_from: String,
    /// When it was requested.
    pub created_at: Timestamp,
    /// A person can decide, and the device can redeem the code, until this instant.
    pub valid_until: Timestamp,
    /// The row is kept until this instant.
    pub expires_at: Timestamp,
    /// When a person decided.
    pub decided_at: Option<Timestamp>,
    /// The person who allowed it. None if the person refused.
    pub account: Option<AccountId>,
    /// When it was redeemed.
    pub redeemed_at: Option<Timestamp>,
}

impl DeviceCode {
    /// How long its row is kept.
    pub const KEPT: Lifetime = kept(DEVICE_CODE_LIFETIME);

    /// The key of the row.
    #[must_use]
    pub const fn key(&self) -> CodeKey {
        CodeKey { slot: self.slot, digest: self.digest }
    }

    /// The grant of the code, once a person has allowed it. The device belongs to no browser session, so
    /// signing out there does not disconnect it.
    pub(crate) fn grant(&self, id: GrantId) -> Option<PersonGrant<'_>> {
        let account = self.account.as_ref()?;
        Some(PersonGrant { id, account, session: None, granted: &self.granted })
    }

    /// The family of refresh tokens that begins with it, once it is allowed.
    #[must_use]
    pub fn family(&self, new: &NewFamily) -> Option<RefreshFamily> {
        let account = self.account.as_ref()?;
        let granted = (&self.granted, self.decided_at.unwrap_or(self.created_at));
        Some(new.of((&self.tenant, &self.client), account, None, granted))
    }
}

/// A new code to type.
pub(super) fn draw_user_code() -> UserCode {
    loop {
        if let Some(code) = UserCode::from_random(random_bytes::<DRAWN>().as_slice()) {
            return code;
        }
    }
}

/// The digest of a typed code that the store has.
pub(super) fn user_digest(digests: &KeyedDigest, tenant: &TenantId, code: &UserCode) -> [u8; 32] {
    digests.of([tenant.as_str().as_bytes(), code.letters()])
}
