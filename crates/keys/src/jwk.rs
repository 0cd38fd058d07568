//! Public keys as verifiers fetch them (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2). The members have the order of
//! the documented examples.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use protocol::{SigningAlgorithm, Thumbprint};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::KeyId;

/// A JSON Web Key without private members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublicJwk {
    kty: &'static str,
    #[serde(rename = "use")]
    public_key_use: &'static str,
    #[serde(serialize_with = "display")]
    pub kid: KeyId,
    #[serde(flatten)]
    pub parameters: PublicParameters,
    #[serde(serialize_with = "display")]
    pub alg: SigningAlgorithm,
}

/// The members that depend on the key type. Numbers and coordinates are base64url.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum PublicParameters {
    /// RSA: "Base64urlUInt-encoded", so without leading zeros (RFC 7518 §6.3.1).
    Rsa { n: String, e: String },
    /// "The length of this octet string MUST be the full size of a coordinate for the
    /// curve" (RFC 7518 §6.2.1.2).
    Ec { crv: &'static str, x: String, y: String },
    /// An octet key pair, such as Ed25519 (RFC 8037 §2).
    Okp { crv: &'static str, x: String },
}

impl PublicJwk {
    pub(crate) fn new(kid: KeyId, alg: SigningAlgorithm, parameters: PublicParameters) -> Self {
        Self { kty: parameters.kty(), public_key_use: "sig", kid, parameters, alg }
    }

    /// SHA-256 over the required members in lexicographic order without whitespace (RFC 7638 §3).
    #[must_use]
    pub fn thumbprint(&self) -> String {
        self.parameters.thumbprint().to_string()
    }
}

/// The thumbprint of a key in another issuer's JWK set (RFC 7638 §3). `None` if a required member is missing
/// or is not text.
#[must_use]
pub fn jwk_thumbprint(jwk: &Value) -> Option<String> {
    let required: &[&str] = match jwk["kty"].as_str()? {
        "RSA" => &["e", "kty", "n"],
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        _ => return None,
    };
    let member = |name: &&'static str| Some((*name, jwk[*name].as_str()?));
    let canonical: BTreeMap<_, _> = required.iter().map(member).collect::<Option<_>>()?;
    Some(BASE64URL.encode(digest(&SHA256, serde_json::to_string(&canonical).ok()?.as_bytes())))
}

impl PublicParameters {
    const fn kty(&self) -> &'static str {
        match self {
            Self::Rsa { .. } => "RSA",
            Self::Ec { .. } => "EC",
            Self::Okp { .. } => "OKP",
        }
    }

    /// The required members in lexicographic order without whitespace (RFC 7638 §3).
    #[must_use]
    pub fn required_members(&self) -> String {
        let kty = self.kty();
        match self {
            Self::Rsa { n, e } => format!(r#"{{"e":"{e}","kty":"{kty}","n":"{n}"}}"#),
            Self::Ec { crv, x, y } => format!(r#"{{"crv":"{crv}","kty":"{kty}","x":"{x}","y":"{y}"}}"#),
            Self::Okp { crv, x } => format!(r#"{{"crv":"{crv}","kty":"{kty}","x":"{x}"}}"#),
        }
    }

    /// SHA-256 of [`Self::required_members`].
    pub(crate) fn thumbprint(&self) -> Thumbprint {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, self.required_members().as_bytes()).as_ref());
        Thumbprint::new(bytes)
    }

    /// Modulus and exponent are big-endian.
    pub(crate) fn rsa(modulus: &[u8], exponent: &[u8]) -> Self {
        let [n, e] = [modulus, exponent].map(|number| BASE64URL.encode(without_leading_zeros(number)));
        Self::Rsa { n, e }
    }

    /// Takes an uncompressed point (SEC 1 §2.3.3): `04`, then both coordinates at full size. Splitting the
    /// point in the middle keeps leading zeros.
    pub(crate) fn ec(crv: &'static str, point: &[u8]) -> Option<Self> {
        let coordinates = point.strip_prefix(&[4]).filter(|bytes| bytes.len().is_multiple_of(2))?;
        let (x, y) = coordinates.split_at(coordinates.len() / 2);
        Some(Self::Ec { crv, x: BASE64URL.encode(x), y: BASE64URL.encode(y) })
    }

    pub(crate) fn ed25519(public_key: &[u8]) -> Self {
        Self::Okp { crv: "Ed25519", x: BASE64URL.encode(public_key) }
    }
}

pub(crate) fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

fn display<S: Serializer>(value: &impl std::fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_keys;

    const ID: KeyId = KeyId::numbered(1);

    fn json(jwk: &PublicJwk) -> String {
        serde_json::to_string(jwk).unwrap()
    }

    // [keys RFC 7517 §4]: A key has `kty`; here also `use`, `kid` and `alg`, and nothing private
    // [keys RFC 7518 §6.3.1]: RSA numbers have no leading zeros
    #[test]
    fn members_are_in_documented_order() {
        let rsa =
            PublicJwk::new(ID, SigningAlgorithm::RS256, PublicParameters::rsa(&[0, 255, 1], &[1, 0, 1]));
        let expected = r#"{"kty":"RSA","use":"sig","kid":"oauth2-key-1","n":"_wE","e":"AQAB","alg":"RS256"}"#;
        assert_eq!(json(&rsa), expected);
        let point = [&[4], [0; 32].as_slice(), [255; 32].as_slice()].concat();
        let ec = PublicJwk::new(ID, SigningAlgorithm::ES256, PublicParameters::ec("P-256", &point).unwrap());
        let (x, y) = (BASE64URL.encode([0; 32]), BASE64URL.encode([255; 32]));
        let expected = format!(
            r#"{{"kty":"EC","use":"sig","kid":"oauth2-key-1","crv":"P-256","x":"{x}","y":"{y}","alg":"ES256"}}"#
        );
        assert_eq!(json(&ec), expected);
        let okp = PublicJwk::new(ID, SigningAlgorithm::EdDSA, PublicParameters::ed25519(&[1, 2, 3]));
        let expected =
            r#"{"kty":"OKP","use":"sig","kid":"oauth2-key-1","crv":"Ed25519","x":"AQID","alg":"EdDSA"}"#;
        assert_eq!(json(&okp), expected);
    }

    // [keys RFC 7638 §3]: The thumbprint is SHA-256 over the required members, in order, without blanks
    // [V11 11.4.1]
    #[test]
    fn thumbprint_matches_rfc_example() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZC\
                 iFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgn\
                 Yb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw\
                 0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let numbers = PublicParameters::rsa(&BASE64URL.decode(n).unwrap(), &[1, 0, 1]);
        let jwk = PublicJwk::new(ID, SigningAlgorithm::RS256, numbers);
        assert_eq!(jwk.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    // [keys RFC 7518 §6.2.1.2, §6.2.1.3]: EC coordinates have the full size of the curve, leading zeros
    //   included
    #[test]
    fn generated_ec_keys_have_padded_coordinates() {
        for (algorithm, encoded_len) in [(SigningAlgorithm::ES256, 43), (SigningAlgorithm::ES384, 64)] {
            // One coordinate in 256 begins with a zero byte, which a shorter encoding would omit.
            let mut begin_with_zero = 0;
            while begin_with_zero < 3 {
                let key = test_keys::random(algorithm);
                let PublicParameters::Ec { x, y, .. } = &key.jwk.parameters else { panic!("{key:?}") };
                assert_eq!((x.len(), y.len()), (encoded_len, encoded_len));
                let bytes = [x, y].map(|coordinate| BASE64URL.decode(coordinate).unwrap()[0]);
                begin_with_zero += usize::from(bytes.contains(&0));
            }
        }
    }

    // [keys RFC 7517 §4], [keys RFC 7638 §3]
    #[test]
    fn independent_reader_finds_the_same_thumbprint() {
        for algorithm in SigningAlgorithm::ALL {
            let key = test_keys::signing_key(ID, algorithm);
            let foreign: jsonwebtoken::jwk::Jwk = serde_json::from_str(&json(&key.jwk)).unwrap();
            assert!(foreign.is_supported(), "{algorithm}");
            assert_eq!(foreign.common.key_id.as_deref(), Some("oauth2-key-1"));
            assert_eq!(foreign.common.key_algorithm.unwrap().to_string(), algorithm.as_str());
            let thumbprint = foreign.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256).unwrap();
            assert_eq!(thumbprint, key.thumbprint, "{algorithm}");
            assert_eq!(jwk_thumbprint(&serde_json::json!(key.jwk)), Some(thumbprint.clone()), "{algorithm}");
            let members = serde_json::from_str(&key.jwk.parameters.required_members()).unwrap();
            assert_eq!(jwk_thumbprint(&members), Some(thumbprint), "{algorithm}");
        }
    }

    // [keys RFC 7518 §6.3.1]
    #[test]
    fn another_library_reads_the_same_rsa_numbers() {
        use rsa::pkcs8::DecodePrivateKey as _;
        use rsa::traits::PublicKeyParts as _;
        let foreign = rsa::RsaPrivateKey::from_pkcs8_pem(test_keys::RSA_2048_PKCS8).unwrap();
        let jwk = test_keys::signing_key(ID, SigningAlgorithm::RS256).jwk;
        let n = BASE64URL.encode(foreign.n().to_bytes_be());
        let e = BASE64URL.encode(foreign.e().to_bytes_be());
        assert_eq!(jwk.parameters, PublicParameters::Rsa { n, e });
    }
}
