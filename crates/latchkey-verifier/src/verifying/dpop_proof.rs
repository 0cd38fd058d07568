//! DPoP proofs (RFC 9449 §4.3): the claims, checked in an order that verifies no signature before everything
//! else fits.

use serde::Deserialize;

use crate::check::ensure;
use crate::http_uri::normalized;
use crate::proof_jwt::ProofJwt;
use crate::reason::ProofError;
use crate::thumbprint::Thumbprint;

/// How far `iat` may be from now.
const WINDOW: u64 = 60;

/// The expected values of a proof.
pub(crate) struct Expected<'a> {
    pub(crate) method: &'a str,
    /// The URIs of the request, in normal form.
    pub(crate) uris: &'a [String],
    pub(crate) access_token: &'a str,
    /// Seconds since 1970.
    pub(crate) now: u64,
}

/// A proof that is for its request, signed by the key of this thumbprint.
#[derive(Debug)]
pub(crate) struct CheckedProof {
    pub(crate) key: Thumbprint,
    /// The identifier of this proof, which is the same for each use of it.
    pub(crate) id: [u8; 32],
    /// It is refused anyway from this second on.
    pub(crate) expires_at: u64,
}

#[derive(Deserialize)]
struct ProofClaims {
    jti: String,
    htm: String,
    htu: String,
    iat: f64,
    ath: Option<String>,
}

impl CheckedProof {
    /// Checks a proof for a request.
    pub(crate) fn check(text: &str, expected: &Expected<'_>) -> Result<Self, ProofError> {
        let jwt = ProofJwt::parse(text, "dpop+jwt")?;
        let claims: ProofClaims = jwt.unverified_claims()?;
        let (uri, made_at) = claims.check(expected)?;
        let key = jwt.verify()?;
        // RFC 9449 §11.1: a `jti` is used once in the context of its URI. No URI has a blank.
        let id = Thumbprint::from_bytes(format!("{key} {uri} {}", claims.jti).as_bytes());
        Ok(Self { key, id: id.into_bytes(), expires_at: made_at.saturating_add(WINDOW + 1) })
    }
}

impl ProofClaims {
    /// The URI in its normal form, and the second in which the proof was made.
    fn check(&self, expected: &Expected<'_>) -> Result<(String, u64), ProofError> {
        use ProofError as E;
        ensure(!self.jti.is_empty() && self.iat.is_finite() && self.iat >= 0.0, E::Malformed)?;
        // Check 8; methods are case-sensitive (RFC 9110 §9.1).
        ensure(self.htm == expected.method, E::OtherMethod)?;
        // Check 9.
        let uri = normalized(&self.htu).filter(|uri| expected.uris.contains(uri)).ok_or(E::OtherUri)?;
        // Check 11. The fraction of a second is ignored; a number over 64 bits becomes the last second.
        let made_at = self.iat as u64;
        ensure(made_at.abs_diff(expected.now) <= WINDOW, E::OtherTime)?;
        // Check 12.
        let hash = Thumbprint::from_bytes(expected.access_token.as_bytes()).to_string();
        ensure(self.ath.as_ref() == Some(&hash), E::OtherToken)?;
        Ok((uri, made_at))
    }
}
