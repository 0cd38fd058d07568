//! A public key in PEM (RFC 7468 §13): `SubjectPublicKeyInfo` of RFC 5280 §4.1, as RFC 8017, RFC 5480 and RFC 8410 fill it in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use rsa::pkcs1::RsaPublicKey;
use rsa::pkcs8::ObjectIdentifier;
use rsa::pkcs8::der::asn1::{AnyRef, BitStringRef, UintRef};
use rsa::pkcs8::der::pem::LineEnding;
use rsa::pkcs8::der::{self, Encode as _, EncodePem as _, ErrorKind, Tag};
use rsa::pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use crate::{PublicJwk, PublicParameters};

impl PublicJwk {
    /// The key as `-----BEGIN PUBLIC KEY-----`, without its use and its `kid`.
    #[must_use]
    pub fn to_pem(&self) -> String {
        self.encode().expect("numbers that made a JWK also make a document")
    }

    fn encode(&self) -> der::Result<String> {
        match self.parameters() {
            PublicParameters::Rsa { n, e } => {
                let (modulus, exponent) = (decode(n)?, decode(e)?);
                let (modulus, public_exponent) = (UintRef::new(&modulus)?, UintRef::new(&exponent)?);
                let key = RsaPublicKey { modulus, public_exponent }.to_der()?;
                pem(ObjectIdentifier::new("1.2.840.113549.1.1.1")?, Some(AnyRef::NULL), &key)
            }
            PublicParameters::Ec { crv, x, y } => {
                let curve = ObjectIdentifier::new(match *crv {
                    "P-256" => "1.2.840.10045.3.1.7",
                    "P-384" => "1.3.132.0.34",
                    _ => return Err(ErrorKind::Failed.into()),
                })?;
                let point = [vec![4], decode(x)?, decode(y)?].concat();
                pem(ObjectIdentifier::new("1.2.840.10045.2.1")?, Some(AnyRef::from(&curve)), &point)
            }
            PublicParameters::Okp { x, .. } => pem(ObjectIdentifier::new("1.3.101.112")?, None, &decode(x)?),
        }
    }
}

fn pem(oid: ObjectIdentifier, parameters: Option<AnyRef<'_>>, key: &[u8]) -> der::Result<String> {
    let algorithm = AlgorithmIdentifierRef { oid, parameters };
    let subject_public_key = BitStringRef::from_bytes(key)?;
    SubjectPublicKeyInfoRef { algorithm, subject_public_key }.to_pem(LineEnding::LF)
}

fn decode(number: &str) -> der::Result<Vec<u8>> {
    BASE64URL.decode(number).map_err(|_| ErrorKind::Value { tag: Tag::OctetString }.into())
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, DecodingKey, crypto};
    use protocol::SigningAlgorithm;

    use crate::{KeyId, test_keys};

    #[test]
    fn the_public_half_of_an_rsa_key_is_the_one_that_openssl_writes() {
        let key = test_keys::signing_key(KeyId::numbered(1), SigningAlgorithm::RS256);
        assert_eq!(key.jwk().to_pem(), test_keys::RSA_2048_PUBLIC);
    }

    #[test]
    fn an_independent_library_verifies_every_algorithm_by_the_exported_key() {
        for algorithm in SigningAlgorithm::ALL {
            let key = test_keys::signing_key(KeyId::numbered(1), algorithm);
            let pem = key.jwk().to_pem();
            let foreign = match algorithm {
                SigningAlgorithm::ES256 | SigningAlgorithm::ES384 => DecodingKey::from_ec_pem(pem.as_bytes()),
                SigningAlgorithm::EdDSA => DecodingKey::from_ed_pem(pem.as_bytes()),
                _ => DecodingKey::from_rsa_pem(pem.as_bytes()),
            };
            let token = key.sign("JWT", &serde_json::json!({})).unwrap();
            let (message, signature) = token.rsplit_once('.').unwrap();
            let named: Algorithm = algorithm.as_str().parse().unwrap();
            let verified = crypto::verify(signature, message.as_bytes(), &foreign.unwrap(), named);
            assert!(verified.unwrap(), "{algorithm}");
            assert!(!pem.contains("PRIVATE"));
        }
    }
}
