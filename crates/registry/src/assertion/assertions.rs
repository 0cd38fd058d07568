//! Verifies JWTs that a client signed with its registered or fetched keys: assertions (`private_key_jwt`, RFC
//! 7523 §2.2) and request objects (RFC 9101). The rules are in `client_assertion.rs` and `request_object.rs`.

use std::sync::Arc;

use keys::{PublicKeys, SignedJwt, TokenError};
use latchkey_verifier::rules::ensure;
use protocol::AssertionKind;
use serde::de::DeserializeOwned;
use tenancy::Tenant;
use values::Timestamp;

use crate::assertion::client_assertion::{AcceptedClaims, AssertionClaims};
use crate::assertion::key_sets::KeySets;
use crate::assertion::request_object::{
    self, OpenedRequestObject, RequestObject, RequestObjectError, RequestObjectId,
};
use crate::assertion::single_use::{SingleUse, is_made_since};
use crate::federation::federated_assertion::{FederatedClaims, FederatedProof, RulesOfIssuer};
use crate::{
    AssertionCheck, Client, ClientAuthenticationError, ClientKeys, CredentialTag, FederationCheck,
    JwksFetcher, KeySource, PublicUrls, ReplayStore, SingleUseError, SingleUseIdentifier,
};

/// One public key for each algorithm. The private keys were discarded.
const KEYS_OF_NOBODY: &str = include_str!("assertions/keys_of_nobody.json");

type SignedClaims = (AssertionClaims, String);

/// A client that has authenticated with an assertion of another issuer.
pub(crate) struct Federated {
    pub(crate) client: Arc<Client>,
    pub(crate) proof: Box<FederatedProof>,
    /// The identifier that must be used up, if the rule requires single use.
    pub(crate) identifier: Option<SingleUseIdentifier>,
}

/// Verifies assertions, and refuses those that were used before.
pub struct Assertions {
    pub(crate) used: SingleUse,
    pub(crate) key_sets: Arc<KeySets>,
    public_urls: PublicUrls,
    default_tenant: Option<String>,
    /// Keys to verify assertions of clients that have no key or do not exist, so that the verification always
    /// takes the same time. Such an assertion is refused even if the signature is valid.
    pub(crate) keys_of_nobody: ClientKeys,
}

impl Assertions {
    /// Creates the service for a server with these URLs. The default tenant also has token endpoints without
    /// a tenant id.
    #[must_use]
    pub fn new(
        guard: Arc<dyn ReplayStore>,
        fetcher: Arc<dyn JwksFetcher>,
        public_urls: PublicUrls,
        default_tenant: Option<String>,
    ) -> Self {
        let (used, key_sets) = (SingleUse::new(guard), KeySets::new(fetcher));
        let keys_of_nobody = ClientKeys::from(KEYS_OF_NOBODY.to_owned());
        Self { used, key_sets, public_urls, default_tenant, keys_of_nobody }
    }

    /// Sets how many used assertions are stored for each tenant.
    #[must_use]
    pub fn with_share(self, share: u32) -> Self {
        Self { used: self.used.with_share(share), ..self }
    }

    /// Verifies an assertion of a client and returns the key that signed it. If the client has no key or must
    /// be refused for another reason, the refusal is still returned only after a signature was verified, so
    /// that its duration reveals nothing.
    pub(crate) async fn verify(
        &self,
        tenant: &Tenant,
        client: Result<Arc<Client>, ClientAuthenticationError>,
        jwt: &SignedJwt<'_>,
        now: Timestamp,
    ) -> Result<(Arc<Client>, SingleUseIdentifier, CredentialTag), ClientAuthenticationError> {
        let verified = match client.as_deref() {
            Ok(client) => self.verify_with_keys_of(client, jwt).await,
            Err(_) => Err(AssertionCheck::Key),
        };
        let (verified, no_keys) = match verified {
            Ok(verified) => (verified, None),
            Err(error) => (self.verify_as_nobody(jwt), Some(error)),
        };
        let client = client?;
        let refused = |failed: AssertionCheck| {
            ClientAuthenticationError::refused(failed.reason(), Some(Arc::clone(&client)))
        };
        if let Some(failed) = no_keys {
            return Err(refused(failed));
        }
        let is_default = self.default_tenant.as_deref() == Some(tenant.id.as_str());
        let accepted = AcceptedClaims::by(tenant, &self.public_urls, is_default);
        let (identifier, credential) = verified
            .map_err(AssertionCheck::of_signature)
            .and_then(|(claims, thumbprint)| {
                let identifier = claims.check(&client.id, &accepted, now)?;
                Ok((identifier, CredentialTag::of_key(&tenant.id, &client.id, &thumbprint)))
            })
            .map_err(refused)?;
        Ok((client, identifier, credential))
    }

    /// Verifies an assertion of another issuer with the rules of a client. If the client has no rule or must
    /// be refused for another reason, the refusal is still returned only after a signature was verified, so
    /// that its duration reveals nothing.
    pub(crate) async fn verify_federated(
        &self,
        tenant: &Tenant,
        client: Result<Arc<Client>, ClientAuthenticationError>,
        jwt: &SignedJwt<'_>,
        kind: AssertionKind,
        now: Timestamp,
    ) -> Result<Federated, ClientAuthenticationError> {
        let verified = match client.as_deref() {
            Ok(client) => self.verify_by_rules(tenant, client, jwt, kind, now).await,
            Err(_) => Err(FederationCheck::Issuer),
        };
        if let Err(FederationCheck::Issuer | FederationCheck::Algorithm | FederationCheck::KeySet) = verified
        {
            let _costs_as_much = self.verify_as_nobody(jwt);
        }
        let client = client?;
        match verified {
            Ok((proof, identifier)) => Ok(Federated { client, proof, identifier }),
            Err(failed) => Err(ClientAuthenticationError::refused(failed.reason(), Some(client))),
        }
    }

