//! A signing key, parsed once and used for every token (RFC 7515 §3.1, §7.1). This file builds the compact
//! form itself, because a general library would parse the key on every call.

use std::borrow::Cow;
use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use base64::Engine as _;
use latchkey_verifier::rules::BASE64URL;
use protocol::SigningAlgorithm;
use serde::Serialize;
use x509_cert::der::pem::{LineEnding, encode_string};

use crate::key_pair::{KeyPair, LONGEST_SIGNATURE, SignError, verified_as};
use crate::verification_keys::VerificationKey;
use crate::{KeyAlgorithm, KeyId, PublicJwk};

#[derive(derive_more::Debug)]
#[debug("SigningKey({}, {}, [redacted])", self.id(), self.algorithm())]
pub struct SigningKey {
    pair: KeyPair,
    /// The public key as published.
    pub jwk: PublicJwk,
    /// SHA-256 thumbprint of the public key (RFC 7638).
    pub thumbprint: String,
    headers: [OnceLock<JwtHeader>; CACHED_HEADERS],
}

/// The document is not PKCS#8, or its key does not fit the algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a usable {0} private key in PKCS#8")]
pub struct KeyRejected(pub KeyAlgorithm);

/// The number of `typ` values whose encoded header is cached. A tenant has one, and two for a while after a
/// change.
const CACHED_HEADERS: usize = 3;
/// A buffer size in bytes that is enough for most claims.
const USUAL_CLAIMS: usize = 512;

struct JwtHeader {
    typ: String,
    encoded: String,
}

impl SigningKey {
    /// Parses a PKCS#8 document and checks that its key fits the algorithm.
    ///
    /// # Errors
    /// [`KeyRejected`], whose message contains nothing of the document.
    pub fn parse(id: KeyId, algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<Self, KeyRejected> {
        let (pair, parameters) = KeyPair::parse(algorithm, pkcs8).ok_or(KeyRejected(algorithm.into()))?;
        let jwk = PublicJwk::new(id, algorithm, parameters);
        let thumbprint = jwk.thumbprint();
        Ok(Self { pair, jwk, thumbprint, headers: Default::default() })
    }

    #[must_use]
    pub fn id(&self) -> KeyId {
        self.jwk.kid
    }

    #[must_use]
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.jwk.alg
    }

    /// The public key in PEM, `-----BEGIN PUBLIC KEY-----` (RFC 7468 §13), without its use and its `kid`.
    #[must_use]
    pub fn public_pem(&self) -> String {
        let document: PublicKeyX509Der<'_> =
            self.pair.public.as_der().expect("a parsed key also makes a document");
        encode_string("PUBLIC KEY", LineEnding::LF, document.as_ref()).expect("any bytes have a PEM form")
    }

    /// The public key, for tokens that this key signs.
    pub(crate) fn verification_key(&self) -> VerificationKey<'_> {
        VerificationKey {
            algorithm: verified_as(self.algorithm()),
            public: &self.pair.public,
            own: Some(&self.thumbprint),
        }
    }

    /// Whether the signature is valid for the message with this key's algorithm. The algorithm in the token
    /// does not matter (RFC 8725 §3.1).
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verification_key().verifies(message, signature)
    }

    /// Signs a token in compact form: `BASE64URL(header) . BASE64URL(claims) . BASE64URL(signature)`.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, SignError> {
        let mut payload = Vec::with_capacity(USUAL_CLAIMS);
        serde_json::to_writer(&mut payload, claims)?;
        let header = self.header(typ);
        let length = header.len() + encoded_len(payload.len()) + encoded_len(self.pair.signature_len) + 2;
        let mut token = Vec::with_capacity(length);
        token.extend_from_slice(header.as_bytes());
        append_part(&mut token, &payload);
        self.append_signature(&mut token)?;
        Ok(String::from_utf8(token).expect("base64url is ASCII"))
    }

    /// Signs the bytes in `token` and appends the signature.
    pub(crate) fn append_signature(&self, token: &mut Vec<u8>) -> Result<(), SignError> {
        let mut buffer = [0; LONGEST_SIGNATURE];
        let signature = self.pair.sign(token, &mut buffer)?;
        append_part(token, signature);
        Ok(())
    }

    fn header(&self, typ: &str) -> Cow<'_, str> {
        for slot in &self.headers {
            let header =
                slot.get_or_init(|| JwtHeader { typ: typ.to_owned(), encoded: self.encode_header(typ) });
            if header.typ == typ {
                return Cow::Borrowed(&header.encoded);
            }
        }
        Cow::Owned(self.encode_header(typ))
    }

    fn encode_header(&self, typ: &str) -> String {
        #[derive(Serialize)]
        struct JoseHeader<'a> {
            alg: &'static str,
            typ: &'a str,
            kid: String,
        }
        let header = JoseHeader { alg: self.algorithm().as_str(), typ, kid: self.id().to_string() };
        BASE64URL.encode(serde_json::to_vec(&header).expect("a structure of strings is always valid JSON"))
    }
}

