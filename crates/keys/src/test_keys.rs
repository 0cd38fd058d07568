//! Keys for tests. They are fixtures from OpenSSL, so that tests do not generate RSA keys and are
//! deterministic.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use protocol::SigningAlgorithm;
use serde_json::Value;
use values::{Lifetime, Secret, Timestamp};

use crate::{
    Expectations, JwkSet, KeyId, KeyRecord, KeyRecords, PrivateKeyDocument, PublicKeys, ShownTimes,
    SigningKey, import,
};

pub(crate) const RSA_2048_PKCS1: &str = include_str!("../tests/keys/rsa2048.pkcs1.pem");
pub(crate) const RSA_2048_PKCS8: &str = include_str!("../tests/keys/rsa2048.pkcs8.pem");
/// A key with the public exponent 3.
pub(crate) const RSA_2048_E3_PKCS1: &str = include_str!("../tests/keys/rsa2048.e3.pkcs1.pem");
/// The same key as PKCS#8.
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

/// The fixture for this algorithm with this id.
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

/// The fixture for this algorithm with this number.
pub(crate) fn numbered(number: u32, algorithm: SigningAlgorithm) -> SigningKey {
    signing_key(KeyId::numbered(number), algorithm)
}

/// A random key with the number 1.
pub(crate) fn random(algorithm: SigningAlgorithm) -> SigningKey {
    let document = PrivateKeyDocument::generate(algorithm).unwrap();
    SigningKey::parse(KeyId::numbered(1), algorithm, document.expose()).unwrap()
}

pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

/// The row of a key that is active from the beginning.
pub(crate) fn record(key: &SigningKey) -> KeyRecord {
    KeyRecord {
        id: key.id(),
        algorithm: key.algorithm().into(),
        sealed_private_key: Vec::new(),
        thumbprint: key.thumbprint.clone(),
        public_jwk: None,
        announced_at: at(0),
        active_from: at(0),
        retiring_from: None,
        removed_at: None,
        shown: ShownTimes::default(),
    }
}

/// The rows of a tenant. Copies may be cached for as long as in the policy of `life_cycle::tests`.
pub(crate) fn records(keys: Vec<KeyRecord>) -> KeyRecords {
    let next = KeyId::numbered(keys.iter().map(|key| key.id.number()).max().unwrap_or(0) + 1);
    KeyRecords { next, copies_kept: Lifetime::from_seconds(110), keys }
}

pub(crate) fn published(set: &JwkSet) -> PublicKeys {
    PublicKeys::read(str::from_utf8(&set.json).unwrap()).unwrap()
}

/// Accepts any issuer, type and audience, without a skew.
pub(crate) fn anything() -> Expectations<'static> {
    let skew = Lifetime::from_seconds(0);
    Expectations { is_issuer: &|_| true, accepts_typ: &|_| true, audience: None, skew }
}

/// A validly signed token with any header and claims.
pub(crate) fn forged(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>, key: &SigningKey) -> String {
    let mut token = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(claims)).into_bytes();
    key.append_signature(&mut token).unwrap();
    String::from_utf8(token).unwrap()
}

/// The signed part, and the bytes of the signature.
pub(crate) fn signed_parts(token: &str) -> (&[u8], Vec<u8>) {
    let (message, signature) = token.rsplit_once('.').unwrap();
    (message.as_bytes(), BASE64URL.decode(signature).unwrap())
}

/// A JWK with another value of one member.
pub(crate) fn with(mut jwk: Value, name: &str, value: Value) -> Value {
    jwk[name] = value;
    jwk
}

/// A JWK without one member.
pub(crate) fn without(mut jwk: Value, name: &str) -> Value {
    jwk.as_object_mut().unwrap().remove(name);
    jwk
}
