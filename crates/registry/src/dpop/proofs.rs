//! Checks DPoP proofs by the rules of `dpop_proof.rs`, and remembers the used ones (RFC 9449). It writes
//! nothing before the caller has authenticated.

use std::sync::Arc;

use latchkey_verifier::rules::normalized;
use secrets::Pepper;
use tenancy::{Stored, Tenant, TenantId};
use values::Timestamp;

use crate::assertion::single_use::SingleUse;
use crate::dpop::nonces::DpopNonces;
use crate::dpop::proof::{DpopExpectations, DpopProof, DpopRequest, UnverifiedProof, only_proof, read};
use crate::{ClientId, DpopCheck, PublicUrls, ReplayStore, SingleUseError};

/// Checks the proofs of all tenants.
pub struct DpopProofs {
    used: SingleUse,
    nonces: DpopNonces,
    public_urls: PublicUrls,
}

impl DpopProofs {
    /// For a server at these URLs.
    #[must_use]
    pub fn new(guard: Arc<dyn ReplayStore>, pepper: &Pepper, public_urls: PublicUrls) -> Self {
        Self { used: SingleUse::new(guard), nonces: DpopNonces::new(pepper), public_urls }
    }

    /// Changes how many used proofs of each tenant are remembered.
    #[must_use]
    pub fn with_share(self, share: u32) -> Self {
        Self { used: self.used.with_share(share), ..self }
    }

    /// The nonce that clients of the tenant use now.
    #[must_use]
    pub fn nonce(&self, tenant: &TenantId, now: Timestamp) -> String {
        self.nonces.current(tenant, now)
    }

    /// Reads the proof from the values of the `DPoP` headers, if there is one. Checks that it is for this
    /// request at this tenant. No signature is verified, so the check costs little.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn read<'a>(
        &self,
        tenant: &Tenant,
        headers: impl Iterator<Item = &'a [u8]>,
        request: &DpopRequest<'_>,
        now: Timestamp,
    ) -> Result<Option<UnverifiedProof<'a>>, DpopCheck> {
        only_proof(headers)?.map(|proof| self.read_proof(tenant, proof, request, now)).transpose()
    }

    /// Does the same as [`Self::read`] for a request with one proof.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn read_proof<'a>(
        &self,
        tenant: &Tenant,
        proof: &'a str,
        request: &DpopRequest<'_>,
        now: Timestamp,
    ) -> Result<UnverifiedProof<'a>, DpopCheck> {
        let uris: Vec<_> = self.public_urls.at(request.path).filter_map(|url| normalized(&url)).collect();
        let accepted_until = |nonce: &str| self.nonces.accepted_until(&tenant.id, nonce, now);
        let expected = DpopExpectations::new(tenant, request, &uris, &accepted_until, now);
        read(proof, &expected)
    }

    /// Whether a proof was used, for an administrator. The call does not use up the proof.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_used(&self, tenant: &TenantId, proof: &DpopProof) -> Stored<bool> {
        self.used.is_used(tenant, &proof.identifier).await
    }

    /// Uses up a proof of this client: "HTTP requests to the same URI for which the jti value has been seen
    /// before would be declined" (RFC 9449 §11.1).
    ///
    /// # Errors
    /// [`SingleUseError`].
    pub async fn use_up(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        proof: &DpopProof,
        now: Timestamp,
    ) -> Result<(), SingleUseError> {
        self.used.use_up(tenant, client, &proof.identifier, now).await
    }
}