/// Appends a dot and the bytes as base64url, directly into `token`. The library's `encode_string` would use
/// an additional buffer.
fn append_part(token: &mut Vec<u8>, bytes: &[u8]) {
    token.push(b'.');
    let start = token.len();
    token.resize(start + encoded_len(bytes.len()), 0);
    let written = BASE64URL.encode_slice(bytes, &mut token[start..]);
    written.expect("the buffer has the length of the encoded bytes");
}

/// The length of base64url without padding.
fn encoded_len(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, Validation};
    use serde_json::{Value, json};

    use super::*;
    use crate::test_keys::{forged, numbered, random, signed_parts};
    use crate::{PrivateKeyDocument, test_keys};

    const ID: KeyId = KeyId::numbered(1);

    fn claims() -> Value {
        json!({"sub": "a client", "exp": 4_000_000_000_u64})
    }

    fn part(token: &str, index: usize) -> Vec<u8> {
        BASE64URL.decode(token.split('.').nth(index).unwrap()).unwrap()
    }

    // [access-tokens RFC 9068 §2.1 c]
    #[test]
    fn the_header_has_its_documented_bytes() {
        let token = test_keys::signing_key(ID, SigningAlgorithm::RS256).sign("JWT", &claims()).unwrap();
        assert_eq!(part(&token, 0), br#"{"alg":"RS256","typ":"JWT","kid":"oauth2-key-1"}"#);
        assert!(token.starts_with("eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6Im9hdXRoMi1rZXktMSJ9."));
        assert_eq!(part(&token, 1), serde_json::to_vec(&claims()).unwrap());
    }

    #[test]
    fn uncached_typ_values_are_written_correctly() {
        let key = test_keys::signing_key(ID, SigningAlgorithm::EdDSA);
        for typ in ["JWT", "at+jwt", "a\"b\\c", "x", "y", "JWT", "y"] {
            let header: Value = serde_json::from_slice(&part(&key.sign(typ, &claims()).unwrap(), 0)).unwrap();
            assert_eq!(header, json!({"alg": "EdDSA", "typ": typ, "kid": "oauth2-key-1"}));
        }
    }

    // [keys RFC 7518 §3.1 b]: RS256 and ES256, both recommended, are implemented; beside them RS384, RS512,
    //   PS256, ES384 and EdDSA (RFC 8037)
    // [keys RFC 7518 §3.4]: An ECDSA signature is both numbers at full size, one after the other
    // [access-tokens RFC 9068 §2.1]: Tokens are signed, never `none`; RS256 is served
    // [V11 11.4.3]: 2 | Hashes in signatures have 256 bits or more | SHA-256 and above
    // [V11 11.2.1]
    #[test]
    fn independent_library_verifies_with_the_published_jwk() {
        for algorithm in SigningAlgorithm::ALL {
            let key = test_keys::signing_key(ID, algorithm);
            let token = key.sign("JWT", &claims()).unwrap();
            let jwk: jsonwebtoken::jwk::Jwk =
                serde_json::from_value(serde_json::to_value(&key.jwk).unwrap()).unwrap();
            let validation = Validation::new(algorithm.as_str().parse().unwrap());
            let verified =
                jsonwebtoken::decode::<Value>(&token, &DecodingKey::from_jwk(&jwk).unwrap(), &validation);
            assert_eq!(verified.unwrap().claims, claims(), "{algorithm}");
            assert_eq!(part(&token, 2).len(), key.pair.signature_len, "{algorithm}");
            assert_eq!(token.capacity(), token.len(), "{algorithm}: one allocation of the right size");
        }
    }

    // [keys RFC 7518 §3.3, §3.5], [jwt RFC 8725 §3.4, §3.5]
    #[test]
    fn a_generated_key_signs() {
        for algorithm in [SigningAlgorithm::RS256, SigningAlgorithm::ES256, SigningAlgorithm::EdDSA] {
            let key = random(algorithm);
            let token = key.sign("JWT", &claims()).unwrap();
            let (message, signature) = signed_parts(&token);
            assert!(key.verifies(message, &signature), "{algorithm}");
            assert!(!key.verifies(b"other", &signature), "{algorithm}");
            if algorithm == SigningAlgorithm::RS256 {
                assert_eq!(key.pair.signature_len, 256);
            }
        }
    }

    #[test]
    fn private_key_of_another_type_is_rejected() {
        let ec = PrivateKeyDocument::generate(SigningAlgorithm::ES256).unwrap();
        for algorithm in SigningAlgorithm::ALL {
            let rejected = SigningKey::parse(ID, algorithm, ec.expose()).err();
            assert_eq!(
                rejected,
                (algorithm != SigningAlgorithm::ES256).then_some(KeyRejected(algorithm.into()))
            );
        }
        assert!(SigningKey::parse(ID, SigningAlgorithm::ES256, b"").is_err());
    }

    #[test]
    fn unserializable_claims_are_an_error() {
        let key = test_keys::signing_key(ID, SigningAlgorithm::EdDSA);
        let claims = std::collections::HashMap::from([(vec![1], 1)]);
        assert!(matches!(key.sign("JWT", &claims), Err(SignError::Claims(_))));
    }

    // [jwt RFC 8725 §3.1]
    #[test]
    fn signature_of_another_algorithm_is_not_accepted() {
        let token = forged("header", "claims", &numbered(1, SigningAlgorithm::PS256));
        let (message, signature) = signed_parts(&token);
        for algorithm in SigningAlgorithm::ALL {
            let verifies = numbered(1, algorithm).verifies(message, &signature);
            assert_eq!(verifies, algorithm == SigningAlgorithm::PS256, "{algorithm}");
        }
    }

    #[test]
    fn public_pem_matches_openssl_output() {
        let key = test_keys::signing_key(ID, SigningAlgorithm::RS256);
        assert_eq!(key.public_pem(), test_keys::RSA_2048_PUBLIC);
    }

    #[test]
    fn independent_library_verifies_with_the_exported_pem() {
        for algorithm in SigningAlgorithm::ALL {
            let key = test_keys::signing_key(ID, algorithm);
            let pem = key.public_pem();
            let foreign = match algorithm {
                SigningAlgorithm::ES256 | SigningAlgorithm::ES384 => DecodingKey::from_ec_pem(pem.as_bytes()),
                SigningAlgorithm::EdDSA => DecodingKey::from_ed_pem(pem.as_bytes()),
                _ => DecodingKey::from_rsa_pem(pem.as_bytes()),
            };
            let token = key.sign("JWT", &serde_json::json!({})).unwrap();
            let (message, signature) = token.rsplit_once('.').unwrap();
            let named: jsonwebtoken::Algorithm = algorithm.as_str().parse().unwrap();
            let verified =
                jsonwebtoken::crypto::verify(signature, message.as_bytes(), &foreign.unwrap(), named);
            assert!(verified.unwrap(), "{algorithm}");
            assert!(!pem.contains("PRIVATE"));
        }
    }
}
