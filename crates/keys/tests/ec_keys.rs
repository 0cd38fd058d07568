//! Tests that another library can read the published EC keys: their coordinates have the full length with
//! leading zeros (RFC 7518 §6.2.1.2).

#![expect(clippy::unwrap_used, reason = "a helper that fails here has failed the test")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use ecdsa::signature::Verifier as _;
use keys::{KeyId, PrivateKeyDocument, PublicParameters, SigningKey};
use p256::ecdsa;
use p256::pkcs8::DecodePrivateKey as _;
use protocol::SigningAlgorithm;

const OF_EACH_CURVE: usize = 150;

/// A published key, and a token that it signed.
struct Made {
    document: PrivateKeyDocument,
    crv: &'static str,
    x: Vec<u8>,
    y: Vec<u8>,
    message: Vec<u8>,
    signature: Vec<u8>,
}

fn make(algorithm: SigningAlgorithm) -> Made {
    let document = PrivateKeyDocument::generate(algorithm).unwrap();
    let key = SigningKey::parse(KeyId::numbered(1), algorithm, document.expose()).unwrap();
    let token = key.sign("JWT", &serde_json::json!({"sub": "x"})).unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let PublicParameters::Ec { crv, x, y } = &key.jwk.parameters else { panic!("{:?}", key.jwk) };
    let [x, y] = [x, y].map(|coordinate| BASE64URL.decode(coordinate).unwrap());
    let signature = BASE64URL.decode(signature).unwrap();
    Made { crv, x, y, message: message.as_bytes().to_vec(), signature, document }
}

/// Checks a fixed number of new keys, and then more until each coordinate had a leading zero at least once.
fn each(algorithm: SigningAlgorithm, check: impl Fn(&Made)) -> usize {
    let (mut made, mut padded) = (0, [0, 0]);
    while made < OF_EACH_CURVE || padded.contains(&0) {
        let key = make(algorithm);
        check(&key);
        made += 1;
        padded[0] += usize::from(key.x[0] == 0);
        padded[1] += usize::from(key.y[0] == 0);
        assert!(made < 100_000, "one in 256 begins with a zero: {padded:?}");
    }
    made
}

#[test]
fn p256_crate_derives_and_verifies_published_keys() {
    let made = each(SigningAlgorithm::ES256, |key| {
        let derived = p256::SecretKey::from_pkcs8_der(key.document.expose()).unwrap().public_key();
        let point = [&[4], &*key.x, &*key.y].concat();
        assert_eq!((key.crv, key.x.len(), key.y.len()), ("P-256", 32, 32));
        let published = p256::PublicKey::from_sec1_bytes(&point).unwrap();
        assert_eq!(published, derived);
        let signature = p256::ecdsa::Signature::from_slice(&key.signature).unwrap();
        p256::ecdsa::VerifyingKey::from(published).verify(&key.message, &signature).unwrap();
    });
    assert!(made >= OF_EACH_CURVE);
}

#[test]
fn p384_crate_derives_and_verifies_published_keys() {
    let made = each(SigningAlgorithm::ES384, |key| {
        let derived = p384::SecretKey::from_pkcs8_der(key.document.expose()).unwrap().public_key();
        let point = [&[4], &*key.x, &*key.y].concat();
        assert_eq!((key.crv, key.x.len(), key.y.len()), ("P-384", 48, 48));
        let published = p384::PublicKey::from_sec1_bytes(&point).unwrap();
        assert_eq!(published, derived);
        let signature = p384::ecdsa::Signature::from_slice(&key.signature).unwrap();
        p384::ecdsa::VerifyingKey::from(published).verify(&key.message, &signature).unwrap();
    });
    assert!(made >= OF_EACH_CURVE);
}
