//! The service of authorizations: uses up codes, and finds what people have allowed. `issuing.rs` issues
//! codes, `pushing.rs` stores pushed requests.

use std::sync::Arc;

use accounts::AccountId;
use protocol::Secret;
use registry::ClientId;
use secrets::{KeyedDigest, Pepper};
use tenancy::{Stored, TenantId};

use super::{AuthorizationStore, CodeKey, Consent};
use crate::refresh_token_text::RefreshTokens;
use crate::{GrantId, Subjects};

/// The authorizations of all tenants.
#[derive(Clone)]
pub struct Authorizations {
    pub(super) store: Arc<dyn AuthorizationStore>,
    pub(super) digests: Arc<KeyedDigest>,
    pub(super) pushed: Arc<KeyedDigest>,
    refresh_tokens: Arc<RefreshTokens>,
    subjects: Arc<Subjects>,
}

impl Authorizations {
    /// Creates the service. Codes are never cached: the store alone knows which use is the first.
    #[must_use]
    pub fn new(store: Arc<dyn AuthorizationStore>, pepper: &Pepper) -> Self {
        let digests = |purpose| Arc::new(KeyedDigest::for_purpose(pepper.expose(), purpose));
        Self {
            store,
            digests: digests("latchkey authorization code 1"),
            pushed: digests("latchkey pushed request 1"),
            refresh_tokens: Arc::new(RefreshTokens::new(pepper)),
            subjects: Arc::new(Subjects::new(pepper)),
        }
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

    /// The key of a code that was sent.
    pub(crate) fn key(&self, tenant: &TenantId, code: &Secret) -> Option<CodeKey> {
        CodeKey::new(&self.digests, tenant, code.expose())
    }

    /// The identifier of the grant of a code. Only a party that has the code, or a token for it, can know it.
    pub(crate) fn grant_of(&self, tenant: &TenantId, code: &Secret) -> GrantId {
        GrantId::of_code(&self.digests, tenant, code)
    }
}
