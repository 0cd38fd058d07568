//! Revocations. After a revocation, a caller that may still have a token gets the next one in the second
//! after it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use accounts::AccountId;
use keys::{KeyError, SigningKey};
use registry::{
    AuthenticatedClient, Client, ClientAuthenticationError, IssuedToken, PersonOfToken, RevocationFacts,
    RevokedSubject, methods,
};
use tenancy::{Stored, Tenant, TenantId};
use values::{Lifetime, Secret, Timestamp};

use super::{Engine, GrantError};
use crate::revocation_feeds::SignedFeed;
use crate::{GrantId, Grantee, Reused, ReusedGrant, refresh_token_text, refreshing, revocation};

/// The longest wait for the second after a revocation: one second, and the difference between the clocks of
/// two replicas.
const LONGEST_WAIT: Lifetime = Lifetime::from_seconds(5);

impl Engine {
    /// Revokes a token of the caller (RFC 7009). A token that is invalid, or another client's, stays
    /// unchanged.
    ///
    /// # Errors
    /// When keys or store fail: the token may still be valid.
    pub async fn revoke(
        &self,
        tenant: &Tenant,
        caller: &AuthenticatedClient,
        token: &Secret,
        now: Timestamp,
    ) -> Result<(), GrantError> {
        // RFC 7009 §2: refresh tokens can be revoked, and so can access tokens. §2.2.1: there is no other
        // kind that would be `unsupported_token_type`.
        if token.expose().starts_with(refresh_token_text::PREFIX) {
            return refreshing::revoke(self, tenant, caller.client(), token, now).await;
        }
        let Ok(claims) = self.verify(tenant, token.expose(), None, now).await? else { return Ok(()) };
        match revocation::decide(claims, caller.client()) {
            Some(revoked) => Ok(self.revocations.revoke_token(&tenant.id, &revoked, now).await?),
            None => Ok(()),
        }
    }

    /// Ends all tokens of what a person has granted a client once.
    pub(crate) async fn end_grant(
        &self,
        of: &Grantee<'_>,
        grant: GrantId,
        account: &AccountId,
        now: Timestamp,
    ) -> Stored<()> {
        let grant = RevokedSubject::Grant(grant.to_string());
        let sub = self.authorizations.subjects().sub(of, account);
        self.revocations.revoke_people(&of.tenant.id, &grant, Some(&sub), now).await
    }

    /// Ends all tokens of a grant whose code or refresh token was used again.
    pub(crate) async fn end_reused_grant(
        &self,
        of: &Grantee<'_>,
        id: GrantId,
        account: &AccountId,
        used: Reused,
        now: Timestamp,
        source: Option<IpAddr>,
    ) -> Stored<()> {
        let (tenant, client) = (&of.tenant.id, &of.client.id);
        let sub = &self.authorizations.subjects().sub(of, account);
        let grant = ReusedGrant { id, client, account, sub, used, source };
        let ended = self.authorizations.store().end_reused_grant(tenant, &grant, now).await;
        self.notice_revocations(tenant);
        if ended? {
            self.reused.count(used);
        }
        Ok(())
    }

    /// Another store has written revocations of the tenant, such as the store of sessions. They take effect
    /// here at once.
    pub fn notice_revocations(&self, tenant: &TenantId) {
        self.revocations.notice_revocations(tenant);
    }

    /// The signed revocations of the tenant. This key signs them now, or has signed them a short while ago.
    /// Returns `None` if too many feeds are served already.
    ///
    /// # Errors
    /// When the store or the signature fails: without facts, verifiers must not believe that nothing is
    /// revoked.
    pub async fn revocation_feed(
        &self,
        tenant: &Tenant,
        key: &SigningKey,
        now: Timestamp,
    ) -> Result<Option<Arc<SignedFeed>>, GrantError> {
        let facts = self.facts(tenant).await?;
        Ok(self.feeds.get(tenant, &facts, key, now)?)
    }

    /// The key that would sign a token of the tenant now. The call creates no key: `None` if only the first
    /// token creates it.
    ///
    /// # Errors
    /// When the tenant's keys fail, as they would fail [`Engine::issue`].
    pub async fn existing_signing_key(
        &self,
        tenant: &Tenant,
        now: Timestamp,
    ) -> Result<Option<Arc<SigningKey>>, KeyError> {
        self.keys.existing_signing_key(tenant, now).await
    }

