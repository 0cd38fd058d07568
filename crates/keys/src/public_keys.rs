//! The public keys of a JWKS document, read to verify with (RFC 7517 §5). A key that cannot be used is left out and named.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::ParsedPublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD as BASE64URL};
use protocol::{Lifetime, SigningAlgorithm, Thumbprint, Timestamp, cropped};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use x509_cert::Certificate;
use x509_cert::der::{Decode as _, Encode as _};

use crate::KeyRecord;
use crate::jwk::{PublicParameters, without_leading_zeros};
use crate::key_kind::{KeyKind, algorithm_named};
use crate::key_pair::verification_algorithm;
use crate::verification_keys::{VerificationKey, VerificationKeys};

/// Public keys of one issuer by their `kid`.
#[derive(Debug, Default)]
pub struct PublicKeys {
    keys: Vec<PublicKey>,
    /// The keys of the document that were left out.
    pub left_out: Vec<LeftOutKey>,
    /// The life cycle of the keys, where it is known.
    records: Vec<KeyRecord>,
}

struct PublicKey {
    /// Its place in the set, from 1 on.
    number: usize,
    kid: Option<String>,
    algorithm: SigningAlgorithm,
    public: ParsedPublicKey,
    /// SHA-256 (RFC 7638).
    thumbprint: String,
    certificate: KeyCertificate,
}

/// The certificate that a key of a set names in `x5c` (RFC 7517 §4.7).
#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyCertificate {
    /// None.
    NotNamed,
    /// The one with this thumbprint.
    Named(Thumbprint),
    /// What is there is no certificate of the key.
    OfAnotherKey,
}

/// A key that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("key {number} of the set ({}): {why}", .kid.as_deref().unwrap_or("no `kid`"))]
pub struct LeftOutKey {
    /// Its place in the set, from 1 on.
    pub number: usize,
    /// Its identifier, if it has one.
    pub kid: Option<String>,
    /// Why.
    pub why: UnusableKey,
}

/// Why a key of a set cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableKey {
    /// A member is missing or of another type.
    #[error("this is no JWK")]
    NotJwk,
    /// A token could not name it.
    #[error("it has no `kid`, by which a token names its key")]
    NoKid,
    /// Two keys of one `kid`.
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
    /// Numbers that make no key, or an RSA key of another size than 2048 to 8192 bits.
    #[error("its numbers are no public key of a supported size")]
    Malformed,
}

/// Why a document is no key set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeySet {
    /// Its size.
    #[error("larger than {LARGEST_SET} bytes")]
    TooLarge,
    /// Its form.
    #[error("no JWKS document, which is an object with a list `keys` (RFC 7517 section 5)")]
    NotKeySet,
    /// The number of its keys.
    #[error("more than {MOST_KEYS} keys")]
    TooManyKeys,
}

/// A set is fetched from others, so it is bounded.
const LARGEST_SET: usize = 256 * 1024;
const MOST_KEYS: usize = 100;
/// Bits of the RSA modulus that the algorithms verify with.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

/// The members that count.
#[derive(Deserialize)]
struct Jwk {
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
    /// Of any form: a key verifies tokens without it.
    #[serde(default)]
    x5c: Value,
    d: Option<IgnoredAny>,
    k: Option<IgnoredAny>,
}

impl PublicKeys {
    /// Reads a JWKS document of an issuer, whose tokens name their keys.
    ///
    /// # Errors
    /// [`InvalidKeySet`] if the document is none; a key that cannot be used is no error.
    pub fn read(json: &str) -> Result<Self, InvalidKeySet> {
        Self::read_set(json, |kid| kid.is_some())
    }

    /// Reads the JWKS document of a client, where a key may be without `kid`: an assertion is verified with each key that could have signed it.
    ///
    /// # Errors
    /// As [`PublicKeys::read`].
    pub fn read_of_client(json: &str) -> Result<Self, InvalidKeySet> {
        Self::read_set(json, |_| true)
    }

