//! Verifies a whole request: its token, and the proofs of the keys that the token is bound to.

use serde::de::DeserializeOwned;

use crate::check::Unobserved;
use crate::http_uri::normalized;
use crate::verifying::dpop_proof::{CheckedProof, Expected};
use crate::verifying::issuer::Waits;
use crate::verifying::refusal::Scheme;
use crate::verifying::replay::GuardUnavailable;
use crate::verifying::sender::ProvenKeys;
use crate::verifying::verifier::Unconfirmed;
use crate::{Caller, ProofError, Reason, Refusal, RequestFacts, Verifier};

impl Verifier {
    /// The caller of a request with a bearer token, a token that is bound to a DPoP key with its proof, or a
    /// token that is bound to the certificate of the connection. Waits like [`Verifier::verify`].
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn verify_request<C: DeserializeOwned>(
        &self,
        request: &RequestFacts<'_>,
    ) -> Result<Caller<C>, Refusal> {
        match request.token() {
            Ok((scheme, token)) => self.told(self.confirmed(request, scheme, token).await, scheme),
            Err(reason) => self.told(Err(reason), Scheme::Bearer),
        }
    }

    /// A proof is checked only beside a valid token, and used up only if it is of the token's key: a caller
    /// without a token causes no work.
    async fn confirmed<C: DeserializeOwned>(
        &self,
        request: &RequestFacts<'_>,
        scheme: Scheme,
        token: &str,
    ) -> Result<Caller<C>, Reason> {
        let Unconfirmed { caller, confirmation } =
            self.admit(token, scheme, Waits::Yes, &mut Unobserved).await?;
        let mut sender = ProvenKeys { dpop: None, certificate: request.certificate };
        if scheme == Scheme::Bearer || confirmation.jkt.is_none() {
            confirmation.check(scheme, &sender)?;
            return Ok(caller);
        }
        let now = self.0.environment.clock.now().unix.as_secs();
        let at = |origin| normalized(&format!("{origin}{}", request.path));
        let uris: Vec<String> = self.0.public_origins.iter().filter_map(at).collect();
        if uris.is_empty() {
            tracing::warn!(
                "a proof cannot be checked: call `public_origin` of the builder with the URL of this API"
            );
        }
        let expected = Expected { method: request.method, uris: &uris, access_token: token, now };
        let proof = CheckedProof::check(request.proof()?, &expected)?;
        sender.dpop = Some(proof.key);
        confirmation.check(scheme, &sender)?;
        let first = self.0.replay_guard.first_use(caller.issuer(), proof.id, proof.expires_at, now).await;
        match first {
            Ok(true) => Ok(caller),
            Ok(false) => Err(ProofError::Replayed.into()),
            Err(GuardUnavailable) => Err(Reason::NotReady { retry_after: std::time::Duration::from_secs(1) }),
        }
    }
}
