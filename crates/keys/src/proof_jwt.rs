//! A JWT that is signed with the key in its own header, such as a DPoP proof (RFC 9449 §4.2): its form, its header and its signature. The
//! caller checks the claims.

use aws_lc_rs::signature::ParsedPublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use protocol::{SigningAlgorithm, Thumbprint};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tenancy::same_media_type;

use crate::PublicParameters;
use crate::jose_header::NOT_ALLOWED;
use crate::jwk::without_leading_zeros;
use crate::key_kind::{KeyKind, algorithm_named};
use crate::key_pair::verification_algorithm;
use crate::observer::Unobserved;
use crate::parts::Parts;
use crate::public_keys::rsa_public_key;
use crate::unique_members::{Member, UniqueMembers};
use crate::verification_keys::VerificationKey;

/// The longest proof: one with an RSA key of 4096 bits and a long URI is half as long.
const LONGEST: usize = 8 * 1024;
/// Bits of an RSA key. Its sender chooses it, and the cost of a signature grows with it.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;
/// Members of a private or symmetric key (RFC 7518 §6.2.2, §6.3.2, §6.4.1, RFC 8037 §2).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Why such a JWT is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofJwtError {
    /// Not three parts of base64url, not JSON objects with unique names, or too long.
    #[error("it is no JWT")]
    Malformed,
    /// `typ` is another.
    #[error("its type is another")]
    OtherType,
    /// The header has a member that changes what is signed, or names a key elsewhere.
    #[error("its header has a member that is not allowed")]
    HeaderNotAllowed,
    /// `alg` is no asymmetric algorithm that is supported.
    #[error("its algorithm is not allowed")]
    AlgorithmNotAllowed,
    /// `jwk` is missing, private, of another kind than `alg`, or of a size that is not supported.
    #[error("its key cannot be used")]
    KeyNotUsable,
    /// The key did not sign this.
    #[error("its signature is not that of its key")]
    SignatureInvalid,
}

/// A JWT with its key. Nothing shows yet that the key signed it.
pub struct ProofJwt<'a> {
    parts: Parts<'a>,
    algorithm: SigningAlgorithm,
    key: ProofKey,
}

/// The numbers of a public key.
enum ProofKey {
    /// Modulus and exponent, without leading zeros.
    Rsa(Vec<u8>, Vec<u8>),
    /// The name of the curve and the uncompressed point.
    Ec(&'static str, Vec<u8>),
    Ed25519(Vec<u8>),
}

/// The header, as far as its key is concerned.
#[derive(Deserialize)]
struct HeaderWithKey<'a> {
    #[serde(borrow)]
    jwk: UniqueMembers<'a>,
}

impl<'a> ProofJwt<'a> {
    /// Reads a JWT of this `typ`. No signature is verified, so it costs little.
    ///
    /// # Errors
    /// All of [`ProofJwtError`] but the last.
    pub fn parse(token: &'a str, typ: &str) -> Result<Self, ProofJwtError> {
        use ProofJwtError as E;
        ensure(token.len() <= LONGEST, E::Malformed)?;
        let parts = Parts::split(token, &mut Unobserved).map_err(|_| E::Malformed)?;
        let (header, _) = parts.members(&mut Unobserved).map_err(|_| E::Malformed)?;
        let text = |name| header.text(name).map_err(|_| E::Malformed);
        // RFC 9449 §4.3, check 4: "The typ JOSE Header Parameter has the value dpop+jwt."
        ensure(text("typ")?.is_some_and(|found| same_media_type(found, typ)), E::OtherType)?;
        // RFC 7515 §4.1.11: "If any of the listed extension Header Parameters are not understood and supported by the recipient, then the
        // JWS is invalid."
        let is_allowed = |name: &&str| *name == "jwk" || header.get(name).is_none();
        ensure(NOT_ALLOWED.iter().all(is_allowed), E::HeaderNotAllowed)?;
        // RFC 9449 §4.3, check 5: "The alg JOSE Header Parameter indicates a registered asymmetric digital signature algorithm, is not
        // none, is supported by the application, and is acceptable per local policy." §11.6 says the same.
        let algorithm = text("alg")?.ok_or(E::Malformed)?.parse().map_err(|_| E::AlgorithmNotAllowed)?;
        let HeaderWithKey { jwk } = serde_json::from_str(&parts.header).map_err(|_| E::KeyNotUsable)?;
        let key = ProofKey::read(&jwk, algorithm).ok_or(E::KeyNotUsable)?;
        Ok(Self { algorithm, key, parts })
    }

