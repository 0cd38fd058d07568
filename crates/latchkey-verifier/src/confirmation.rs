//! The keys that a token is bound to (RFC 7800 §3.1): `cnf` with `jkt` (RFC 9449 §6.1) or `x5t#S256` (RFC 8705 §3.1).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde::Deserialize;

use crate::TokenError;
use crate::members::Members;

/// The SHA-256 of a public key (RFC 7638 §3) or of a certificate (RFC 8705 §3.1). It is public, so comparing it needs no constant time.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Thumbprint([u8; 32]);

impl Thumbprint {
    /// The thumbprint with this digest.
    #[must_use]
    pub const fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The thumbprint of a certificate in DER.
    #[must_use]
    pub fn of_certificate(der: &[u8]) -> Self {
        Self::of(der)
    }

    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut digest = [0; 32];
        digest.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref());
        Self(digest)
    }

    pub(crate) const fn into_bytes(self) -> [u8; 32] {
        self.0
    }

    /// Reads base64url without padding.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        BASE64URL.decode(text).ok()?.try_into().ok().map(Self)
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64URL.encode(self.0))
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Thumbprint({self})")
    }
}

/// The keys that the sender of a token must prove. A token with two needs both proofs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Confirmation {
    pub(crate) jkt: Option<Thumbprint>,
    pub(crate) certificate: Option<Thumbprint>,
}

#[derive(Deserialize)]
struct Claim<'a> {
    #[serde(borrow)]
    cnf: Members<'a>,
}

impl Confirmation {
    /// Reads `cnf` of a token's claims. A member that is not known, and an empty `cnf`, are malformed: ignoring them would accept the token
    /// without its proof.
    pub(crate) fn read(members: &Members<'_>, claims: &str) -> Result<Self, TokenError> {
        let mut confirmation = Self::default();
        if members.get("cnf").is_none() {
            return Ok(confirmation);
        }
        let Claim { cnf } = serde_json::from_str(claims).map_err(|_| TokenError::Malformed)?;
        for name in cnf.names() {
            let key = Thumbprint::parse(cnf.required(name)?).ok_or(TokenError::Malformed)?;
            match name {
                "jkt" => confirmation.jkt = Some(key),
                "x5t#S256" => confirmation.certificate = Some(key),
                _ => return Err(TokenError::Malformed),
            }
        }
        if confirmation.is_none() { Err(TokenError::Malformed) } else { Ok(confirmation) }
    }

    /// Whether the token is a plain bearer token.
    pub(crate) const fn is_none(&self) -> bool {
        self.jkt.is_none() && self.certificate.is_none()
    }
}
