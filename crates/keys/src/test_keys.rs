//! Keys for tests. OpenSSL made these fixtures, so tests neither wait for RSA nor depend on chance.

use protocol::{Secret, SigningAlgorithm};
use serde_json::Value;

use crate::{KeyId, SigningKey, import};

pub(crate) const RSA_2048_PKCS1: &str = include_str!("../tests/keys/rsa2048.pkcs1.pem");
pub(crate) const RSA_2048_PKCS8: &str = include_str!("../tests/keys/rsa2048.pkcs8.pem");
/// A key with the public exponent 3.
pub(crate) const RSA_2048_E3_PKCS1: &str = include_str!("../tests/keys/rsa2048.e3.pkcs1.pem");
/// The key above as PKCS#8.
pub(crate) const RSA_2048_E3_PKCS8: &str = include_str!("../tests/keys/rsa2048.e3.pkcs8.pem");
pub(crate) const RSA_2048_PUBLIC: &str = include_str!("../tests/keys/rsa2048.public.pem");
pub(crate) const RSA_2048_PKCS1_ENCRYPTED: &str = include_str!("../tests/keys/rsa2048.encrypted.pkcs1.pem");
pub(crate) const RSA_2048_PKCS8_ENCRYPTED: &str = include_str!("../tests/keys/rsa2048.encrypted.pkcs8.pem");
pub(crate) const RSA_1024_PKCS1: &str = include_str!("../tests/keys/rsa1024.pkcs1.pem");
pub(crate) const RSA_3072_PKCS8: &str = include_str!("../tests/keys/rsa3072.pkcs8.pem");
pub(crate) const P256_PKCS8: &str = include_str!("../tests/keys/p256.pkcs8.pem");
pub(crate) const P256_SEC1: &str = include_str!("../tests/keys/p256.sec1.pem");
pub(crate) const P384_PKCS8: &str = include_str!("../tests/keys/p384.pkcs8.pem");
pub(crate) const P521_PKCS8: &str = include_str!("../tests/keys/p521.pkcs8.pem");
pub(crate) const ED25519_PKCS8: &str = include_str!("../tests/keys/ed25519.pkcs8.pem");

/// The fixture for this algorithm, under this identifier.
pub(crate) fn signing_key(id: KeyId, algorithm: SigningAlgorithm) -> SigningKey {
    let pem = match algorithm {
        SigningAlgorithm::RS256
        | SigningAlgorithm::RS384
        | SigningAlgorithm::RS512
        | SigningAlgorithm::PS256 => RSA_2048_PKCS8,
        SigningAlgorithm::ES256 => P256_PKCS8,
        SigningAlgorithm::ES384 => P384_PKCS8,
        SigningAlgorithm::EdDSA => ED25519_PKCS8,
    };
    let imported = import(&Secret::new(pem.to_owned()), algorithm).unwrap();
    SigningKey::parse(id, algorithm, imported.pkcs8.expose()).unwrap()
}

/// A JWK with another value of a member.
pub(crate) fn with(mut jwk: Value, name: &str, value: Value) -> Value {
    jwk[name] = value;
    jwk
}

/// A JWK that lacks a member.
pub(crate) fn without(mut jwk: Value, name: &str) -> Value {
    jwk.as_object_mut().unwrap().remove(name);
    jwk
}