    /// The claims, which anyone may have written.
    ///
    /// # Errors
    /// [`ProofJwtError::Malformed`] for claims of another type.
    pub fn unverified_claims<C: DeserializeOwned>(&self) -> Result<C, ProofJwtError> {
        serde_json::from_str(&self.parts.claims).map_err(|_| ProofJwtError::Malformed)
    }

    /// Verifies the signature with the key of the header, by the one algorithm of the header. Returns the thumbprint of the key (RFC 7638).
    ///
    /// # Errors
    /// [`ProofJwtError::KeyNotUsable`], [`ProofJwtError::SignatureInvalid`].
    pub fn verify(&self) -> Result<Thumbprint, ProofJwtError> {
        let (bytes, parameters) = self.key.public().ok_or(ProofJwtError::KeyNotUsable)?;
        let public = ParsedPublicKey::new(verification_algorithm(self.algorithm), &bytes);
        let public = public.map_err(|_| ProofJwtError::KeyNotUsable)?;
        let key = VerificationKey { algorithm: self.algorithm, public: &public, own: None };
        // RFC 9449 §4.3, check 6: "The JWT signature verifies with the public key contained in the jwk JOSE Header Parameter."
        let is_signed = key.verifies(self.parts.signed.as_bytes(), &self.parts.signature);
        ensure(is_signed, ProofJwtError::SignatureInvalid)?;
        Ok(parameters.thumbprint())
    }
}

impl ProofKey {
    /// The public key of a JWK that this algorithm is used with.
    fn read(jwk: &UniqueMembers<'_>, algorithm: SigningAlgorithm) -> Option<Self> {
        // RFC 9449 §4.3, check 7: "The jwk JOSE Header Parameter does not contain a private key."
        if PRIVATE.iter().any(|name| jwk.get(name).is_some()) {
            return None;
        }
        let text = |name| jwk.text(name).ok();
        let kind = KeyKind::named(text("kty")??, text("crv")?);
        let of_key = text("alg")?.is_none_or(|alg| algorithm_named(alg) == Some(algorithm));
        let is_for_signatures = text("use")?.is_none_or(|key_use| key_use == "sig");
        let verifies = match jwk.get("key_ops") {
            None => true,
            Some(Member::Texts(operations)) => operations.iter().any(|operation| operation == "verify"),
            Some(_) => false,
        };
        if kind != KeyKind::of(algorithm) || !of_key || !is_for_signatures || !verifies {
            return None;
        }
        let number = |name| BASE64URL.decode(text(name)??).ok();
        // RFC 7518 §6.2.1.2: "The length of this octet string MUST be the full size of a coordinate for the curve".
        let point = |curve, size| {
            let (x, y) = (number("x")?, number("y")?);
            (x.len() == size && y.len() == size).then(|| Self::Ec(curve, [vec![4], x, y].concat()))
        };
        match kind {
            KeyKind::Rsa => {
                let [n, e] =
                    [number("n")?, number("e")?].map(|number| without_leading_zeros(&number).to_vec());
                let bits = n.len() * 8 - n.first()?.leading_zeros() as usize;
                RSA_BITS.contains(&bits).then_some(Self::Rsa(n, e))
            }
            KeyKind::P256 => point("P-256", 32),
            KeyKind::P384 => point("P-384", 48),
            KeyKind::Ed25519 => number("x").filter(|x| x.len() == 32).map(Self::Ed25519),
            KeyKind::Other => None,
        }
    }

    /// The key in the form that the cryptographic library reads, and in that of its thumbprint.
    fn public(&self) -> Option<(Vec<u8>, PublicParameters)> {
        Some(match self {
            Self::Rsa(n, e) => (rsa_public_key(n, e)?, PublicParameters::rsa(n, e)),
            Self::Ec(curve, point) => (point.clone(), PublicParameters::ec(curve, point)?),
            Self::Ed25519(x) => (x.clone(), PublicParameters::ed25519(x)),
        })
    }
}

