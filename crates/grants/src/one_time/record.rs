//! A record that is used once, and its use. The kinds differ in their contents.

use std::fmt::Debug;

use accounts::AccountId;
use registry::ClientId;
use sessions::{Ring, SessionId};
use tenancy::TenantId;
use values::{Lifetime, Timestamp};

use crate::person_grant::PersonGrant;
use crate::{GrantId, Granted, NewFamily, RefreshFamily};

/// The key of the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OneTimeKey {
    /// The partition, which follows from [`OneTime::expires_at`].
    pub slot: u32,
    /// The digest of the text.
    pub digest: [u8; 32],
}

impl OneTimeKey {
    /// The ring of partitions that has the row.
    pub const RING: Ring = Ring::DAYS;
}

/// A record that is used once. The fields of its content are read as its own.
#[derive(Clone, Debug, derive_more::Deref, PartialEq, Eq)]
pub struct OneTime<T> {
    /// Its tenant.
    pub tenant: TenantId,
    /// The key of the row.
    pub key: OneTimeKey,
    /// The client that has the text.
    pub client: ClientId,
    /// What it stands for.
    #[deref]
    pub content: T,
    /// It is valid until this instant.
    pub valid_until: Timestamp,
    /// The row is kept until this instant.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
}

/// The content of a record, which makes its kind.
pub trait OneTimeContent: Clone + Debug + PartialEq + Send + Sync + 'static {
    /// The purpose of the digests of texts.
    const PURPOSE: &'static str;
    /// How long a record is valid.
    const LIFETIME: Lifetime;
    /// How long its row is kept.
    const KEPT: Lifetime;

    /// The limits of the records that wait when another one is added.
    type Limit: Send + Sync;
    /// What is noted in a record once, before its use.
    type Note: Send + Sync;
    /// What a client proves by the use, beside its identity.
    type Proof: Clone + Debug + Send + Sync + 'static;

    /// Whether the use proves what the record demands.
    fn is_proven_by(&self, proof: &Self::Proof) -> bool;

    /// What a person has allowed by it, once one has.
    fn allowed(&self) -> Option<Allowed<'_>>;
}

/// What a person has allowed.
#[derive(Clone, Copy, Debug)]
pub struct Allowed<'a> {
    /// The person.
    pub account: &'a AccountId,
    /// The browser's session that it belongs to, with its partition.
    pub session: Option<(u32, &'a SessionId)>,
    /// What is allowed.
    pub granted: &'a Granted,
    /// When.
    pub at: Timestamp,
}

impl<T: OneTimeContent> OneTime<T> {
    /// A record that begins now.
    #[must_use]
    pub fn new(tenant: &TenantId, client: &ClientId, key: OneTimeKey, content: T, now: Timestamp) -> Self {
        let (tenant, client) = (tenant.clone(), client.clone());
        let (valid_until, expires_at) = (now + T::LIFETIME, now + T::KEPT);
        Self { tenant, key, client, content, valid_until, expires_at, used_at: None }
    }

    /// The grant of the record under the identifier that is derived from its text, once a person has allowed
    /// it.
    pub(crate) fn grant(&self, id: GrantId) -> Option<PersonGrant<'_>> {
        let Allowed { account, session, granted, .. } = self.content.allowed()?;
        Some(PersonGrant { id, account, session: session.map(|(_, id)| id), granted })
    }

    /// The family of refresh tokens that begins with it, once a person has allowed it.
    #[must_use]
    pub fn family(&self, new: &NewFamily) -> Option<RefreshFamily> {
        Some(new.of(&self.tenant, &self.client, self.content.allowed()?))
    }
}

/// A use of a record.
#[derive(Clone, Debug)]
pub struct OneTimeUse<T: OneTimeContent> {
    /// The record.
    pub key: OneTimeKey,
    /// The client that uses it.
    pub client: ClientId,
    /// What it proves.
    pub proof: T::Proof,
    /// The family of refresh tokens that begins with the use, if the client gets any.
    pub family: Option<NewFamily>,
}

impl<T: OneTimeContent> OneTimeUse<T> {
    /// Whether it is a use of this record. The statement that uses up a record has the same conditions, so a
    /// refused request does not use up the client's record.
    #[must_use]
    pub fn is_of(&self, tenant: &TenantId, record: &OneTime<T>) -> bool {
        record.tenant == *tenant
            && record.key == self.key
            && record.client == self.client
            && record.content.is_proven_by(&self.proof)
    }
}
