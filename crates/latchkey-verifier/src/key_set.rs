//! The public keys of an issuer, read from its JWKS document (RFC 7517 §5). Unusable keys are left out, and
//! the others are kept.

use std::fmt;

use aws_lc_rs::signature::ParsedPublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::key_numbers::{KeyFamily, KeyNumbers};
use crate::{Algorithm, Thumbprint};

/// A set comes from another service, so it is bounded.
pub(crate) const LARGEST_SET: usize = 256 * 1024;
const MOST_KEYS: usize = 100;

/// Public keys of one issuer by their `kid`.
#[derive(Debug, Default)]
pub struct KeySet {
    keys: Vec<PublicKey>,
    /// The places, from 1 on, of the keys that were left out, and why.
    left_out: Vec<(usize, UnusableKey)>,
}

/// A parsed key with the one algorithm that it is used with (RFC 8725 §3.1).
pub struct PublicKey {
    /// Its identifier.
    pub kid: Option<String>,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The digest of its numbers (RFC 7638).
    pub thumbprint: Thumbprint,
    /// The key itself.
    pub public: ParsedPublicKey,
}

/// Why a key of a set cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnusableKey {
    /// A member is missing or of another type.
    #[error("this is no JWK")]
    NotJwk,
    /// A token could not name it.
    #[error("it has no `kid`, by which a token names its key")]
    NoKid,
    /// Two keys have the same `kid`.
    #[error("a key before it has the same `kid`")]
    Repeated,
    /// A private or a symmetric key.
    #[error("it has private members; a key set is public, so replace this key")]
    Private,
    /// `use` or `key_ops`.
    #[error("it is not for verifying signatures (`use`, `key_ops`)")]
    OtherUse,
    /// A type or curve that no algorithm here has.
    #[error("`kty` and `crv` name no kind of key that is supported")]
    OtherKind,
    /// `alg`.
    #[error("its `alg` is not supported, or does not fit the kind of key")]
    OtherAlgorithm,
    /// The numbers make no key, the coordinates have a wrong length, or an RSA key has another size than 2048
    /// to 8192 bits.
    #[error("its numbers are no public key of a supported size")]
    Malformed,
}

/// Why a document is no key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKeySet {
    /// The document is too large.
    #[error("larger than {LARGEST_SET} bytes")]
    TooLarge,
    /// The document is no key set.
    #[error("no JWKS document, which is an object with a list `keys` (RFC 7517 section 5)")]
    NotKeySet,
    /// The number of its keys.
    #[error("more than {MOST_KEYS} keys")]
    TooManyKeys,
}

#[derive(Deserialize)]
struct KeySetDocument {
    keys: Vec<Value>,
}

/// The members that count.
#[derive(Deserialize)]
struct JwkMembers {
    kid: Option<String>,
    kty: String,
    alg: Option<String>,
    #[serde(rename = "use")]
    key_use: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    d: Option<IgnoredAny>,
    k: Option<IgnoredAny>,
}

/// The keys of a JWKS document, each as its own JSON value.
///
/// # Errors
/// [`InvalidKeySet`].
pub fn documents(json: &str) -> Result<Vec<Value>, InvalidKeySet> {
    if json.len() > LARGEST_SET {
        return Err(InvalidKeySet::TooLarge);
    }
    // serde's derive also reads a struct from an array, member by member.
    let is_object = json.trim_start().starts_with('{');
    let document: Option<KeySetDocument> = serde_json::from_str(json).ok().filter(|_| is_object);
    let KeySetDocument { keys } = document.ok_or(InvalidKeySet::NotKeySet)?;
    if keys.len() > MOST_KEYS { Err(InvalidKeySet::TooManyKeys) } else { Ok(keys) }
}

impl KeySet {
    /// Reads a JWKS document.
    ///
    /// # Errors
    /// [`InvalidKeySet`] if the text is no JWKS document. An unusable key is no error.
    pub fn read(json: &str) -> Result<Self, InvalidKeySet> {
        let mut set = Self::default();
        for (number, document) in (1..).zip(documents(json)?) {
            match PublicKey::read(document, |kid| set.check_kid(kid)) {
                Ok(key) => set.keys.push(key),
                Err(why) => set.left_out.push((number, why)),
            }
        }
        Ok(set)
    }