    fn read_set(json: &str, names: fn(Option<&String>) -> bool) -> Result<Self, InvalidKeySet> {
        if json.len() > LARGEST_SET {
            return Err(InvalidKeySet::TooLarge);
        }
        // serde's derive also reads a struct from an array, member by member.
        let is_object = json.trim_start().starts_with('{');
        let document: Option<Document> = serde_json::from_str(json).ok().filter(|_| is_object);
        let Document { keys: documents } = document.ok_or(InvalidKeySet::NotKeySet)?;
        if documents.len() > MOST_KEYS {
            return Err(InvalidKeySet::TooManyKeys);
        }
        let mut set = Self { keys: Vec::new(), left_out: Vec::new(), records: Vec::new() };
        for (number, document) in (1..).zip(documents) {
            let kid = document["kid"].as_str().map(cropped);
            match set.usable(number, document, names) {
                Ok(key) => set.keys.push(key),
                Err(why) => set.left_out.push(LeftOutKey { number, kid, why }),
            }
        }
        Ok(set)
    }

    /// The keys with the times of their life cycle: a key is used only when it may have signed, and until it is removed.
    #[must_use]
    pub fn with_records(self, records: Vec<KeyRecord>) -> Self {
        Self { records, ..self }
    }

    /// The identifier and algorithm of each key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, SigningAlgorithm)> {
        self.keys.iter().map(|key| (key.kid.as_deref().unwrap_or_default(), key.algorithm))
    }

    /// The key, by its thumbprint, with which a certificate of this `SubjectPublicKeyInfo` in DER and this thumbprint is registered (RFC
    /// 8705 §2.2.2): a key with `x5c` stands for that certificate alone, and one without for each certificate of the key.
    #[must_use]
    pub fn of_certificate(&self, public_key: &[u8], thumbprint: Thumbprint) -> Option<&str> {
        let key = self.keys.iter().find(|key| match &key.certificate {
            KeyCertificate::NotNamed => has_der(&key.public, public_key),
            KeyCertificate::Named(named) => *named == thumbprint,
            KeyCertificate::OfAnotherKey => false,
        });
        key.map(|key| key.thumbprint.as_str())
    }

    /// The places, from 1 on, of usable keys whose `x5c` does not begin with a certificate of the key.
    pub fn with_another_certificate(&self) -> impl Iterator<Item = usize> {
        let is_other = |key: &PublicKey| key.certificate == KeyCertificate::OfAnotherKey;
        self.keys.iter().filter(move |key| is_other(key)).map(|key| key.number)
    }

    /// The thumbprint of each key (RFC 7638).
    pub fn thumbprints(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| key.thumbprint.as_str())
    }

    /// Those that could have signed a token with this header (RFC 7515 §6): of its algorithm, and not of another `kid`. Each with its
    /// thumbprint.
    pub(crate) fn candidates<'a, 'n>(
        &'a self,
        kid: Option<&'n str>,
        algorithm: SigningAlgorithm,
    ) -> impl Iterator<Item = (&'a str, VerificationKey<'a>)> + use<'a, 'n> {
        let fits = move |key: &&PublicKey| {
            let names_another = kid.zip(key.kid.as_deref()).is_some_and(|(wanted, kid)| wanted != kid);
            key.algorithm == algorithm && !names_another
        };
        self.keys.iter().filter(fits).map(|key| {
            (
                key.thumbprint.as_str(),
                VerificationKey { algorithm: key.algorithm, public: &key.public, own: None },
            )
        })
    }

    fn usable(
        &self,
        number: usize,
        document: Value,
        names: fn(Option<&String>) -> bool,
    ) -> Result<PublicKey, UnusableKey> {
        if !document.is_object() {
            return Err(UnusableKey::NotJwk);
        }
        let jwk: Jwk = serde_json::from_value(document).map_err(|_| UnusableKey::NotJwk)?;
        if jwk.d.is_some() || jwk.k.is_some() {
            return Err(UnusableKey::Private);
        }
        let kid = Some(jwk.kid.clone()).filter(|kid| names(kid.as_ref())).ok_or(UnusableKey::NoKid)?;
        if kid.is_some() && self.keys.iter().any(|key| key.kid == kid) {
            return Err(UnusableKey::Repeated);
        }
        let verifies = |ops: &Vec<String>| ops.iter().any(|op| op == "verify");
        if jwk.key_use.as_ref().is_some_and(|key_use| key_use != "sig")
            || !jwk.key_ops.as_ref().is_none_or(verifies)
        {
            return Err(UnusableKey::OtherUse);
        }
        let (algorithm, public) = (jwk.algorithm()?, jwk.bytes().ok_or(UnusableKey::Malformed)?);
        let thumbprint = jwk.parameters().ok_or(UnusableKey::Malformed)?.thumbprint().to_string();
        let public = ParsedPublicKey::new(verification_algorithm(algorithm), &public);
        let public = public.map_err(|_| UnusableKey::Malformed)?;
        let certificate = KeyCertificate::of(&jwk.x5c, &public);
        Ok(PublicKey { number, kid, algorithm, public, thumbprint, certificate })
    }
}