fn ensure(holds: bool, error: ProofJwtError) -> Result<(), ProofJwtError> {
    if holds { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::{KeyId, SigningKey, test_keys};

    const TYP: &str = "dpop+jwt";

    fn key(algorithm: SigningAlgorithm) -> SigningKey {
        test_keys::signing_key(KeyId::numbered(1), algorithm)
    }

    fn jwk(algorithm: SigningAlgorithm) -> Value {
        let jwk = json!(key(algorithm).jwk);
        let public = ["kty", "crv", "x", "y", "n", "e"];
        public.into_iter().filter_map(|name| Some((name.to_owned(), jwk.get(name)?.clone()))).collect()
    }

    fn header(algorithm: SigningAlgorithm) -> Value {
        json!({ "typ": TYP, "alg": algorithm, "jwk": jwk(algorithm) })
    }

    fn signed(header: &str, claims: &str, key: &SigningKey) -> String {
        let mut token = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(claims)).into_bytes();
        key.append_signature(&mut token).unwrap();
        String::from_utf8(token).unwrap()
    }

    fn verify(token: &str) -> Result<String, ProofJwtError> {
        let jwt = ProofJwt::parse(token, TYP)?;
        jwt.unverified_claims::<Value>()?;
        Ok(jwt.verify()?.to_string())
    }

    #[test]
    fn each_algorithm_is_verified_with_the_key_of_the_header() {
        for algorithm in SigningAlgorithm::ALL {
            let token = signed(&header(algorithm).to_string(), "{}", &key(algorithm));
            assert_eq!(verify(&token), Ok(key(algorithm).thumbprint.clone()), "{algorithm}");
            assert!(verify(&token[..token.len() - 4]).is_err(), "{algorithm}");
            let (signed_part, _) = token.rsplit_once('.').unwrap();
            let other = format!("{signed_part}.{}", BASE64URL.encode([7; 64]));
            assert_eq!(verify(&other), Err(ProofJwtError::SignatureInvalid), "{algorithm}");
        }
    }

    #[test]
    fn every_other_header_is_refused() {
        use ProofJwtError as E;
        use SigningAlgorithm::{ES256, ES384, EdDSA, RS256};
        let with = |algorithm: SigningAlgorithm, name: &str, value: Value| {
            let mut header = header(algorithm);
            if value == json!("gone") {
                header.as_object_mut().unwrap().remove(name);
            } else {
                header[name] = value;
            }
            (algorithm, header)
        };
        let jwk_with = |algorithm: SigningAlgorithm, name: &str, value: Value| {
            let mut header = header(algorithm);
            if value == json!("gone") {
                header["jwk"].as_object_mut().unwrap().remove(name);
            } else {
                header["jwk"][name] = value;
            }
            (algorithm, header)
        };
        let short = |bytes: usize| json!(BASE64URL.encode(vec![1; bytes]));
        for ((algorithm, header), expected) in [
            (with(ES256, "typ", json!("gone")), E::OtherType),
            (with(ES256, "typ", json!("JWT")), E::OtherType),
            (with(ES256, "typ", json!("at+jwt")), E::OtherType),
            (with(ES256, "typ", json!("")), E::OtherType),
            (with(ES256, "typ", json!("dpop+jwt ")), E::OtherType),
            (with(ES256, "typ", json!(7)), E::Malformed),
            (with(ES256, "typ", json!(null)), E::Malformed),
            (with(ES256, "alg", json!("gone")), E::Malformed),
            (with(ES256, "alg", json!(null)), E::Malformed),
            (with(ES256, "alg", json!("none")), E::AlgorithmNotAllowed),
            (with(ES256, "alg", json!("None")), E::AlgorithmNotAllowed),
            (with(ES256, "alg", json!("HS256")), E::AlgorithmNotAllowed),
            (with(ES256, "alg", json!("HS512")), E::AlgorithmNotAllowed),
            (with(ES256, "alg", json!("ES512")), E::AlgorithmNotAllowed),
            (with(ES256, "alg", json!("es256")), E::AlgorithmNotAllowed),
            (with(ES256, "alg", json!("RSA-OAEP")), E::AlgorithmNotAllowed),
            (with(ES256, "alg", json!("")), E::AlgorithmNotAllowed),
            (with(ES256, "alg", json!("ES384")), E::KeyNotUsable),
            (with(ES256, "alg", json!("RS256")), E::KeyNotUsable),
            (with(ES256, "alg", json!("EdDSA")), E::KeyNotUsable),
            (with(RS256, "alg", json!("PS256")), E::SignatureInvalid),
            (with(RS256, "alg", json!("RS512")), E::SignatureInvalid),
            (with(ES256, "crit", json!(["b64"])), E::HeaderNotAllowed),
            (with(ES256, "crit", json!([])), E::HeaderNotAllowed),
            (with(ES256, "b64", json!(false)), E::HeaderNotAllowed),
            (with(ES256, "jku", json!("https://a.example")), E::HeaderNotAllowed),
            (with(ES256, "x5u", json!("https://a.example")), E::HeaderNotAllowed),
            (with(ES256, "x5c", json!([])), E::HeaderNotAllowed),
            (with(ES256, "x5t", json!("a")), E::HeaderNotAllowed),
            (with(ES256, "x5t#S256", json!("a")), E::HeaderNotAllowed),
            (with(ES256, "jwk", json!("gone")), E::KeyNotUsable),
            (with(ES256, "jwk", json!(null)), E::KeyNotUsable),
            (with(ES256, "jwk", json!("a")), E::KeyNotUsable),
            (with(ES256, "jwk", json!([])), E::KeyNotUsable),
            (with(ES256, "jwk", json!({})), E::KeyNotUsable),
            (with(ES256, "jwk", json!({ "keys": [jwk(ES256)] })), E::KeyNotUsable),
            (with(ES256, "jwk", json!({ "kty": "oct", "k": "AAAA" })), E::KeyNotUsable),
            (with(ES256, "jwk", jwk(ES384)), E::KeyNotUsable),
            (with(ES256, "jwk", jwk(RS256)), E::KeyNotUsable),
            (jwk_with(ES256, "d", json!("AAAA")), E::KeyNotUsable),
            (jwk_with(EdDSA, "d", json!("AAAA")), E::KeyNotUsable),
            (jwk_with(ES256, "d", json!(null)), E::KeyNotUsable),
            (jwk_with(ES256, "k", json!("AAAA")), E::KeyNotUsable),
            (jwk_with(RS256, "d", json!("AAAA")), E::KeyNotUsable),
            (jwk_with(RS256, "p", json!("AAAA")), E::KeyNotUsable),
            (jwk_with(RS256, "q", json!("AAAA")), E::KeyNotUsable),
            (jwk_with(RS256, "dp", json!("AAAA")), E::KeyNotUsable),
            (jwk_with(RS256, "dq", json!("AAAA")), E::KeyNotUsable),
            (jwk_with(RS256, "qi", json!("AAAA")), E::KeyNotUsable),
            (jwk_with(RS256, "oth", json!([])), E::KeyNotUsable),
            (jwk_with(ES256, "kty", json!("gone")), E::KeyNotUsable),
            (jwk_with(ES256, "kty", json!("RSA")), E::KeyNotUsable),
            (jwk_with(ES256, "kty", json!(7)), E::KeyNotUsable),
            (jwk_with(ES256, "crv", json!("gone")), E::KeyNotUsable),
            (jwk_with(ES256, "crv", json!("P-521")), E::KeyNotUsable),
            (jwk_with(ES256, "crv", json!("secp256k1")), E::KeyNotUsable),
            (jwk_with(ES256, "x", json!("gone")), E::KeyNotUsable),
            (jwk_with(ES256, "y", json!("gone")), E::KeyNotUsable),
            (jwk_with(ES256, "x", short(31)), E::KeyNotUsable),
            (jwk_with(ES256, "x", short(33)), E::KeyNotUsable),
            (jwk_with(ES256, "x", json!("*")), E::KeyNotUsable),
            (jwk_with(ES256, "x", json!("")), E::KeyNotUsable),
            (jwk_with(ES256, "x", short(32)), E::KeyNotUsable),
            (jwk_with(EdDSA, "x", short(31)), E::KeyNotUsable),
            (jwk_with(EdDSA, "crv", json!("Ed448")), E::KeyNotUsable),
            (jwk_with(EdDSA, "crv", json!("X25519")), E::KeyNotUsable),
            (jwk_with(RS256, "n", short(128)), E::KeyNotUsable),
            (jwk_with(RS256, "n", short(255)), E::KeyNotUsable),
            (jwk_with(RS256, "n", short(1024)), E::KeyNotUsable),
            (jwk_with(RS256, "n", json!("")), E::KeyNotUsable),
            (jwk_with(RS256, "n", json!("gone")), E::KeyNotUsable),
            (jwk_with(RS256, "e", json!("")), E::KeyNotUsable),
            (jwk_with(RS256, "e", json!("gone")), E::KeyNotUsable),
            (jwk_with(RS256, "e", json!("AA")), E::KeyNotUsable),
            (jwk_with(ES256, "use", json!("enc")), E::KeyNotUsable),
            (jwk_with(ES256, "use", json!(7)), E::KeyNotUsable),
            (jwk_with(ES256, "key_ops", json!(["sign"])), E::KeyNotUsable),
            (jwk_with(ES256, "key_ops", json!([])), E::KeyNotUsable),
            (jwk_with(ES256, "key_ops", json!("verify")), E::KeyNotUsable),
            (jwk_with(ES256, "alg", json!("ES384")), E::KeyNotUsable),
            (jwk_with(ES256, "alg", json!("ECDH-ES")), E::KeyNotUsable),
            (jwk_with(ES256, "alg", json!(7)), E::KeyNotUsable),
        ] {
            let token = signed(&header.to_string(), "{}", &key(algorithm));
            assert_eq!(verify(&token), Err(expected), "{header}");
        }
        for (algorithm, header) in [
            with(ES256, "typ", json!("DPoP+JWT")),
            with(ES256, "typ", json!("application/dpop+jwt")),
            with(ES256, "kid", json!("any")),
            with(ES256, "unknown", json!({ "a": [] })),
            jwk_with(ES256, "use", json!("sig")),
            jwk_with(ES256, "key_ops", json!(["verify"])),
            jwk_with(ES256, "alg", json!("ES256")),
            jwk_with(EdDSA, "alg", json!("Ed25519")),
            jwk_with(ES256, "kid", json!("any")),
            jwk_with(ES256, "ext", json!(true)),
        ] {
            let token = signed(&header.to_string(), "{}", &key(algorithm));
            assert_eq!(verify(&token), Ok(key(algorithm).thumbprint.clone()), "{header}");
        }
    }

    #[test]
    fn what_is_no_jwt_with_unique_names_is_malformed() {
        let key = key(SigningAlgorithm::ES256);
        let header = header(SigningAlgorithm::ES256).to_string();
        let good = signed(&header, "{}", &key);
        let twice = header.replacen('{', "{\"alg\":\"ES256\",", 1);
        let twice_in_key = header.replacen("\"jwk\":{", "\"jwk\":{\"kty\":\"EC\",", 1);
        let (part, _) = good.rsplit_once('.').unwrap();
        for token in [
            String::new(),
            ".".to_owned(),
            "..".to_owned(),
            "a.b.c".to_owned(),
            part.to_owned(),
            format!("{good}.{good}"),
            format!("{good}.a"),
            format!("{good}="),
            format!(" {good}"),
            format!("{good}, {good}"),
            format!("{good}{}", "A".repeat(LONGEST)),
            signed(&twice, "{}", &key),
            signed("[]", "{}", &key),
            signed("", "{}", &key),
            signed(&header, "", &key),
            signed(&header, "[]", &key),
            signed(&header, "{\"a\":1,\"a\":2}", &key),
            signed(&header, "{}x", &key),
        ] {
            assert_eq!(verify(&token), Err(ProofJwtError::Malformed), "{token}");
        }
        assert_eq!(verify(&signed(&twice_in_key, "{}", &key)), Err(ProofJwtError::KeyNotUsable));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(token in "[A-Za-z0-9_.-]{0,120}|.{0,60}", header in ".{0,60}", jwk in ".{0,40}") {
            prop_assert!(verify(&token).is_err());
            let header = format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{jwk},"x":{header}}}"#);
            let token = format!("{}.e30.AAAA", BASE64URL.encode(header));
            prop_assert!(verify(&token).is_err());
        }
    }
}
