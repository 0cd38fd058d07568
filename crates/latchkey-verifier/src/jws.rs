//! A JWS in compact form, decoded and parsed strictly; nothing is verified yet (RFC 7515 §7.1, RFC 8725 §3).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;

use crate::TokenError;
use crate::algorithm::{Algorithm, Algorithms};
use crate::check::{Check, CheckObserver, ensure};
use crate::members::Members;

/// The longest token. Those of the platform are much shorter; it bounds the work for others.
pub(crate) const LONGEST_TOKEN: usize = 16 * 1024;

/// Members by which a token would choose its own key, or that change what is signed.
pub(crate) const NOT_ALLOWED: [&str; 8] = ["jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "crit", "b64"];

/// The three parts.
pub(crate) struct Parts<'a> {
    pub(crate) header: String,
    pub(crate) claims: String,
    /// What the signature is over.
    pub(crate) signed: &'a str,
    pub(crate) signature: Vec<u8>,
}

/// Header and claims as anyone may have written them.
pub(crate) struct Unverified<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<&'a str>,
    pub(crate) typ: Option<&'a str>,
    pub(crate) issuer: Result<&'a str, TokenError>,
}

impl<'a> Parts<'a> {
    pub(crate) fn split(token: &'a str, observer: &mut impl CheckObserver) -> Result<Self, TokenError> {
        observer.check(Check::Length, ensure(token.len() <= LONGEST_TOKEN, TokenError::Malformed))?;
        Self::split_unbounded(token, observer)
    }

    /// The same of a document whose size is bounded elsewhere.
    pub(crate) fn split_unbounded(
        token: &'a str,
        observer: &mut impl CheckObserver,
    ) -> Result<Self, TokenError> {
        let parts = observer.check(Check::Parts, three(token).ok_or(TokenError::Malformed))?;
        observer.check(Check::Encoding, Self::decode(parts).ok_or(TokenError::Malformed))
    }

    fn decode((signed, header, claims, signature): (&'a str, &str, &str, &str)) -> Option<Self> {
        let decode = |part: &str| BASE64URL.decode(part).ok();
        let text = |part| String::from_utf8(decode(part)?).ok();
        Some(Self { signature: decode(signature)?, header: text(header)?, claims: text(claims)?, signed })
    }

    /// Header and claims as objects with unique names.
    pub(crate) fn members(
        &self,
        observer: &mut impl CheckObserver,
    ) -> Result<(Members<'_>, Members<'_>), TokenError> {
        let header = observer.check(Check::HeaderObject, Members::parse(&self.header))?;
        let claims = observer.check(Check::ClaimsObject, Members::parse(&self.claims))?;
        Ok((header, claims))
    }
}

/// Exactly three parts: what is signed, its header and claims, and the signature.
fn three(token: &str) -> Option<(&str, &str, &str, &str)> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    (!claims.contains('.')).then_some((signed, header, claims, signature))
}

impl<'a> Unverified<'a> {
    /// Reads what chooses the key.
    pub(crate) fn read(
        header: &'a Members<'_>,
        claims: &'a Members<'_>,
        allowed: Algorithms,
        observer: &mut impl CheckObserver,
    ) -> Result<Self, TokenError> {
        let is_allowed = NOT_ALLOWED.iter().all(|name| header.get(name).is_none());
        observer.check(Check::HeaderMembers, ensure(is_allowed, TokenError::HeaderNotAllowed))?;
        let types = || Ok((header.required("alg")?, header.text("kid")?, header.text("typ")?));
        let (alg, kid, typ) = observer.check(Check::HeaderTypes, types())?;
        // RFC 8725 §3.1: a library accepts only the algorithms that its caller allows.
        let algorithm = Algorithm::named(alg).filter(|algorithm| allowed.contains(*algorithm));
        let algorithm = observer.check(Check::Algorithm, algorithm.ok_or(TokenError::AlgorithmNotAllowed))?;
        Ok(Self { algorithm, kid, typ, issuer: claims.required("iss") })
    }
}