    /// The identifiers of its usable keys.
    pub fn kids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter_map(|key| key.kid.as_deref())
    }

    /// The places, from 1 on, of the keys that were left out, and why.
    pub fn left_out(&self) -> impl Iterator<Item = (usize, UnusableKey)> {
        self.left_out.iter().copied()
    }

    /// Whether no key can be used.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(crate) fn key(&self, kid: &str) -> Option<&PublicKey> {
        self.keys.iter().find(|key| key.kid.as_deref() == Some(kid))
    }

    fn check_kid(&self, kid: Option<&str>) -> Result<(), UnusableKey> {
        let kid = kid.ok_or(UnusableKey::NoKid)?;
        if self.key(kid).is_some() { Err(UnusableKey::Repeated) } else { Ok(()) }
    }
}

impl PublicKey {
    /// Reads a JWK whose `kid` the set accepts.
    ///
    /// # Errors
    /// [`UnusableKey`].
    pub fn read(
        document: Value,
        check_kid: impl FnOnce(Option<&str>) -> Result<(), UnusableKey>,
    ) -> Result<Self, UnusableKey> {
        if !document.is_object() {
            return Err(UnusableKey::NotJwk);
        }
        let jwk: JwkMembers = serde_json::from_value(document).map_err(|_| UnusableKey::NotJwk)?;
        if jwk.d.is_some() || jwk.k.is_some() {
            return Err(UnusableKey::Private);
        }
        check_kid(jwk.kid.as_deref())?;
        let verifies = |ops: &Vec<String>| ops.iter().any(|op| op == "verify");
        let is_for_signatures = jwk.key_use.as_ref().is_none_or(|key_use| key_use == "sig");
        if !is_for_signatures || !jwk.key_ops.as_ref().is_none_or(verifies) {
            return Err(UnusableKey::OtherUse);
        }
        let kind = KeyFamily::named(&jwk.kty, jwk.crv.as_deref()).ok_or(UnusableKey::OtherKind)?;
        let algorithm = match &jwk.alg {
            None => kind.only_algorithm(),
            Some(name) => Algorithm::of_jwk(name)
                .filter(|algorithm| KeyFamily::from_algorithm(*algorithm) == kind)
                .ok_or(UnusableKey::OtherAlgorithm)?,
        };
        let number = |text: &Option<String>| BASE64URL.decode(text.as_deref()?).ok();
        let numbers = KeyNumbers::read(kind, |name| match name {
            "n" => number(&jwk.n),
            "e" => number(&jwk.e),
            "x" => number(&jwk.x),
            _ => number(&jwk.y),
        });
        let numbers = numbers.ok_or(UnusableKey::Malformed)?;
        let public = numbers.parse(algorithm).ok_or(UnusableKey::Malformed)?;
        Ok(Self { kid: jwk.kid, algorithm, thumbprint: numbers.thumbprint(kind), public })
    }

    /// Whether the signature over the message is valid by the algorithm of this key, whatever the
    /// token says (RFC 8725 §3.1).
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.public.verify_sig(message, signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?}, {})", self.kid, self.algorithm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_set_is_refused_and_its_size_is_bounded() {
        for text in ["", "{}", "[]", "[[]]", r#"{"keys":{}}"#, r#"{"keys":[]}x"#, "null"] {
            assert_eq!(KeySet::read(text).unwrap_err(), InvalidKeySet::NotKeySet, "{text}");
        }
        let many = format!(r#"{{"keys":[{}{{}}]}}"#, "{},".repeat(MOST_KEYS));
        assert_eq!(KeySet::read(&many).unwrap_err(), InvalidKeySet::TooManyKeys);
        let large = format!(r#"{{"keys":[]}}{}"#, " ".repeat(LARGEST_SET));
        assert_eq!(KeySet::read(&large).unwrap_err(), InvalidKeySet::TooLarge);
        assert!(KeySet::read(r#"{"keys":[]}"#).unwrap().is_empty());
    }
}
