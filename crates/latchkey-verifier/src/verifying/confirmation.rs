//! The keys that a token is bound to (RFC 7800 §3.1): `cnf` with `jkt` (RFC 9449 §6.1) or
//! `x5t#S256` (RFC 8705 §3.1).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde::Deserialize;

use crate::members::Members;
use crate::{Thumbprint, TokenError};

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
    /// Reads `cnf` of a token's claims. An unknown member, and an empty `cnf`, are malformed: ignoring them
    /// would accept the token without its proof.
    pub(crate) fn read(members: &Members<'_>, claims: &str) -> Result<Self, TokenError> {
        let mut confirmation = Self::default();
        if members.get("cnf").is_none() {
            return Ok(confirmation);
        }
        let Claim { cnf } = serde_json::from_str(claims).map_err(|_| TokenError::Malformed)?;
        for name in cnf.names() {
            let digest = BASE64URL.decode(cnf.required(name)?).ok().and_then(|bytes| bytes.try_into().ok());
            let key = Thumbprint::new(digest.ok_or(TokenError::Malformed)?);
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
