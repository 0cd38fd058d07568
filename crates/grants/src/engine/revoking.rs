//! Revocations. A revocation invalidates every token issued up to and including its second. A
//! caller who requests a token in that second waits for the next second.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use accounts::AccountId;
use keys::{KeyAlgorithm, KeyError, SigningKey, TenantKey};
use registry::{
    AuthenticatedClient, Client, ClientAuthenticationError, IssuedToken, PersonOfToken, RevocationFacts,
    RevokedSubject, methods,
};
use tenancy::{Stored, Tenant, TenantId};
use values::{Lifetime, Secret, Timestamp};

use super::{Engine, GrantError};
use crate::revocation_feeds::SignedFeed;
use crate::{GrantId, Grantee, Reused, ReusedGrant, refresh_token_text, refreshing, revocation};

/// One second, and the difference between the clocks of two replicas.
const LONGEST_WAIT: Lifetime = Lifetime::from_seconds(5);

impl Engine {
    /// Revokes a token of the caller (RFC 7009). Does nothing if the token is invalid or belongs to
    /// another client.
    ///
    /// # Errors If keys or store fail: the token may still be valid.
    pub async fn revoke(
        &self,
        tenant: &Tenant,
        caller: &AuthenticatedClient,
        token: &Secret,
        now: Timestamp,
    ) -> Result<(), GrantError> {
        // RFC 7009 §2: a client can revoke refresh tokens and access tokens. No other type exists,
        // so the server never answers `unsupported_token_type` (§2.2.1).
        if token.expose().starts_with(refresh_token_text::PREFIX) {
            return refreshing::revoke(self, tenant, caller.client(), token, now).await;
        }
        let Ok(claims) = self.verify(tenant, token.expose(), None, now).await? else { return Ok(()) };
        match revocation::decide(claims, caller.client()) {
            Some(revoked) => Ok(self.revocations.revoke_token(&tenant.id, &revoked, now).await?),
            None => Ok(()),
        }
    }

    /// Revokes all tokens of one grant.
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

    /// Revokes all tokens of a grant whose code or refresh token was used again.
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

    /// Call this function after another store, such as the store of sessions, has written
    /// revocations of the tenant. The revocations then take effect on this replica immediately.
    pub fn notice_revocations(&self, tenant: &TenantId) {
        self.revocations.notice_revocations(tenant);
    }

    /// The signed revocations of the tenant. A signature may be up to a minute old. Returns `None`
    /// if the memory for feeds is full.
    ///
    /// # Errors If the store or the signature fails. An empty feed would tell verifiers that
    /// nothing is revoked.
    pub async fn revocation_feed(
        &self,
        tenant: &Tenant,
        key: &SigningKey,
        now: Timestamp,
    ) -> Result<Option<Arc<SignedFeed>>, GrantError> {
        let facts = self.facts(tenant).await?;
        Ok(self.feeds.get(tenant, &facts, key, now)?)
    }

    /// The key that would sign a feed or a JWT of the tenant now. `None` if the tenant has no key yet: the
    /// first token creates it.
    ///
    /// # Errors The errors of the tenant's keys, as in [`Engine::issue`].
    pub async fn existing_signing_key(
        &self,
        tenant: &Tenant,
        now: Timestamp,
    ) -> Result<Option<Arc<SigningKey>>, KeyError> {
        let key = self.existing_key(tenant, tenant.signing.algorithm.into(), now).await?;
        Ok(key.and_then(|key| key.signing().cloned()))
    }

    /// The key that would make a token now. `None` if the first token creates it.
    ///
    /// # Errors The errors of the tenant's keys, as in [`Engine::issue`].
    pub async fn existing_key(
        &self,
        tenant: &Tenant,
        wanted: KeyAlgorithm,
        now: Timestamp,
    ) -> Result<Option<TenantKey>, KeyError> {
        self.keys.existing_key(tenant, wanted, now).await
    }

    /// Waits until the tenant can issue a valid token for this client and credential, and returns
    /// that second. Usually returns immediately. If the tenant's revocations cannot be loaded, the
    /// token is issued anyway.
    ///
    /// # Errors If the wait would be too long: the tenant, the client or the credential was revoked
    /// after the client authenticated.
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

    /// Waits until the tenant can issue a valid code for this client, and returns that second.
    /// Usually returns immediately.
    ///
    /// # Errors If the wait would be too long: the tenant or the client was suspended or deleted
    /// during the request.
    pub async fn first_second_of_codes(
        &self,
        tenant: &Tenant,
        client: &Arc<Client>,
        now: Timestamp,
    ) -> Result<Timestamp, ClientAuthenticationError> {
        let Ok(facts) = self.facts_to_issue(tenant).await else { return Ok(now) };
        wait_for(facts.granted_until(client.id.as_str()), now).await.ok_or_else(|| has_ended(client))
    }

    /// Waits until a token of a person's grant is valid, and returns that second. `None` if the
    /// grant was revoked during the request.
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

    /// Whether the person has revoked the client's access since this time.
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

    /// Whether the tenant has revoked the token, its client, its credential or its grant.
    ///
    /// # Errors If the store fails.
    pub async fn has_revoked(&self, tenant: &Tenant, token: IssuedToken<'_>) -> Stored<bool> {
        Ok(self.facts(tenant).await?.revoke(token))
    }

    /// The tenant's revocations, at most a few seconds old. RFC 7009 §3: a resource server of
    /// self-contained tokens learns of revocations by "some (currently non-standardized) backend
    /// interaction". Resource servers of this platform use these facts; others use the feed.
    pub(crate) async fn facts(&self, tenant: &Tenant) -> Stored<Arc<RevocationFacts>> {
        match self.revocations.fresh_revocations(&tenant.id) {
            Some(facts) => Ok(facts),
            None => self.revocations.find_revocations(&tenant.id).await,
        }
    }

    /// The tenant's revocations for issuing a token. While the store is unavailable, the cache
    /// returns older ones.
    pub(crate) async fn facts_to_issue(&self, tenant: &Tenant) -> Stored<Arc<RevocationFacts>> {
        match self.revocations.fresh_revocations(&tenant.id) {
            Some(facts) => Ok(facts),
            None => self.revocations.find_revocations_to_issue(&tenant.id).await,
        }
    }
}

/// A client that was suspended during its request gets the same answer as a suspended client.
fn has_ended(client: &Arc<Client>) -> ClientAuthenticationError {
    ClientAuthenticationError::refused(methods::ENDED_MEANWHILE, Some(Arc::clone(client)))
}

/// Waits for the second after `until`. Returns `None` if that is more than a few seconds away,
/// which happens only if the client, the tenant, the credential or the grant has ended.
async fn wait_for(until: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    let Some(until) = until.filter(|until| now <= *until) else { return Some(now) };
    let next = until + Lifetime::from_seconds(1);
    let wait = Lifetime::from_seconds(next.seconds() - now.seconds());
    if wait > LONGEST_WAIT {
        return None;
    }
    // Boxed, because otherwise the futures of requests that need not wait would be as large.
    Box::pin(tokio::time::sleep(Duration::from_secs(wait.seconds()))).await;
    Some(next)
}
