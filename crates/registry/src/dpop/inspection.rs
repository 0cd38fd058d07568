//! Runs the checks of a DPoP proof one by one, offline (RFC 9449 §4.3), with the functions that check a
//! request.

use latchkey_verifier::rules::{ProofJwt, normalized};
use protocol::Thumbprint;
use values::Timestamp;

use crate::DpopCheck;
use crate::dpop::proof::{DpopClaims, DpopExpectations, TYP};

#[derive(Clone, Copy, Debug, Default)]
pub struct KnownRequest<'a> {
    pub method: Option<&'a str>,
    /// The URL as clients see it.
    pub url: Option<&'a str>,
    /// The access token in the same request.
    pub access_token: Option<&'a str>,
}

impl KnownRequest<'_> {
    /// Checks a proof as if the request arrived now. Returns the key that signed it.
    ///
    /// # Errors
    /// The check that fails.
    pub fn inspect(&self, proof: &str, now: Timestamp) -> Result<Thumbprint, DpopCheck> {
        let jwt = ProofJwt::parse(proof, TYP)?;
        let claims: DpopClaims = jwt.unverified_claims().map_err(|_| DpopCheck::Claims)?;
        let uri = normalized(self.url.unwrap_or(&claims.htu));
        let uris: Vec<_> = uri.into_iter().collect();
        let expected = DpopExpectations {
            method: self.method.unwrap_or(&claims.htm),
            uris: &uris,
            access_token: self.access_token,
            nonce: None,
            restored_at: None,
            now,
        };
        claims.check(&expected)?;
        Ok(Thumbprint::new(jwt.verify()?.into_bytes()))
    }
}
