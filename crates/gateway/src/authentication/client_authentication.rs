//! Authenticates the client of a request, and notes method and result for log and metrics.

use std::sync::Arc;

use grants::{Engine, ResourceRequirement, UnconfirmedToken};
use protocol::{ClientAuthentication, IdAndSecret, PresentedMethod, PresentedToken, api_key_name};
use registry::{
    AuthenticatedClient, CertificateMethod, ClientAuthenticationError, FederationCheck, Proof, Purpose,
};
use tenancy::Tenant;
use values::{Secret, Timestamp};

use super::authentication_outcome::{AttemptedAuthentication, AuthenticationOutcome};
use crate::TokenServices;
use crate::connection::CertificateAuthorities;
use crate::request::{RawRequest, TenantRequest};
use crate::respond::{OAuthError, OAuthResult};

impl TenantRequest<'_> {
    pub(crate) async fn authenticate(
        self,
        credentials: ClientAuthentication,
        purpose: Purpose,
    ) -> OAuthResult<AuthenticatedClient> {
        let Self { services, tenant, raw, now } = self;
        authenticate_client(&services.tokens, (tenant, raw, now), credentials, purpose).await
    }

    /// Checks an access token or an API key against the requirement of a resource.
    pub(crate) async fn admit(
        self,
        token: &PresentedToken,
        resource: &ResourceRequirement,
    ) -> OAuthResult<UnconfirmedToken> {
        if api_key_name(token.expose()).is_none() {
            return Ok(self.services.tokens.engine.admit(self.tenant, token, resource, self.now).await?);
        }
        let client = self.authenticate_by_api_key(token).await?;
        Ok(Engine::admit_api_key(self.tenant, &client, resource)?)
    }

    /// The same limits apply as for other client authentication.
    async fn authenticate_by_api_key(self, key: &PresentedToken) -> OAuthResult<AuthenticatedClient> {
        let secret = Secret::new(key.expose().to_owned());
        let alone = ClientAuthentication::Post(IdAndSecret { client_id: String::new(), secret });
        self.authenticate(alone, Purpose::Exchange).await.map_err(OAuthError::of_token)
    }
}

pub(crate) async fn authenticate_client(
    tokens: &TokenServices,
    (tenant, raw, now): (&Tenant, &RawRequest, Timestamp),
    credentials: ClientAuthentication,
    purpose: Purpose,
) -> OAuthResult<AuthenticatedClient> {
    let certificate = raw.client_certificate(now)?;
    // A tenant's own authorities replace the authorities of the listener, which all tenants share.
    let of_tenant = certificate.zip(tenant.client_ca.as_deref()).map(|(certificate, pem)| {
        Arc::new(CertificateAuthorities::of_tenant(pem).judge_again(certificate, now))
    });
    let credentials = credentials.beside(of_tenant.as_ref().or(certificate));
    let (method, source) = (credentials.presented_method(), raw.source());
    let authenticator = &tokens.authenticator;
    note(raw, method, authenticator.authenticate(tenant, credentials, purpose, &source, now).await)
}

fn note(
    raw: &RawRequest,
    presented: PresentedMethod,
    authenticated: Result<AuthenticatedClient, ClientAuthenticationError>,
) -> OAuthResult<AuthenticatedClient> {
    let outcome = match &authenticated {
        Ok(_) => AuthenticationOutcome::Accepted,
        Err(error) if error.is_refusal() => AuthenticationOutcome::Refused,
        Err(_) => AuthenticationOutcome::Unavailable,
    };
    let method = match authenticated.as_ref().map(AuthenticatedClient::proof) {
        Ok(Proof::Certificate(method)) => method.presented(),
        // A public client may use a connection with a client certificate.
        Ok(Proof::Nothing) => PresentedMethod::None,
        Ok(Proof::Federated(_)) => PresentedMethod::FederatedJwt,
        Ok(Proof::Secret(_) | Proof::ApiKey(_) | Proof::Assertion) => presented,
        Err(error) if FederationCheck::has_refused(error) => PresentedMethod::FederatedJwt,
        Err(error) => CertificateMethod::of_refused(error).map_or(presented, CertificateMethod::presented),
    };
    raw.log(|fields| {
        fields.authentication = Some(AttemptedAuthentication { method, outcome });
        let ended = authenticated.as_ref().err().and_then(ClientAuthenticationError::proven_client);
        fields.client = ended.map(|client| client.id.clone());
    });
    let client = authenticated?;
    raw.log(|fields| {
        fields.client = Some(client.client().id.clone());
        fields.is_client_unproven = matches!(client.proof(), Proof::Nothing);
    });
    Ok(client)
}
