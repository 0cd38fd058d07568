//! A JWT that a client has signed, such as an assertion. This file checks the form, the header and the
//! signature. The caller checks the claims.

use latchkey_verifier::Algorithm;
use latchkey_verifier::rules::{Algorithms, Header, NOT_ALLOWED_OF_CLIENT, Parts, Unobserved};
use serde::de::DeserializeOwned;
use tenancy::same_media_type;

use crate::{PublicKeys, TokenError};

/// The maximum number of keys that are tried for one JWT. A fetched set may have more keys, but few with the
/// same `kid`.
const MOST_TRIED: usize = 10;

/// A parsed JWT in compact form whose signature is not verified yet.
pub struct SignedJwt<'a> {
    parts: Parts<'a>,
    kid: Option<String>,
    /// The algorithm in the header.
    pub algorithm: Algorithm,
    issuer: Option<String>,
    subject: Option<String>,
}

impl<'a> SignedJwt<'a> {
    /// Parses a JWT. Its `typ` must be one of `typs` or missing.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn parse(token: &'a str, typs: &[&str]) -> Result<Self, TokenError> {
        let parts = Parts::split(token, &mut Unobserved)?;
        let (header, claims) = parts.members(&mut Unobserved)?;
        let header = Header::read(&header, NOT_ALLOWED_OF_CLIENT, Algorithms::ALL, &mut Unobserved)?;
        if header.typ.is_some_and(|typ| !typs.iter().any(|known| same_media_type(typ, known))) {
            return Err(TokenError::WrongTyp);
        }
        let (kid, subject) = (header.kid.map(str::to_owned), claims.text("sub")?.map(str::to_owned));
        // If the claim has the wrong type, the caller reports it after checking the signature.
        let issuer = claims.text("iss").ok().flatten().map(str::to_owned);
        Ok(Self { kid, algorithm: header.algorithm, issuer, subject, parts })
    }

    /// The `sub` claim. Anybody may have written it.
    #[must_use]
    pub fn unverified_subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The `iss` claim. Anybody may have written it. `None` if it is not text.
    #[must_use]
    pub fn unverified_issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// The part that is signed, which is different for each JWT.
    #[must_use]
    pub fn signed_part(&self) -> &str {
        self.parts.signed
    }

    /// The claims. Anybody may have written them.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] if the claims do not have the type `C`.
    pub fn unverified_claims<C: DeserializeOwned>(&self) -> Result<C, TokenError> {
        serde_json::from_str(&self.parts.claims).map_err(|_| TokenError::Malformed)
    }

    /// Verifies the signature with the client's keys, each with its own algorithm. Returns the claims and the
    /// thumbprint of the key (RFC 7638).
    ///
    /// # Errors
    /// [`TokenError::UnknownKey`] if no key fits the header; [`TokenError::SignatureInvalid`];
    /// [`TokenError::Malformed`] if the claims do not have the type `C`.
    pub fn verify<C: DeserializeOwned>(&self, keys: &PublicKeys) -> Result<(C, String), TokenError> {
        let mut candidates = keys.candidates(self.kid.as_deref(), self.algorithm).take(MOST_TRIED).peekable();
        if candidates.peek().is_none() {
            return Err(TokenError::UnknownKey);
        }
        let message = self.parts.signed.as_bytes();
        // RFC 7523 §3: the issuer must have signed the JWT, and a JWT with an invalid signature must be
        // refused. MAC algorithms are not supported.
        let signer = candidates.find(|(_, key)| key.verifies(message, &self.parts.signature));
        let (thumbprint, _) = signer.ok_or(TokenError::SignatureInvalid)?;
        Ok((self.unverified_claims()?, thumbprint.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
    use proptest::prelude::{any, prop_assert_eq, proptest};
    use protocol::SigningAlgorithm;
    use serde_json::{Value, json};

    use super::*;
    use crate::test_keys::{numbered, random, with, without};

    fn keys(jwks: &[Value]) -> PublicKeys {
        PublicKeys::read_of_client(&json!({ "keys": jwks }).to_string()).unwrap()
    }

    fn jwk(number: u32, algorithm: SigningAlgorithm, kid: Option<&str>) -> Value {
        renamed(json!(numbered(number, algorithm).jwk), kid)
    }

    fn random_jwk(kid: Option<&str>) -> Value {
        renamed(json!(random(SigningAlgorithm::ES256).jwk), kid)
    }

    fn renamed(jwk: Value, kid: Option<&str>) -> Value {
        match kid {
            Some(kid) => with(jwk, "kid", kid.into()),
            None => without(jwk, "kid"),
        }
    }

    fn signed(algorithm: SigningAlgorithm) -> String {
        numbered(1, algorithm).sign("JWT", &json!({ "sub": "svc" })).unwrap()
    }

    fn verify(token: &str, keys: &PublicKeys) -> Result<Value, TokenError> {
        let (claims, thumbprint) = SignedJwt::parse(token, &["JWT"])?.verify(keys)?;
        assert!(keys.thumbprints().any(|known| known == thumbprint));
        Ok(claims)
    }

    // [assertions RFC 7523 §3 h]: Signed with a key of the client, by the key's algorithm; a MAC is refused
    #[test]
    fn each_algorithm_verifies_with_and_without_kid() {
        for algorithm in SigningAlgorithm::ALL {
            let token = signed(algorithm);
            assert_eq!(SignedJwt::parse(&token, &["JWT"]).unwrap().unverified_subject(), Some("svc"));
            for (kid, expected) in [
                (Some("oauth2-key-1"), Ok(json!({ "sub": "svc" }))),
                (None, Ok(json!({ "sub": "svc" }))),
                (Some("other"), Err(TokenError::UnknownKey)),
            ] {
                assert_eq!(verify(&token, &keys(&[jwk(1, algorithm, kid)])), expected, "{algorithm} {kid:?}");
            }
        }
    }

    // [assertions RFC 7523 §3 h]
    #[test]
    fn keys_without_kid_are_tried_in_turn() {
        let token = signed(SigningAlgorithm::ES256);
        let own = jwk(1, SigningAlgorithm::ES256, None);
        assert!(verify(&token, &keys(&[random_jwk(None), own])).is_ok());
        let found = |set: &[Value]| verify(&token, &keys(set));
        assert_eq!(found(&[random_jwk(None)]), Err(TokenError::SignatureInvalid));
        assert_eq!(found(&[random_jwk(Some("oauth2-key-1"))]), Err(TokenError::SignatureInvalid));
        assert_eq!(found(&[jwk(1, SigningAlgorithm::ES384, None)]), Err(TokenError::UnknownKey));
        assert_eq!(found(&[]), Err(TokenError::UnknownKey));
    }

    // [assertions RFC 7515 §4.1.7]: `x5c`, `x5t` and `x5t#S256` in the header of an assertion are ignored.
    //   `jku`, `jwk`, `x5u` and `crit` are refused: a registered key verifies it, and no other
    #[test]
    fn header_certificates_are_ignored_and_header_keys_refused() {
        let parse = |member: &str| {
            let header = format!(r#"{{"alg":"ES256","typ":"JWT","{member}":"AAAA"}}"#);
            let token = format!("{}.{}.AAAA", BASE64URL.encode(header), BASE64URL.encode(r#"{"sub":"svc"}"#));
            SignedJwt::parse(&token, &["JWT"]).map(|_| ())
        };
        for member in ["x5c", "x5t", "x5t#S256", "cty", "unknown"] {
            assert_eq!(parse(member), Ok(()), "{member}");
        }
        for member in ["jku", "jwk", "x5u", "crit", "b64"] {
            assert_eq!(parse(member), Err(TokenError::HeaderNotAllowed), "{member}");
        }
    }

    /// Each key costs a verification, and the client that publishes a key set decides how many keys it has.
    #[test]
    fn at_most_ten_keys_are_tried() {
        let token = signed(SigningAlgorithm::ES256);
        let own = jwk(1, SigningAlgorithm::ES256, None);
        for (before, expected) in [(9, true), (10, false)] {
            let mut jwks: Vec<_> = (0..before).map(|_| random_jwk(None)).collect();
            jwks.push(own.clone());
            assert_eq!(verify(&token, &keys(&jwks)).is_ok(), expected, "after {before}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(token in ".{0,200}", parts in "[A-Za-z0-9_=-]{0,60}(\\.[A-Za-z0-9_=-]{0,60}){0,4}") {
            let _ = SignedJwt::parse(&token, &["JWT"]).map(|_| ());
            let _ = SignedJwt::parse(&parts, &["JWT"]).map(|_| ());
        }

        #[test]
        fn signed_claims_are_read_unchanged(subject in any::<String>(), jti in any::<String>(), at in any::<i64>()) {
            let key = numbered(1, SigningAlgorithm::EdDSA);
            let claims = json!({ "sub": subject, "jti": jti, "exp": at, "more": { "a": [jti] } });
            let token = key.sign("JWT", &claims).unwrap();
            let jwt = SignedJwt::parse(&token, &["JWT"]).unwrap();
            prop_assert_eq!(jwt.unverified_subject(), Some(subject.as_str()));
            let keys = keys(&[jwk(1, SigningAlgorithm::EdDSA, None)]);
            prop_assert_eq!(jwt.verify::<Value>(&keys).map(|(read, _)| read), Ok(claims));
        }
    }

    #[test]
    fn other_typ_values_are_refused() {
        let is_read = |typ: &str| {
            let token = numbered(1, SigningAlgorithm::ES256).sign(typ, &json!({})).unwrap();
            SignedJwt::parse(&token, &["JWT", "client-authentication+jwt"]).is_ok()
        };
        for typ in ["JWT", "jwt", "application/JWT", "client-authentication+jwt"] {
            assert!(is_read(typ), "{typ}");
        }
        for typ in ["at+jwt", "application/", "", "dpop+jwt"] {
            assert!(!is_read(typ), "{typ}");
        }
    }
}