    async fn verify_by_rules(
        &self,
        tenant: &Tenant,
        client: &Client,
        jwt: &SignedJwt<'_>,
        kind: AssertionKind,
        now: Timestamp,
    ) -> Result<(Box<FederatedProof>, Option<SingleUseIdentifier>), FederationCheck> {
        let rules = RulesOfIssuer::new(client, &tenant.trusted_issuers, jwt, kind)?;
        let source = KeySource::of_issuer(&rules.issuer);
        let verify = |keys: &PublicKeys| jwt.verify::<FederatedClaims>(keys);
        let verified = self.key_sets.check_with(&tenant.id, &source, verify, needs_newer_keys).await;
        let (claims, _) = verified.ok_or(FederationCheck::KeySet)?.map_err(FederationCheck::of_signature)?;
        let accepted = rules.check(&claims, tenant.issuer.as_str(), now)?;
        claims.check_restore(accepted.rule, tenant, now)?;
        let identifier = accepted.identifier(client, jwt);
        Ok((Box::new(FederatedProof { rule: accepted.rule.clone(), copied: accepted.copied }), identifier))
    }

    /// Verifies a request object with the client's keys for assertions.
    pub(crate) async fn open_request_object(
        &self,
        tenant: &Tenant,
        client: &Client,
        object: &str,
        now: Timestamp,
    ) -> Result<OpenedRequestObject, RequestObjectError> {
        if client.keys.is_none() && client.jwks_uri.is_none() {
            return Err(RequestObjectError::NotSupported);
        }
        let jwt =
            SignedJwt::parse(object, &request_object::TYPS).map_err(|_| RequestObjectError::Malformed)?;
        let verified = self.verify_with_keys_of::<RequestObject>(client, &jwt).await;
        let (object, _) =
            verified.map_err(|_| RequestObjectError::KeysUnavailable)?.map_err(|error| match error {
                TokenError::UnknownKey | TokenError::SignatureInvalid => RequestObjectError::SignatureInvalid,
                _ => RequestObjectError::Malformed,
            })?;
        let iat = object.iat;
        let opened = object.open(client.id.as_str(), tenant.issuer.as_str(), now)?;
        let is_new = is_made_since(tenant.restored_at, iat, request_object::LONGEST_LIFE, now);
        ensure(opened.identifier.is_none() || is_new, RequestObjectError::Replayed)?;
        Ok(opened)
    }

    /// Uses up the `jti` of a request object. The same browser may use the request object again, because
    /// people reload the page or go back to it.
    pub(crate) async fn use_up_request_object(
        &self,
        client: &Client,
        RequestObjectId { jti, until }: &RequestObjectId,
        browser: Option<&str>,
        now: Timestamp,
    ) -> Result<(), SingleUseError> {
        let (tenant, id) = (&client.tenant, &client.id);
        let identifier = SingleUseIdentifier::of_request_object(&client.id, jti, *until);
        let used = self.used.use_up(tenant, id, &identifier, now).await;
        let Some(browser) = browser else { return used };
        let begun = SingleUseIdentifier::of_begun_request(&client.id, browser, jti, *until);
        match used {
            Ok(()) => self.used.use_up(tenant, id, &begun, now).await,
            Err(SingleUseError::Replayed) if self.used.is_used(tenant, &begun).await? => Ok(()),
            refused => refused,
        }
    }

    /// Verifies a JWT with the registered or published keys of a client.
    ///
    /// # Errors
    /// The reason why there are no keys.
    async fn verify_with_keys_of<C: DeserializeOwned>(
        &self,
        client: &Client,
        jwt: &SignedJwt<'_>,
    ) -> Result<Result<(C, String), TokenError>, AssertionCheck> {
        match client {
            Client { keys: Some(keys), .. } => Ok(jwt.verify(keys.keys())),
            Client { jwks_uri: Some(url), .. } => {
                let verify = |keys: &PublicKeys| jwt.verify(keys);
                let source = KeySource::of_client(url);
                let verified =
                    self.key_sets.check_with(&client.tenant, &source, verify, needs_newer_keys).await;
                verified.ok_or(AssertionCheck::KeySet)
            }
            Client { .. } => Err(AssertionCheck::Key),
        }
    }

    fn verify_as_nobody(&self, jwt: &SignedJwt<'_>) -> Result<SignedClaims, TokenError> {
        jwt.verify(self.keys_of_nobody.keys())
    }
}

fn needs_newer_keys(error: &TokenError) -> bool {
    matches!(error, TokenError::UnknownKey | TokenError::SignatureInvalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dummy_keys_cover_every_algorithm() {
        let keys = ClientKeys::parse(KEYS_OF_NOBODY).unwrap();
        let algorithms: Vec<_> = keys.keys().iter().map(|(_, algorithm)| algorithm).collect();
        assert_eq!(algorithms, protocol::SigningAlgorithm::ALL);
        assert_eq!(keys.keys().left_out, []);
    }
}
