//! Tokens that name a person: finds the person, verifies ID token hints, and signs logout tokens.

use accounts::Account;
use keys::{KeyError, TokenError};
use registry::{ClientId, GroupsClaim};
use tenancy::{Stored, Tenant};
use uuid::Uuid;
use values::Timestamp;

use super::{Engine, GrantError};
use crate::subject::public_person;
use crate::{
    AccessTokenClaims, GrantedGroups, Grantee, IdTokenHint, NamedPerson, QueuedLogout, id_token_hint, logout,
};

impl Engine {
    /// Finds the person of a verified token. Returns `None` for a client's own token. A public
    /// subject is the account itself; a pairwise subject is decrypted for the client's sector.
    ///
    /// # Errors If the store fails. The inner [`TokenError`] if `sub` belongs to no person, for
    /// example because the client has moved to another sector.
    pub async fn person_of(
        &self,
        tenant: &Tenant,
        claims: &AccessTokenClaims<'_>,
    ) -> Stored<Result<Option<NamedPerson>, TokenError>> {
        if !claims.is_of_person() {
            return Ok(Ok(None));
        }
        let person = self.named_person(tenant, &claims.client_id, &claims.sub, claims.sid.as_deref()).await?;
        Ok(person.map(Some).ok_or(TokenError::Revoked))
    }

    /// The groups of the person of a token, if the client is granted them.
    pub async fn granted_groups(
        &self,
        tenant: &Tenant,
        token: &AccessTokenClaims<'_>,
        account: &Account,
    ) -> Stored<Option<GrantedGroups>> {
        let id = token.has_scope(GroupsClaim::SCOPE).then(|| ClientId::parse(&token.client_id).ok());
        let Some(id) = id.flatten() else { return Ok(None) };
        // Boxed as in `named_person`.
        let client = Box::pin(self.find_client(&tenant.id, &id)).await?;
        Ok(client.map(|client| GrantedGroups::new(&Grantee { tenant, client: &client }, account)))
    }

    async fn named_person(
        &self,
        tenant: &Tenant,
        client: &str,
        sub: &str,
        sid: Option<&str>,
    ) -> Stored<Option<NamedPerson>> {
        if let Some(person) = public_person(sub, sid) {
            return Ok(Some(person));
        }
        let Ok(client) = ClientId::parse(client) else { return Ok(None) };
        // Boxed, because otherwise the futures of requests with other tokens would be as large.
        let client = Box::pin(self.find_client(&tenant.id, &client)).await?;
        let of = client.as_deref().map(|client| Grantee { tenant, client });
        Ok(of.and_then(|of| self.authorizations.subjects().person(&of, sub, sid)))
    }

    /// Verifies an `id_token_hint` and finds its person.
    ///
    /// # Errors [`KeyError`] when keys or store fail. The inner [`TokenError`] when the hint is not
    /// an ID token of the tenant, or names no person.
    pub async fn id_token_hint(
        &self,
        tenant: &Tenant,
        hint: &str,
        now: Timestamp,
    ) -> Result<Result<IdTokenHint, TokenError>, KeyError> {
        let ring = self.keys.ring(tenant, now).await?;
        let kid = id_token_hint::kid(hint).unwrap_or_default();
        let verified = if ring.find(&kid, tenant.signing.skew, now).is_some() {
            id_token_hint::verify(tenant, &*ring, hint, now)
        } else {
            let kept = id_token_hint::kept(tenant);
            let removed = self.keys.hint_key(&tenant.id, &ring, &kid, kept, now).await?;
            removed
                .ok_or(TokenError::UnknownKey)
                .and_then(|key| id_token_hint::verify(tenant, &key, hint, now))
        };
        let claims = match verified {
            Ok(claims) => claims,
            Err(error) => return Ok(Err(error)),
        };
        let person = self.named_person(tenant, &claims.aud, &claims.sub, claims.sid.as_deref()).await?;
        Ok(person.map(|person| IdTokenHint::new(claims, person)).ok_or(TokenError::Revoked))
    }

    /// Signs the logout token of a notice.
    ///
    /// # Errors If the tenant's keys fail.
    pub async fn sign_logout_token(
        &self,
        grantee: &Grantee<'_>,
        queued: &QueuedLogout,
        now: Timestamp,
    ) -> Result<String, GrantError> {
        let (tenant, subjects) = (grantee.tenant, self.authorizations.subjects());
        let claims = logout::token::claims(subjects, grantee, queued, now, Uuid::new_v4());
        let key = self.keys.signing_key(tenant, now).await?;
        Ok(key.sign(logout::token::TYP, &claims)?)
    }
}
