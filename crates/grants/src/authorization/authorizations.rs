//! The service of authorizations: issue codes, use them up, and remember what people have allowed.

use std::borrow::Cow;
use std::sync::Arc;

use accounts::AccountId;
use protocol::{Secret, Timestamp, redirect_host};
use registry::{Client, ClientId};
use secrets::{KeyedDigest, Pepper};
use sessions::{SessionWrite, SignedIn};
use tenancy::{StoreError, TenantId};

use super::code::{LIFETIME, NewCode};
use super::pushed::most_waiting;
use super::{
    AuthorizationCode, AuthorizationStore, CodeKey, CodeWrite, Consent, Granted, PushError, PushedRequest,
    PushedUse, Redeemed, Redemption,
};
use crate::refresh_token_text::RefreshTokens;
use crate::{GrantId, Subjects};

/// The authorizations of all tenants.
#[derive(Clone)]
pub struct Authorizations {
    store: Arc<dyn AuthorizationStore>,
    digests: Arc<KeyedDigest>,
    pushed: Arc<KeyedDigest>,
    refresh_tokens: Arc<RefreshTokens>,
    subjects: Arc<Subjects>,
}

/// A code that is to be issued.
#[derive(Debug)]
pub struct RequestedCode<'a> {
    /// Who signed in.
    pub signed_in: &'a SignedIn,
    /// The session, where it has to be written.
    pub session: Option<&'a SessionWrite>,
    /// The client.
    pub client: &'a Client,
    /// Where the code goes.
    pub redirect_uri: &'a str,
    /// The challenge of the request.
    pub code_challenge: Option<[u8; 32]>,
    /// What it stands for.
    pub granted: Granted,
    /// What the person has allowed before, where it has allowed this request just now.
    pub allowed: Option<Option<&'a Consent>>,
    /// The pushed request that it is for.
    pub pushed: Option<CodeKey>,
}

impl Authorizations {
    /// Creates the service. Codes are never in a cache: the store alone says which use is the first.
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

    /// Keeps a request for a client, and returns its reference.
    ///
    /// # Errors
    /// [`PushError`]; nothing is written then.
    pub async fn push(
        &self,
        client: &Client,
        parameters: String,
        now: Timestamp,
    ) -> Result<Secret, PushError> {
        let (request, reference) = PushedRequest::new(&self.pushed, client, parameters, now)?;
        let most = most_waiting(client);
        let is_added = self.store.add_pushed(&client.tenant, &request, most, now).await?;
        if is_added { Ok(reference) } else { Err(PushError::TooMany) }
    }

    /// The request of this client with this reference, which no code was issued for.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find_pushed(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        reference: &str,
        used: PushedUse,
        now: Timestamp,
    ) -> Result<Option<PushedRequest>, StoreError> {
        let Some(key) = CodeKey::of(&self.pushed, tenant, reference) else { return Ok(None) };
        let found = self.store.find_pushed(tenant, key, now).await?;
        Ok(found.filter(|request| request.key() == key && request.serves(tenant, client, used, now)))
    }

    /// What clients call people.
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
    ) -> Result<Option<Consent>, StoreError> {
        self.store.find_consent(tenant, account, client).await
    }

    /// Issues a code; `None` where one was issued for its pushed request before, and then nothing is written.
    ///
    /// # Errors
    /// When the store fails; nothing is written then.
    pub async fn issue(
        &self,
        tenant: &TenantId,
        requested: RequestedCode<'_>,
        now: Timestamp,
    ) -> Result<Option<Secret>, StoreError> {
        let RequestedCode {
            signed_in,
            session,
            client,
            redirect_uri,
            code_challenge,
            granted,
            allowed,
            pushed,
        } = requested;
        let of = signed_in.session();
        let consent = allowed.map(|before| {
            let allowed = Consent {
                account: of.account.clone(),
                client: client.id.clone(),
                scopes: granted.permissions().map(Cow::into_owned).collect(),
                hosts: vec![redirect_host(redirect_uri).to_owned()],
                granted_at: now,
            };
            allowed.and(before.filter(|before| before.account == of.account))
        });
        let new = NewCode::generate(&self.digests, tenant, LIFETIME, now);
        let code = AuthorizationCode {
            tenant: tenant.clone(),
            slot: new.key.slot,
            digest: new.key.digest,
            client: client.id.clone(),
            account: of.account.clone(),
            session_slot: of.slot,
            session: of.id.clone(),
            redirect_uri: redirect_uri.to_owned(),
            code_challenge,
            granted: granted.by(signed_in),
            created_at: now,
            valid_until: new.valid_until,
            expires_at: new.expires_at,
        };
        let write = CodeWrite { code: &code, session, consent: consent.as_ref(), pushed };
        let is_written = self.store.write_code(tenant, &write).await?;
        Ok(is_written.then_some(new.text))
    }

    /// The key of a code that was sent.
    pub(crate) fn key(&self, tenant: &TenantId, code: &Secret) -> Option<CodeKey> {
        CodeKey::of(&self.digests, tenant, code.expose())
    }

    /// The identifier of what a code stands for, known to none but who has the code or a token for it.
    pub(crate) fn grant_of(&self, tenant: &TenantId, code: &Secret) -> GrantId {
        GrantId::of_code(&self.digests, tenant, code)
    }

    /// Uses a code up.
    pub(crate) async fn redeem(
        &self,
        tenant: &TenantId,
        redemption: &Redemption<'_>,
        now: Timestamp,
    ) -> Result<Redeemed, StoreError> {
        self.store.redeem_code(tenant, redemption, now).await
    }
}
