//! The tokens that name a person: finds the person, checks the hints that clients send back, and writes the
//! notices of a sign-out.

use keys::{KeyError, TokenError};
use registry::ClientId;
use tenancy::{Stored, Tenant};
use uuid::Uuid;
use values::Timestamp;

use super::{Engine, GrantError};
use crate::subject::public_person;
use crate::{AccessTokenClaims, Grantee, IdTokenHint, NamedPerson, QueuedLogout, id_token_hint, logout};

impl Engine {
    /// Finds the person of a valid token. Returns `None` for a client's own token. With public subjects the
    /// token names the account; with pairwise ones the client's sector is needed.
    ///
    /// # Errors
    /// When the store fails; the inner [`TokenError`] when its names are of no person, such as those of a
    /// sector that its client has left.
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
        // Boxed, because the futures of requests for other tokens would be as large.
        let client = Box::pin(self.find_client(&tenant.id, &client)).await?;
        let of = client.as_deref().map(|client| Grantee { tenant, client });
        Ok(of.and_then(|of| self.authorizations.subjects().person(&of, sub, sid)))
    }

    /// Finds the person who signed in, by an ID token that a client sends as a hint.
    ///
    /// # Errors
    /// [`KeyError`] when keys or store fail; the inner [`TokenError`] when it is not an ID token of the
    /// tenant, or of no person.
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

    /// Signs the logout token of a notice to this client.
    ///
    /// # Errors
    /// When the tenant's keys fail.
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