    /// The first second in which a token of this client and credential is valid: now, or the second after the
    /// last one whose tokens are revoked. The call returns when that second has come. Without the revocations
    /// of the tenant a token is issued anyway, because no change is known.
    ///
    /// # Errors
    /// When that second is not soon: the tenant, the client or the credential has ended after the client
    /// authenticated.
    pub(super) async fn first_valid_second(
        &self,
        tenant: &Tenant,
        client: &AuthenticatedClient,
        now: Timestamp,
    ) -> Result<Timestamp, GrantError> {
        let Ok(facts) = self.facts_to_issue(tenant).await else { return Ok(now) };
        let until = facts.issued_until(client.client().id.as_str(), client.credential());
        Ok(wait_for(until, now).await.ok_or_else(|| has_ended(client.client()))?)
    }

    /// The first second in which a code of this client is valid: now, or the second after the last one whose
    /// codes are revoked. The call returns when that second has come.
    ///
    /// # Errors
    /// When that is not soon: the tenant or the client has ended during the request.
    pub async fn first_second_of_codes(
        &self,
        tenant: &Tenant,
        client: &Arc<Client>,
        now: Timestamp,
    ) -> Result<Timestamp, ClientAuthenticationError> {
        let Ok(facts) = self.facts_to_issue(tenant).await else { return Ok(now) };
        wait_for(facts.granted_until(client.id.as_str()), now).await.ok_or_else(|| has_ended(client))
    }

    /// The first second in which a token of a person is valid. Returns `None` if the grant has ended
    /// meanwhile: then no second is valid.
    pub(crate) async fn first_valid_second_of(
        &self,
        Grantee { tenant, client }: &Grantee<'_>,
        person: PersonOfToken<'_>,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, GrantError> {
        let Ok(facts) = self.facts_to_issue(tenant).await else { return Ok(Some(now)) };
        if person.grant.is_some_and(|grant| facts.is_grant_revoked(grant)) {
            return Ok(None);
        }
        Ok(wait_for(facts.issued_until_of(client.id.as_str(), person), now).await)
    }

    /// Whether a person has taken back since this time what the client was allowed.
    pub(crate) async fn is_consent_revoked(
        &self,
        Grantee { tenant, client }: &Grantee<'_>,
        account: &AccountId,
        allowed_at: Timestamp,
    ) -> bool {
        let facts = self.facts_to_issue(tenant).await;
        facts.is_ok_and(|facts| {
            facts.is_consent_revoked_since(account.as_str(), client.id.as_str(), allowed_at)
        })
    }

    /// Whether the tenant has revoked a client's token, or what it was issued for.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn has_revoked(&self, tenant: &Tenant, token: IssuedToken<'_>) -> Stored<bool> {
        Ok(self.facts(tenant).await?.revoke(token))
    }

    /// The tenant's revocations as of a few seconds ago at most. RFC 7009 §3: a resource server of
    /// self-contained tokens learns of their end by "some (currently non-standardized) backend interaction".
    /// Resource servers of this platform have these facts, and others have the feed.
    pub(crate) async fn facts(&self, tenant: &Tenant) -> Stored<Arc<RevocationFacts>> {
        match self.revocations.fresh_revocations(&tenant.id) {
            Some(facts) => Ok(facts),
            None => self.revocations.find_revocations(&tenant.id).await,
        }
    }

    /// The tenant's revocations, as far as this replica knows them.
    pub(crate) async fn facts_to_issue(&self, tenant: &Tenant) -> Stored<Arc<RevocationFacts>> {
        match self.revocations.fresh_revocations(&tenant.id) {
            Some(facts) => Ok(facts),
            None => self.revocations.find_revocations_to_issue(&tenant.id).await,
        }
    }
}

/// The refusal of a client that was suspended while its request was under way. The caller cannot tell it from
/// that of a suspended client.
fn has_ended(client: &Arc<Client>) -> ClientAuthenticationError {
    ClientAuthenticationError::refused(methods::ENDED_MEANWHILE, Some(Arc::clone(client)))
}

/// Waits until a token can be issued in a later second than this. Returns `None` if that is not soon: only
/// what has ended is revoked for longer.
async fn wait_for(until: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    let Some(until) = until.filter(|until| now <= *until) else { return Some(now) };
    let next = until + Lifetime::from_seconds(1);
    let wait = Lifetime::from_seconds(next.seconds() - now.seconds());
    if wait > LONGEST_WAIT {
        return None;
    }
    // Boxed, because the futures of requests that wait for nothing would be as large.
    Box::pin(tokio::time::sleep(Duration::from_secs(wait.seconds()))).await;
    Some(next)
}