impl KeyCertificate {
    /// RFC 7517 §4.7: "The key in the first certificate MUST match the public key represented by other members of the JWK."
    fn of(x5c: &Value, public: &ParsedPublicKey) -> Self {
        if x5c.is_null() {
            return Self::NotNamed;
        }
        let certificate = x5c[0].as_str().and_then(|first| BASE64.decode(first).ok());
        let certificate = certificate.filter(|der| {
            public_key_of_certificate(der).is_some_and(|public_key| has_der(public, &public_key))
        });
        certificate.map_or(Self::OfAnotherKey, |der| {
            let mut thumbprint = [0; 32];
            thumbprint.copy_from_slice(digest(&SHA256, &der).as_ref());
            Self::Named(Thumbprint::new(thumbprint))
        })
    }
}

/// The `SubjectPublicKeyInfo` of a certificate (RFC 5280 §4.1.2.7), in DER; `None` where the bytes are no
/// certificate.
fn public_key_of_certificate(der: &[u8]) -> Option<Vec<u8>> {
    Certificate::from_der(der).ok()?.tbs_certificate().subject_public_key_info().to_der().ok()
}

/// Whether this is the `SubjectPublicKeyInfo` of a key, in DER.
fn has_der(public: &ParsedPublicKey, subject_public_key_info: &[u8]) -> bool {
    let der: Result<PublicKeyX509Der<'_>, _> = public.as_der();
    der.is_ok_and(|der| der.as_ref() == subject_public_key_info)
}

impl Jwk {
    fn kind(&self) -> KeyKind {
        KeyKind::named(&self.kty, self.crv.as_deref())
    }

    /// Each key has one algorithm (RFC 8725 §3.1). An RSA key without `alg` has RS256, the one that every implementation has (OpenID Connect
    /// Core §15.1).
    fn algorithm(&self) -> Result<SigningAlgorithm, UnusableKey> {
        let of_kind = match self.kind() {
            KeyKind::Rsa => SigningAlgorithm::RS256,
            KeyKind::P256 => SigningAlgorithm::ES256,
            KeyKind::P384 => SigningAlgorithm::ES384,
            KeyKind::Ed25519 => SigningAlgorithm::EdDSA,
            KeyKind::Other => return Err(UnusableKey::OtherKind),
        };
        let Some(name) = &self.alg else { return Ok(of_kind) };
        let named = algorithm_named(name).filter(|algorithm| KeyKind::of(*algorithm) == self.kind());
        named.ok_or(UnusableKey::OtherAlgorithm)
    }

    /// The numbers of the key in their one form: two documents of one key have equal parameters.
    fn parameters(&self) -> Option<PublicParameters> {
        let number = |text: &Option<String>| BASE64URL.decode(text.as_deref()?).ok();
        let point = || Some([vec![4], number(&self.x)?, number(&self.y)?].concat());
        match self.kind() {
            KeyKind::Rsa => Some(PublicParameters::rsa(&number(&self.n)?, &number(&self.e)?)),
            KeyKind::P256 => PublicParameters::ec("P-256", &point()?),
            KeyKind::P384 => PublicParameters::ec("P-384", &point()?),
            KeyKind::Ed25519 => Some(PublicParameters::ed25519(&number(&self.x)?)),
            KeyKind::Other => None,
        }
    }

    /// The key in the form that the cryptographic library reads.
    fn bytes(&self) -> Option<Vec<u8>> {
        let number = |text: &Option<String>| BASE64URL.decode(text.as_deref()?).ok();
        match self.kind() {
            KeyKind::Rsa => {
                let (n, e) = (number(&self.n)?, number(&self.e)?);
                let (n, e) = (without_leading_zeros(&n), without_leading_zeros(&e));
                let bits = n.len() * 8 - n.first()?.leading_zeros() as usize;
                rsa_public_key(n, e).filter(|_| RSA_BITS.contains(&bits))
            }
            // RFC 7518 §6.2.1.2: "The length of this octet string MUST be the full size of a coordinate for the curve".
            KeyKind::P256 | KeyKind::P384 => {
                let (x, y) = (number(&self.x)?, number(&self.y)?);
                (x.len() == y.len()).then(|| [vec![4], x, y].concat())
            }
            KeyKind::Ed25519 => number(&self.x),
            KeyKind::Other => None,
        }
    }
}

