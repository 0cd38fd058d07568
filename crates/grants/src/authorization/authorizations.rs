//! The service of authorizations, and its store: which codes clients have, and what people have allowed.
//! `issuing.rs` issues codes, `pushing.rs` stores pushed requests.

use std::sync::Arc;

use accounts::AccountId;
use async_trait::async_trait;
use registry::ClientId;
use secrets::Pepper;
use tenancy::{Stored, TenantId};
use values::Timestamp;

use super::{AuthorizationCode, CodeNotIssued, CodeWrite, Consent, PushedRequest, RefreshFamilyStore};
use crate::one_time::OneTimeTexts;
use crate::refresh_token_text::RefreshTokens;
use crate::{DeviceAuthorizations, DeviceCodeStore, OneTimeKey, OneTimeStore, ReusedGrant, Subjects};

/// Keeps codes, and what people have allowed.
#[async_trait]
pub trait AuthorizationStore:
    OneTimeStore<AuthorizationCode> + OneTimeStore<PushedRequest> + DeviceCodeStore + RefreshFamilyStore
{
    /// What this person has allowed this client.
    async fn find_consent(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        client: &ClientId,
    ) -> Stored<Option<Consent>>;

    /// Writes a code, a new session, and the consent that was just given: all or nothing. Uses up the pushed
    /// request. One of several concurrent codes for one request is written, at all replicas together. Writes
    /// nothing over the limits of a session ([`AuthorizationCode::MOST_OF_CLIENT`],
    /// [`AuthorizationCode::MOST_OF_SESSION`]).
    async fn write_code(&self, tenant: &TenantId, write: &CodeWrite<'_>)
    -> Stored<Result<(), CodeNotIssued>>;

    /// Ends the code and the family of its grant, after a request that used up the code gets no token. A
    /// further use is refused. It is no second use of the code, because no token exists that it could end.
    async fn discard_code(
        &self,
        tenant: &TenantId,
        key: OneTimeKey,
        grant: &str,
        now: Timestamp,
    ) -> Stored<()>;

    /// Ends a grant whose code or refresh token was used again, and writes a record into the audit of the
    /// tenant. Returns whether this call has ended it. A grant that has ended before has no further record:
    /// of several concurrent uses one is recorded, at all replicas together.
    async fn end_reused_grant(
        &self,
        tenant: &TenantId,
        reused: &ReusedGrant<'_>,
        now: Timestamp,
    ) -> Stored<bool>;
}

/// The authorizations of all tenants.
#[derive(Clone)]
pub struct Authorizations {
    pub(super) store: Arc<dyn AuthorizationStore>,
    pub(crate) codes: Arc<OneTimeTexts<AuthorizationCode>>,
    pub(super) pushed: Arc<OneTimeTexts<PushedRequest>>,
    devices: DeviceAuthorizations,
    refresh_tokens: Arc<RefreshTokens>,
    subjects: Arc<Subjects>,
}

impl Authorizations {
    /// Creates the service. Codes are never cached: the store alone knows which use is the first.
    #[must_use]
    pub fn new(store: Arc<dyn AuthorizationStore>, pepper: &Pepper) -> Self {
        Self {
            codes: Arc::new(OneTimeTexts::new(pepper)),
            pushed: Arc::new(OneTimeTexts::new(pepper)),
            devices: DeviceAuthorizations::new(Arc::clone(&store) as _, pepper),
            refresh_tokens: Arc::new(RefreshTokens::new(pepper)),
            subjects: Arc::new(Subjects::new(pepper)),
            store,
        }
    }

    #[must_use]
    pub const fn devices(&self) -> &DeviceAuthorizations {
        &self.devices
    }

    /// The names of people at clients.
    #[must_use]
    pub fn subjects(&self) -> &Subjects {
        &self.subjects
    }

    /// The digests of refresh tokens.
    pub(crate) fn refresh_tokens(&self) -> &RefreshTokens {
        &self.refresh_tokens
    }

    /// The store of refresh tokens. They are never in a cache either.
    pub(crate) fn store(&self) -> &dyn AuthorizationStore {
        &*self.store
    }

    /// What this person has allowed this client.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find_consent(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        client: &ClientId,
    ) -> Stored<Option<Consent>> {
        self.store.find_consent(tenant, account, client).await
    }
}
