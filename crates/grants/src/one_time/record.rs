//! A record that can be used once. Its content type is the kind of record.

use std::fmt::Debug;

use accounts::AccountId;
use registry::ClientId;
use sessions::{Ring, SessionId};
use tenancy::TenantId;
use values::{Lifetime, Timestamp};

use crate::person_grant::PersonGrant;
use crate::{GrantId, Granted, NewFamily, RefreshFamily};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OneTimeKey {
    /// The partition of the row, derived from [`OneTime::expires_at`].
    pub slot: u32,
    /// The digest of the code or reference that the client has.
    pub digest: [u8; 32],
}

impl OneTimeKey {
    /// The partitions of these rows.
    pub const RING: Ring = Ring::DAYS;
}

/// Dereferences to its content.
#[derive(Clone, Debug, derive_more::Deref, PartialEq, Eq)]
pub struct OneTime<T> {
    pub tenant: TenantId,
    pub key: OneTimeKey,
    pub client: ClientId,
    #[deref]
    pub content: T,
    /// After this instant the record cannot be used.
    pub valid_until: Timestamp,
    /// After this instant the row can be deleted.
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

/// The content of a kind of record.
pub trait OneTimeContent: Clone + Debug + PartialEq + Send + Sync + 'static {
    /// Separates the digests of this kind from those of other kinds.
    const PURPOSE: &'static str;
    /// How long the record can be used.
    const LIFETIME: Lifetime;
    /// How long the row is kept.
    const KEPT: Lifetime;

    /// The limits for adding a record.
    type Limit: Send + Sync;
    /// Written into a record once, before its use.
    type Note: Send + Sync;
    /// What a client proves to use the record, in addition to its identity.
    type Proof: Clone + Debug + Send + Sync + 'static;

    fn is_proven_by(&self, proof: &Self::Proof) -> bool;

    /// `None` until a person has allowed the request.
    fn allowed(&self) -> Option<Allowed<'_>>;
}

/// What a person has allowed.
#[derive(Clone, Copy, Debug)]
pub struct Allowed<'a> {
    pub account: &'a AccountId,
    /// The browser session and its partition. `None` for a device.
    pub session: Option<(u32, &'a SessionId)>,
    pub granted: &'a Granted,
    pub at: Timestamp,
}

impl<T: OneTimeContent> OneTime<T> {
    #[must_use]
    pub fn new(tenant: &TenantId, client: &ClientId, key: OneTimeKey, content: T, now: Timestamp) -> Self {
        let (tenant, client) = (tenant.clone(), client.clone());
        let (valid_until, expires_at) = (now + T::LIFETIME, now + T::KEPT);
        Self { tenant, key, client, content, valid_until, expires_at, used_at: None }
    }

    /// `None` until a person has allowed the request. The caller derives `id` from the text of the
    /// code.
    pub(crate) fn grant(&self, id: GrantId) -> Option<PersonGrant<'_>> {
        let Allowed { account, session, granted, .. } = self.content.allowed()?;
        Some(PersonGrant { id, account, session: session.map(|(_, id)| id), granted })
    }

    /// The family of refresh tokens that the use creates. `None` until a person has allowed the
    /// request.
    #[must_use]
    pub fn family(&self, new: &NewFamily) -> Option<RefreshFamily> {
        Some(new.of(&self.tenant, &self.client, self.content.allowed()?))
    }
}

#[derive(Clone, Debug)]
pub struct OneTimeUse<T: OneTimeContent> {
    pub key: OneTimeKey,
    pub client: ClientId,
    pub proof: T::Proof,
    /// `None` if the client gets no refresh tokens.
    pub family: Option<NewFamily>,
}

impl<T: OneTimeContent> OneTimeUse<T> {
    /// Whether this use matches the record. The database statement that uses up a record has the
    /// same conditions, so that a refused request leaves the record unused.
    #[must_use]
    pub fn is_of(&self, tenant: &TenantId, record: &OneTime<T>) -> bool {
        record.tenant == *tenant
            && record.key == self.key
            && record.client == self.client
            && record.content.is_proven_by(&self.proof)
    }
}