/// An RSA key of this modulus and exponent, in the form that the cryptographic library reads.
pub(crate) fn rsa_public_key(n: &[u8], e: &[u8]) -> Option<Vec<u8>> {
    let document: PublicKeyX509Der<'_> = PublicKeyComponents { n, e }.as_der().ok()?;
    Some(document.as_ref().to_vec())
}

impl VerificationKeys for PublicKeys {
    fn key(&self, kid: &str, skew: Lifetime, now: Timestamp) -> Option<VerificationKey<'_>> {
        let PublicKey { algorithm, public, .. } =
            self.keys.iter().find(|key| key.kid.as_deref() == Some(kid))?;
        let record = self.records.iter().find(|record| record.id.to_string() == kid);
        let may_verify = record.is_none_or(|record| record.verifies_at(now, skew));
        may_verify.then_some(VerificationKey { algorithm: *algorithm, public, own: None })
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?}, {})", self.kid, self.algorithm)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{prop_assert_eq, proptest};
    use serde_json::json;

    use super::*;
    use crate::test_keys::{with, without};
    use crate::{JwkSet, KeyId, test_keys};

    const NOW: Timestamp = Timestamp::from_seconds(1_000);
    const SKEW: Lifetime = Lifetime::from_seconds(30);

    fn jwk(number: u32, algorithm: SigningAlgorithm) -> Value {
        json!(test_keys::signing_key(KeyId::numbered(number), algorithm).jwk)
    }

    fn read(keys: &[Value]) -> PublicKeys {
        PublicKeys::read(&json!({ "keys": keys }).to_string()).unwrap()
    }

    #[test]
    fn a_published_set_verifies_what_its_keys_sign() {
        for algorithm in SigningAlgorithm::ALL {
            let key = test_keys::signing_key(KeyId::numbered(1), algorithm);
            let set = JwkSet::new(vec![key.jwk.clone()]);
            let set = PublicKeys::read(str::from_utf8(&set.json).unwrap()).unwrap();
            assert_eq!(set.iter().collect::<Vec<_>>(), [("oauth2-key-1", algorithm)]);
            assert!(set.left_out.is_empty());
            let token = key.sign("JWT", &()).unwrap();
            let (signed, signature) = token.rsplit_once('.').unwrap();
            let signature = BASE64URL.decode(signature).unwrap();
            let found = set.key("oauth2-key-1", SKEW, NOW).unwrap();
            assert!(found.verifies(signed.as_bytes(), &signature), "{algorithm}");
            assert!(!found.verifies(b"other", &signature), "{algorithm}");
            assert!(set.key("oauth2-key-2", SKEW, NOW).is_none());
        }
    }

    #[test]
    fn a_key_without_an_algorithm_has_that_of_its_kind() {
        use SigningAlgorithm::{ES256, ES384, EdDSA, PS256, RS256};
        for (of, expected) in [(RS256, RS256), (PS256, RS256), (ES256, ES256), (ES384, ES384), (EdDSA, EdDSA)]
        {
            let set = read(&[without(without(jwk(1, of), "alg"), "use")]);
            assert_eq!(set.iter().collect::<Vec<_>>(), [("oauth2-key-1", expected)]);
        }
    }

    #[test]
    fn a_key_that_cannot_be_used_is_left_out_and_named() {
        let good = || jwk(1, SigningAlgorithm::ES256);
        let rsa = || jwk(1, SigningAlgorithm::RS256);
        for (bad, why) in [
            (json!("x"), UnusableKey::NotJwk),
            (json!(["EC"]), UnusableKey::NotJwk),
            (without(good(), "kty"), UnusableKey::NotJwk),
            (with(good(), "kid", json!(7)), UnusableKey::NotJwk),
            (without(good(), "kid"), UnusableKey::NoKid),
            (with(good(), "d", json!("AAAA")), UnusableKey::Private),
            (json!({"kty": "oct", "kid": "a", "k": "AAAA"}), UnusableKey::Private),
            (with(good(), "use", json!("enc")), UnusableKey::OtherUse),
            (with(good(), "key_ops", json!(["encrypt"])), UnusableKey::OtherUse),
            (with(good(), "crv", json!("P-521")), UnusableKey::OtherKind),
            (with(good(), "kty", json!("oct")), UnusableKey::OtherKind),
            (with(good(), "alg", json!("RS256")), UnusableKey::OtherAlgorithm),
            (with(good(), "alg", json!("HS256")), UnusableKey::OtherAlgorithm),
            (with(good(), "x", json!("AAAA")), UnusableKey::Malformed),
            (with(good(), "x", json!("*")), UnusableKey::Malformed),
            (without(good(), "y"), UnusableKey::Malformed),
            (with(rsa(), "n", json!(BASE64URL.encode([255; 128]))), UnusableKey::Malformed),
            (with(rsa(), "n", json!("")), UnusableKey::Malformed),
            (with(rsa(), "e", json!("")), UnusableKey::Malformed),
        ] {
            let kid = bad["kid"].as_str().map(str::to_owned);
            let set = read(&[jwk(7, SigningAlgorithm::EdDSA), bad.clone()]);
            assert_eq!(set.left_out, [LeftOutKey { number: 2, kid, why }], "{bad}");
            assert_eq!(set.iter().count(), 1, "the other key is there: {bad}");
        }
        let twice = read(&[good(), jwk(1, SigningAlgorithm::EdDSA)]);
        assert_eq!(twice.left_out[0].why, UnusableKey::Repeated);
        assert_eq!(
            twice.left_out[0].to_string(),
            "key 2 of the set (oauth2-key-1): a key before it has the same `kid`"
        );
    }

    #[test]
    fn what_is_no_key_set_is_refused_and_its_size_is_bounded() {
        for text in ["", "{}", "[]", "[[]]", r#"{"keys":{}}"#, r#"{"keys":[]}x"#, "null"] {
            assert_eq!(PublicKeys::read(text).unwrap_err(), InvalidKeySet::NotKeySet, "{text}");
        }
        let many = json!({ "keys": vec![json!({}); MOST_KEYS + 1] }).to_string();
        assert_eq!(PublicKeys::read(&many).unwrap_err(), InvalidKeySet::TooManyKeys);
        let large = format!("{{\"keys\":[]}}{}", " ".repeat(LARGEST_SET));
        assert_eq!(PublicKeys::read(&large).unwrap_err(), InvalidKeySet::TooLarge);
    }

    proptest! {
        #[test]
        fn any_text_is_a_set_or_none(text in ".{0,200}", members in "[\\[\\]{}\",:a-z0-9]{0,100}") {
            let _ = PublicKeys::read_of_client(&text).map(|_| ());
            let _ = PublicKeys::read_of_client(&format!("{{\"keys\":[{members}]}}")).map(|_| ());
        }

        #[test]
        fn a_good_key_is_kept_whatever_is_beside_it(junk in vec(".{0,20}", 0..8), name in "[a-z]{1,8}", place in 0_usize..8) {
            let good = json!(test_keys::signing_key(KeyId::numbered(1), SigningAlgorithm::EdDSA).jwk);
            let mut keys: Vec<_> = junk.iter().map(|text| json!({ name.as_str(): text })).collect();
            keys.insert(place.min(keys.len()), good);
            let set = PublicKeys::read_of_client(&json!({ "keys": keys, "more": junk }).to_string()).unwrap();
            prop_assert_eq!(set.iter().collect::<Vec<_>>(), [("oauth2-key-1", SigningAlgorithm::EdDSA)]);
            prop_assert_eq!(set.left_out.len(), junk.len());
        }
    }

    #[test]
    fn a_key_is_used_within_its_times() {
        let record = |active_from, removed_at: Option<u64>| KeyRecord {
            id: KeyId::numbered(1),
            algorithm: SigningAlgorithm::ES256,
            sealed_private_key: Vec::new(),
            thumbprint: String::new(),
            public_jwk: None,
            announced_at: Timestamp::from_seconds(0),
            active_from: Timestamp::from_seconds(active_from),
            retiring_from: None,
            removed_at: removed_at.map(Timestamp::from_seconds),
            shown: crate::ShownTimes::default(),
        };
        for (active_from, removed_at, expected) in
            [(0, None, true), (1_030, None, true), (1_031, None, false), (0, Some(1_000), false)]
        {
            let set =
                read(&[jwk(1, SigningAlgorithm::ES256)]).with_records(vec![record(active_from, removed_at)]);
            assert_eq!(
                set.key("oauth2-key-1", SKEW, NOW).is_some(),
                expected,
                "{active_from} {removed_at:?}"
            );
        }
    }
}
