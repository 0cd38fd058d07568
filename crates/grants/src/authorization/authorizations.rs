//! The service of authorizations and its store: codes, and the consent of people. `issuing.rs`
//! issues codes, `pushing.rs` stores pushed requests.

use std::sync::Arc;

use accounts::AccountId;
use async_trait::async_trait;
use registry::ClientId;
use secrets::{Pepper, SharedCounts};
use tenancy::{Stored, TenantId};
use values::Timestamp;

use super::{AuthorizationCode, CodeNotIssued, CodeWrite, Consent, PushedRequest, RefreshFamilyStore};
use crate::one_time::OneTimeTexts;
use crate::refresh_token_text::RefreshTokens;
use crate::{DeviceAuthorizations, DeviceCodeStore, OneTimeKey, OneTimeStore, ReusedGrant, Subjects};

/// Stores codes and consent.
#[async_trait]
pub trait AuthorizationStore:
    OneTimeStore<AuthorizationCode> + OneTimeStore<PushedRequest> + DeviceCodeStore + RefreshFamilyStore
{
    async fn find_consent(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        client: &ClientId,
    ) -> Stored<Option<Consent>>;

    /// Writes a code, its new session, and a consent that the person just gave, in one transaction.
    /// Uses up the pushed request: of several concurrent codes for one pushed request only one is
    /// written, across all replicas. Writes nothing if a session reached its limits
    /// ([`AuthorizationCode::MOST_OF_CLIENT`], [`AuthorizationCode::MOST_OF_SESSION`]).
    async fn write_code(&self, tenant: &TenantId, write: &CodeWrite<'_>)
    -> Stored<Result<(), CodeNotIssued>>;

    /// Ends the code and the token family of its grant when a request used the code but gets no
    /// tokens. The store refuses another use of the code, but does not treat it as a reuse, because
    /// no token exists to revoke.
    async fn discard_code(
        &self,
        tenant: &TenantId,
        key: OneTimeKey,
        grant: &str,
        now: Timestamp,
    ) -> Stored<()>;

    /// Ends a grant after its code or refresh token was used again, and writes an audit record.
    /// Returns whether this call ended the grant. Of several concurrent uses only one writes an
    /// audit record, across all replicas.
    async fn end_reused_grant(
        &self,
        tenant: &TenantId,
        reused: &ReusedGrant<'_>,
        now: Timestamp,
    ) -> Stored<bool>;
}

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
    /// Codes are never cached, because only the store knows which use is the first.
    #[must_use]
    pub fn new(store: Arc<dyn AuthorizationStore>, pepper: &Pepper, counts: &SharedCounts) -> Self {
        Self {
            codes: Arc::new(OneTimeTexts::new(pepper)),
            pushed: Arc::new(OneTimeTexts::new(pepper)),
            devices: DeviceAuthorizations::new(Arc::clone(&store) as _, pepper, counts),
            refresh_tokens: Arc::new(RefreshTokens::new(pepper)),
            subjects: Arc::new(Subjects::new(pepper)),
            store,
        }
    }

    #[must_use]
    pub const fn devices(&self) -> &DeviceAuthorizations {
        &self.devices
    }

    #[must_use]
    pub fn subjects(&self) -> &Subjects {
        &self.subjects
    }

    pub(crate) fn refresh_tokens(&self) -> &RefreshTokens {
        &self.refresh_tokens
    }

    /// Also stores the refresh tokens, which are never cached either.
    pub(crate) fn store(&self) -> &dyn AuthorizationStore {
        &*self.store
    }

    /// # Errors If the store fails.
    pub async fn find_consent(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        client: &ClientId,
    ) -> Stored<Option<Consent>> {
        self.store.find_consent(tenant, account, client).await
    }
}
