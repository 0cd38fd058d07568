//! The public keys of an issuer, read from its JWKS document (RFC 7517 §5). Unusable keys are left out, and
//! the others are kept.

use std::fmt;

use aws_lc_rs::signature::ParsedPublicKey;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use serde::Deserialize;
use serde_json::Value;

use crate::key_numbers::{KeyFamily, KeyNumbers};
use crate::{Algorithm, Thumbprint};

/// A set comes from another service, so it is bounded.
pub(crate) const LARGEST_SET: usize = 256 * 1024;
const MOST_KEYS: usize = 100;
/// The members of a key that are read, besides `key_ops`. All of them are strings.
const STRINGS: [&str; 9] = ["kty", "kid", "use", "alg", "crv", "n", "e", "x", "y"];
const NUMBERS: [&str; 4] = ["n", "e", "x", "y"];

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
        let Jwk { common, algorithm: parameters } = read_jwk(document)?;
        check_kid(common.key_id.as_deref())?;
        let is_for_signatures = matches!(common.public_key_use, None | Some(PublicKeyUse::Signature));
        let verifies = |operations: &Vec<_>| operations.contains(&KeyOperations::Verify);
        if !is_for_signatures || !common.key_operations.as_ref().is_none_or(verifies) {
            return Err(UnusableKey::OtherUse);
        }
        let (kind, numbers) = kind_and_numbers(&parameters).ok_or(UnusableKey::OtherKind)?;
        let algorithm = match common.key_algorithm {
            None => kind.only_algorithm(),
            Some(named) => Algorithm::of_jwk(named)
                .filter(|algorithm| KeyFamily::from_algorithm(*algorithm) == kind)
                .ok_or(UnusableKey::OtherAlgorithm)?,
        };
        let numbers = KeyNumbers::read(kind, numbers).ok_or(UnusableKey::Malformed)?;
        let public = numbers.parse(algorithm).ok_or(UnusableKey::Malformed)?;
        Ok(Self { kid: common.key_id, algorithm, thumbprint: numbers.thumbprint(kind), public })
    }

    /// Whether the signature over the message is valid by the algorithm of this key, whatever the
    /// token says (RFC 8725 §3.1).
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.public.verify_sig(message, signature).is_ok()
    }
}

/// Reads a public JWK with jsonwebtoken. Its reader differs from the rules here, so it gets only the members
/// that are read, and after these checks:
/// - It accepts private keys and drops `d`. They are refused.
/// - It accepts `{"EC": null}` in place of `"EC"` and skips a mistyped member of another kind of key. Each
///   member must have its type.
/// - It reads a key without `y` as a key of an unknown kind. A missing number is an empty one, so that such a
///   key counts as malformed.
/// - It refuses a whole key for a mistyped `x5c`, which nothing here reads.
/// - It does not know the algorithm `Ed25519` (RFC 9864 §2.2), which is EdDSA with this one curve.
fn read_jwk(document: Value) -> Result<Jwk, UnusableKey> {
    let Value::Object(mut members) = document else { return Err(UnusableKey::NotJwk) };
    members.retain(|_, value| !value.is_null());
    let is_private = members.contains_key("d") || members.contains_key("k");
    members.retain(|name, _| name == "key_ops" || STRINGS.contains(&name.as_str()));
    let is_typed = members.iter().all(|(name, value)| name == "key_ops" || value.is_string());
    if !is_typed || !members.contains_key("kty") {
        return Err(UnusableKey::NotJwk);
    }
    for name in NUMBERS {
        members.entry(name).or_insert_with(|| "".into());
    }
    if let Some(algorithm) = members.get_mut("alg").filter(|algorithm| *algorithm == "Ed25519") {
        *algorithm = "EdDSA".into();
    }
    let jwk = serde_json::from_value(Value::Object(members)).map_err(|_| UnusableKey::NotJwk)?;
    if is_private { Err(UnusableKey::Private) } else { Ok(jwk) }
}

