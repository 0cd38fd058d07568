//! A JWT that a client has signed, such as an assertion: its form, its header and its signature. The caller checks the claims.

use protocol::SigningAlgorithm;
use serde::de::DeserializeOwned;
use tenancy::same_media_type;

use crate::observer::Unobserved;
use crate::parts::Parts;
use crate::verify::check_header;
use crate::{PublicKeys, TokenError};

/// A JWT in compact form, which nothing shows to be anyone's yet.
pub struct ClientJwt<'a> {
    parts: Parts<'a>,
    kid: Option<String>,
    algorithm: SigningAlgorithm,
    subject: Option<String>,
}

impl<'a> ClientJwt<'a> {
    /// Reads a JWT whose `typ` is one of these, or missing.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn parse(token: &'a str, typs: &[&str]) -> Result<Self, TokenError> {
        let parts = Parts::split(token, &mut Unobserved)?;
        let (header, claims) = parts.members(&mut Unobserved)?;
        let (header, algorithm) = check_header(&header, &mut Unobserved)?;
        if header.typ.is_some_and(|typ| !typs.iter().any(|known| same_media_type(typ, known))) {
            return Err(TokenError::WrongTyp);
        }
        let (kid, subject) = (header.kid.map(str::to_owned), claims.text("sub")?.map(str::to_owned));
        Ok(Self { kid, algorithm, subject, parts })
    }

    /// The `sub` claim, which anyone may have written.
    #[must_use]
    pub fn unverified_subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// Verifies the signature with the client's keys, each by its own algorithm, and returns the claims.
    ///
    /// # Errors
    /// [`TokenError::UnknownKey`] where no key fits the header; [`TokenError::SignatureInvalid`]; [`TokenError::Malformed`] for claims of
    /// another type.
    pub fn verify<C: DeserializeOwned>(&self, keys: &PublicKeys) -> Result<C, TokenError> {
        let mut candidates = keys.candidates(self.kid.as_deref(), self.algorithm).peekable();
        if candidates.peek().is_none() {
            return Err(TokenError::UnknownKey);
        }
        let message = self.parts.signed.as_bytes();
        if !candidates.any(|key| key.verifies(message, &self.parts.signature)) {
            return Err(TokenError::SignatureInvalid);
        }
        serde_json::from_str(&self.parts.claims).map_err(|_| TokenError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{KeyId, PrivateKeyDocument, SigningKey, test_keys};

    fn keys(jwks: &[Value]) -> PublicKeys {
        PublicKeys::read_of_client(&json!({ "keys": jwks }).to_string()).unwrap()
    }

    fn jwk(number: u32, algorithm: SigningAlgorithm, kid: Option<&str>) -> Value {
        let mut jwk = json!(test_keys::signing_key(KeyId::numbered(number), algorithm).jwk);
        match kid {
            Some(kid) => jwk["kid"] = kid.into(),
            None => drop(jwk.as_object_mut().unwrap().remove("kid")),
        }
        jwk
    }

    fn signed(algorithm: SigningAlgorithm) -> String {
        let key = test_keys::signing_key(KeyId::numbered(1), algorithm);
        key.sign("JWT", &json!({ "sub": "svc" })).unwrap()
    }

    fn verify(token: &str, keys: &PublicKeys) -> Result<Value, TokenError> {
        ClientJwt::parse(token, &["JWT"])?.verify(keys)
    }

    #[test]
    fn each_algorithm_is_verified_by_name_and_without_one() {
        for algorithm in SigningAlgorithm::ALL {
            let token = signed(algorithm);
            assert_eq!(ClientJwt::parse(&token, &["JWT"]).unwrap().unverified_subject(), Some("svc"));
            for (kid, expected) in [
                (Some("oauth2-key-1"), Ok(json!({ "sub": "svc" }))),
                (None, Ok(json!({ "sub": "svc" }))),
                (Some("other"), Err(TokenError::UnknownKey)),
            ] {
                assert_eq!(verify(&token, &keys(&[jwk(1, algorithm, kid)])), expected, "{algorithm} {kid:?}");
            }
        }
    }

    #[test]
    fn a_key_without_a_name_is_tried_after_others() {
        let token = signed(SigningAlgorithm::ES256);
        let other = |kid: Option<&str>| {
            let document = PrivateKeyDocument::generate(SigningAlgorithm::ES256).unwrap();
            let key =
                SigningKey::parse(KeyId::numbered(1), SigningAlgorithm::ES256, document.expose()).unwrap();
            let mut jwk = json!(key.jwk);
            jwk["kid"] = json!(kid);
            jwk
        };
        let own = jwk(1, SigningAlgorithm::ES256, None);
        assert!(verify(&token, &keys(&[other(None), own])).is_ok());
        assert_eq!(verify(&token, &keys(&[other(None)])), Err(TokenError::SignatureInvalid));
        assert_eq!(verify(&token, &keys(&[other(Some("oauth2-key-1"))])), Err(TokenError::SignatureInvalid));
        assert_eq!(
            verify(&token, &keys(&[jwk(1, SigningAlgorithm::ES384, None)])),
            Err(TokenError::UnknownKey)
        );
        assert_eq!(verify(&token, &keys(&[])), Err(TokenError::UnknownKey));
    }

    #[test]
    fn only_the_named_types_are_read() {
        let key = test_keys::signing_key(KeyId::numbered(1), SigningAlgorithm::ES256);
        for (typ, expected) in [
            ("JWT", true),
            ("jwt", true),
            ("application/JWT", true),
            ("client-authentication+jwt", true),
            ("at+jwt", false),
            ("application/", false),
            ("", false),
            ("dpop+jwt", false),
        ] {
            let token = key.sign(typ, &json!({})).unwrap();
            let parsed = ClientJwt::parse(&token, &["JWT", "client-authentication+jwt"]);
            assert_eq!(parsed.is_ok(), expected, "{typ}");
        }
    }
}
