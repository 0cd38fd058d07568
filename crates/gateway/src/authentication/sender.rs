//! The proofs of a request's sender: the keys that a token is bound to. This is the only code that reads a
//! proof of any kind (RFC 9449).

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header::HeaderValue;
use grants::{AccessTokenClaims, BearerError, UnconfirmedToken};
use protocol::{ClientCertificate, PresentedToken, TokenType};
use registry::{
    AuthenticatedClient, ClientId, DpopCheck, DpopProof, DpopRequest, Proof, SenderKeys, SingleUseError,
    UnverifiedProof,
};

use super::proof_outcome::ProofOutcome;
use crate::request::TenantRequest;
use crate::respond::{DPOP_NONCE, HttpError, ResourceErrorBody};

impl<'r> TenantRequest<'r> {
    /// Reads the DPoP proof of the request, if it has one, and checks that it is for this request and recent.
    /// The check costs little and writes nothing, so the client need not have authenticated.
    ///
    /// # Errors
    /// The refusal, with a nonce if the proof needs one.
    pub(crate) fn read_proof<B: ResourceErrorBody>(
        self,
        access_token: Option<&str>,
    ) -> Result<Option<UnverifiedProof<'r>>, HttpError<B>> {
        let Self { services, tenant, raw, now } = self;
        let request = DpopRequest { method: raw.method(), path: raw.path(), access_token };
        services.tokens.dpop.read(tenant, raw.dpop_headers(), &request, now).map_err(|error| {
            self.note(ProofOutcome::from_failed_check(error));
            // RFC 9449 §8: "The authorization server includes a DPoP-Nonce HTTP header in the response
            // supplying a nonce value".
            let nonce = (error == DpopCheck::Nonce).then(|| services.tokens.dpop.nonce(&tenant.id, now));
            HttpError::from(error).with_dpop_nonce(nonce)
        })
    }

    /// Verifies the signature of a proof.
    fn verify<B: ResourceErrorBody>(self, proof: &UnverifiedProof<'_>) -> Result<DpopProof, HttpError<B>> {
        proof.verify().map_err(|error| {
            self.note(ProofOutcome::from_failed_check(error));
            error.into()
        })
    }

    /// Uses up a proof of this client, which is then accepted.
    async fn use_up<B: ResourceErrorBody>(
        self,
        client: &ClientId,
        proof: &DpopProof,
    ) -> Result<(), HttpError<B>> {
        let used = self.services.tokens.dpop.use_up(&self.tenant.id, client, proof, self.now).await;
        self.note(used.as_ref().map_or_else(ProofOutcome::of_use, |()| ProofOutcome::Accepted));
        Ok(used?)
    }

    fn note(self, outcome: ProofOutcome) {
        self.raw.log(|fields| fields.proof = Some(outcome));
    }

    /// Verifies the proof of a client, and uses it up if the client has authenticated. Any caller can send a
    /// proof in the name of a public client, so [`Self::use_up_rest`] uses that proof up after the request
    /// was accepted. A proof that was used before is refused earlier, and ends nothing.
    ///
    /// # Errors
    /// The refusal.
    pub(crate) async fn prove<B: ResourceErrorBody>(
        self,
        client: &AuthenticatedClient,
        proof: Option<UnverifiedProof<'_>>,
        certificate: Option<&Arc<ClientCertificate>>,
    ) -> Result<Proven, HttpError<B>> {
        let certificate = certificate.map(|certificate| certificate.thumbprint);
        let Some(proof) = proof else {
            return Ok(Proven { keys: SenderKeys { dpop: None, certificate }, unused: None });
        };
        let proof = self.verify(&proof)?;
        let keys = SenderKeys { dpop: Some(proof.key), certificate };
        if *client.proof() != Proof::Nothing {
            self.use_up(&client.client().id, &proof).await?;
            return Ok(Proven { keys, unused: None });
        }
        let refusal = match self.services.tokens.dpop.is_used(&self.tenant.id, &proof).await {
            Ok(false) => {
                return Ok(Proven { keys, unused: Some((client.client().id.clone(), proof)) });
            }
            Ok(true) => SingleUseError::Replayed,
            Err(error) => error.into(),
        };
        self.note(ProofOutcome::of_use(&refusal));
        Err(refusal.into())
    }

    /// Uses up the proof of a public client whose request was accepted. One of several concurrent requests
    /// with one proof gets an answer.
    ///
    /// # Errors
    /// The refusal.
    pub(crate) async fn use_up_rest<B: ResourceErrorBody>(self, proven: Proven) -> Result<(), HttpError<B>> {
        match proven.unused {
            Some((client, proof)) => self.use_up(&client, &proof).await,
            None => Ok(()),
        }
    }

    /// The claims of a valid token whose sender has proven its keys. A proof is verified only beside a valid
    /// token, and used up only if it is of the token's key, so that a caller without a token causes no write.
    ///
    /// # Errors
    /// The refusal.
    pub(crate) async fn confirm<B: ResourceErrorBody>(
        self,
        presented: &PresentedToken,
        token: UnconfirmedToken,
    ) -> Result<AccessTokenClaims<'static>, HttpError<B>> {
        let certificate = self.raw.client_certificate(self.now)?.map(|certificate| certificate.thumbprint);
        if presented.scheme == TokenType::Bearer || !token.is_dpop_bound() {
            let sender = SenderKeys { dpop: None, certificate };
            return Ok(token.confirm(presented.scheme, &sender).map_err(BearerError::from)?);
        }
        // RFC 9449 §7.1: "a resource server MUST check that a DPoP proof was also received in the DPoP header
        // field of the HTTP request, check the DPoP proof according to the rules in Section 4.3, and check
        // that the public key of the DPoP proof matches the public key to which the access token is bound".
        let proof = self.read_proof(Some(presented.expose()))?;
        let proof = self.verify(&proof.ok_or(DpopCheck::Missing)?)?;
        let sender = SenderKeys { dpop: Some(proof.key), certificate };
        let claims = token.confirm(presented.scheme, &sender).map_err(BearerError::from)?;
        let client = ClientId::parse(&claims.client_id).map_err(|error| HttpError::fault(&error))?;
        self.use_up(&client, &proof).await?;
        Ok(claims)
    }

    /// Adds a current nonce for the next request: "The authorization server MAY supply the new nonce in the
    /// same way that the initial one was supplied: by using a DPoP-Nonce HTTP header in the response" (RFC
    /// 9449 §8.2).
    pub(crate) fn supply_nonce(self, response: &mut HttpResponse) {
        let Self { services, tenant, raw, .. } = self;
        if !tenant.access_token.require_dpop_nonce || raw.dpop_headers().next().is_none() {
            return;
        }
        let nonce = services.tokens.dpop.nonce(&tenant.id, (services.clock)());
        if let Ok(nonce) = HeaderValue::try_from(nonce) {
            response.headers_mut().insert(DPOP_NONCE, nonce);
        }
    }
}

/// The keys that the sender of a request has proven.
pub(crate) struct Proven {
    pub(crate) keys: SenderKeys,
    unused: Option<(ClientId, DpopProof)>,
}