/// The kind of the key, and its two numbers in base64url.
fn kind_and_numbers(parameters: &AlgorithmParameters) -> Option<(KeyFamily, [&str; 2])> {
    match parameters {
        AlgorithmParameters::RSA(key) => Some((KeyFamily::Rsa, [&key.n, &key.e])),
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => Some((KeyFamily::P256, [&key.x, &key.y])),
            EllipticCurve::P384 => Some((KeyFamily::P384, [&key.x, &key.y])),
            _ => None,
        },
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            Some((KeyFamily::Ed25519, [&key.x, ""]))
        }
        _ => None,
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?}, {})", self.kid, self.algorithm)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn malformed_and_oversized_key_sets_are_refused() {
        for text in ["", "{}", "[]", "[[]]", r#"{"keys":{}}"#, r#"{"keys":[]}x"#, "null"] {
            assert_eq!(KeySet::read(text).unwrap_err(), InvalidKeySet::NotKeySet, "{text}");
        }
        let many = format!(r#"{{"keys":[{}{{}}]}}"#, "{},".repeat(MOST_KEYS));
        assert_eq!(KeySet::read(&many).unwrap_err(), InvalidKeySet::TooManyKeys);
        let large = format!(r#"{{"keys":[]}}{}"#, " ".repeat(LARGEST_SET));
        assert_eq!(KeySet::read(&large).unwrap_err(), InvalidKeySet::TooLarge);
        assert!(KeySet::read(r#"{"keys":[]}"#).unwrap().is_empty());
    }

    #[test]
    fn jwk_is_read_by_our_rules_where_jsonwebtoken_differs() {
        use UnusableKey as Why;
        // The key of RFC 8037 §A.2.
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        for (changes, expected) in [
            (json!({}), Ok(Algorithm::EdDSA)),
            (json!({"alg": "Ed25519"}), Ok(Algorithm::EdDSA)),
            (json!({"alg": null, "use": null, "key_ops": null, "d": null}), Ok(Algorithm::EdDSA)),
            (json!({"x5c": 7, "x5t": {}, "x5u": []}), Ok(Algorithm::EdDSA)),
            (json!({"kty": {"OKP": null}}), Err(Why::NotJwk)),
            (json!({"crv": {"Ed25519": null}}), Err(Why::NotJwk)),
            (json!({"alg": {"EdDSA": null}}), Err(Why::NotJwk)),
            (json!({"kty": null}), Err(Why::NotJwk)),
            (json!({"n": 7}), Err(Why::NotJwk)),
            (json!({"x": 7, "d": "AAAA"}), Err(Why::NotJwk)),
            (json!({"key_ops": ["verify", 7]}), Err(Why::NotJwk)),
            (json!({"d": 7}), Err(Why::Private)),
            (json!({"kty": "oct", "k": 7}), Err(Why::Private)),
            (json!({"kty": "oct"}), Err(Why::OtherKind)),
            (json!({"kty": "EC"}), Err(Why::OtherKind)),
            (json!({"crv": "P-256"}), Err(Why::OtherKind)),
            (json!({"crv": null}), Err(Why::OtherKind)),
            (json!({"key_ops": []}), Err(Why::OtherUse)),
            (json!({"alg": "UNKNOWN_ALGORITHM"}), Err(Why::OtherAlgorithm)),
            (json!({"alg": "Ed25519", "kty": "RSA", "n": "AQAB", "e": "AQAB"}), Err(Why::OtherAlgorithm)),
            (json!({"alg": "PS512", "kty": "RSA", "n": "AQAB", "e": "AQAB"}), Err(Why::OtherAlgorithm)),
            (json!({"x": null}), Err(Why::Malformed)),
            (json!({"kty": "EC", "crv": "P-256"}), Err(Why::Malformed)),
            (json!({"kty": "RSA"}), Err(Why::Malformed)),
        ] {
            let mut jwk = json!({"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": x});
            jwk.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            let found = PublicKey::read(jwk, |_| Ok(())).map(|key| key.algorithm);
            assert_eq!(found, expected, "{changes}");
        }
    }
}
