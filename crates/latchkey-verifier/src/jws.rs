//! A JWS in compact form, decoded and parsed strictly; nothing is verified yet (RFC 7515 §7.1, RFC 8725 §3).

use base64::Engine as _;

use crate::TokenError;
use crate::algorithm::{Algorithm, Algorithms};
use crate::base64url::BASE64URL;
use crate::check::{Check, CheckObserver, ensure};
use crate::members::Members;

/// The longest token. Those of the platform are much shorter. The limit bounds the work for texts of other
/// senders.
pub const LONGEST_TOKEN: usize = 16 * 1024;

/// Members that would let a token choose its own key, or that change the signed bytes. `x5t` names a
/// certificate, and this verifier has none.
pub const NOT_ALLOWED: [&str; 8] = ["jku", "jwk", "x5u", "crit", "b64", "x5c", "x5t", "x5t#S256"];

/// The members that a client with registered keys may not send either. Libraries add their certificate or
/// its name; "use of this Header Parameter is OPTIONAL" (RFC 7515 §4.1.6, §4.1.7), and it chooses no key
/// here.
pub const NOT_ALLOWED_OF_CLIENT: &[&str] = NOT_ALLOWED.split_at(5).0;

/// The three parts.
pub struct Parts<'a> {
    /// The first part as text.
    pub header: String,
    /// The second part as text.
    pub claims: String,
    /// The signed bytes.
    pub signed: &'a str,
    /// The third part.
    pub signature: Vec<u8>,
}

/// The members of a header that verification needs. Anyone may have written them.
#[derive(Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// `alg`.
    pub algorithm: Algorithm,
    /// `kid`.
    pub kid: Option<&'a str>,
    /// `typ`.
    pub typ: Option<&'a str>,
}

impl<'a> Parts<'a> {
    /// Splits a token and decodes its parts.
    ///
    /// # Errors
    /// [`TokenError::Malformed`].
    pub fn split(token: &'a str, observer: &mut impl CheckObserver) -> Result<Self, TokenError> {
        observer.check(Check::Length, ensure(token.len() <= LONGEST_TOKEN, TokenError::Malformed))?;
        Self::split_unbounded(token, observer)
    }

    /// Splits a document whose size is bounded elsewhere.
    ///
    /// # Errors
    /// [`TokenError::Malformed`].
    pub fn split_unbounded(token: &'a str, observer: &mut impl CheckObserver) -> Result<Self, TokenError> {
        let parts = observer.check(Check::Parts, three(token).ok_or(TokenError::Malformed))?;
        observer.check(Check::Encoding, Self::decode(parts).ok_or(TokenError::Malformed))
    }

    fn decode((signed, header, claims, signature): (&'a str, &str, &str, &str)) -> Option<Self> {
        let decode = |part: &str| BASE64URL.decode(part).ok();
        let text = |part| String::from_utf8(decode(part)?).ok();
        Some(Self { signature: decode(signature)?, header: text(header)?, claims: text(claims)?, signed })
    }

    /// Header and claims as objects with unique names.
    ///
    /// # Errors
    /// [`TokenError::Malformed`].
    pub fn members(
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

impl<'a> Header<'a> {
    /// Reads a header that has none of these members, and one of these algorithms.
    ///
    /// # Errors
    /// The first [`TokenError`] in the order of the checks.
    pub fn read(
        members: &'a Members<'_>,
        not_allowed: &[&str],
        allowed: Algorithms,
        observer: &mut impl CheckObserver,
    ) -> Result<Self, TokenError> {
        let is_allowed = not_allowed.iter().all(|name| members.get(name).is_none());
        observer.check(Check::HeaderMembers, ensure(is_allowed, TokenError::HeaderNotAllowed))?;
        let types = || Ok((members.required("alg")?, members.text("kid")?, members.text("typ")?));
        let (alg, kid, typ) = observer.check(Check::HeaderTypes, types())?;
        // RFC 8725 §3.1: a library accepts only the algorithms that its caller allows.
        let algorithm = Algorithm::named(alg).filter(|algorithm| allowed.contains(*algorithm));
        let algorithm = observer.check(Check::Algorithm, algorithm.ok_or(TokenError::AlgorithmNotAllowed))?;
        Ok(Self { algorithm, kid, typ })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Unobserved;

    #[test]
    fn forbidden_header_members_are_refused_with_any_value() {
        let read = |member: &str| {
            let json = format!(r#"{{"alg":"RS256",{member}}}"#);
            let members = Members::parse(&json)?;
            Header::read(&members, &NOT_ALLOWED, Algorithms::ALL, &mut Unobserved)
                .map(|header| header.algorithm)
        };
        for name in NOT_ALLOWED.into_iter().chain([r"\u006aku"]) {
            for value in ["\"x\"", "null", "{}", "[]"] {
                let found = read(&format!("\"{name}\":{value}"));
                assert_eq!(found, Err(TokenError::HeaderNotAllowed), "{name}: {value}");
            }
        }
        assert_eq!(read(r#""y":[{}]"#), Ok(Algorithm::RS256));
    }
}
