//! The public keys of a JWKS document, for verification (RFC 7517 §5). `latchkey-verifier` decides which keys
//! are usable. This file adds the parts that only a server needs: the certificates of clients' keys, and the
//! life cycle of tenants' keys.

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::signature::ParsedPublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use latchkey_verifier::rules::{PublicKey, documents};
use latchkey_verifier::{Algorithm, InvalidKeySet, UnusableKey};
use protocol::{SigningAlgorithm, Thumbprint};
use serde_json::Value;
use values::{Lifetime, Timestamp, cropped};
use x509_cert::Certificate;
use x509_cert::der::{Decode as _, Encode as _};

use crate::verification_keys::{VerificationKey, VerificationKeys};
use crate::{KeyRecord, Kid};

#[derive(Debug, Default)]
pub struct PublicKeys {
    keys: Vec<KeyOfSet>,
    /// The unusable keys of the document.
    pub left_out: Vec<LeftOutKey>,
    /// The life cycle of the keys, if it is known.
    records: Vec<KeyRecord>,
}

#[derive(Debug)]
struct KeyOfSet {
    /// The position in the set, counted from 1.
    number: usize,
    key: PublicKey,
    /// SHA-256 (RFC 7638).
    thumbprint: String,
    certificate: KeyCertificate,
}

/// The certificate in `x5c` of a key (RFC 7517 §4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyCertificate {
    NotNamed,
    Named(Thumbprint),
    /// The certificate cannot be parsed, or is of another key.
    OfAnotherKey,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("key {number} of the set ({}): {why}", .kid.as_deref().unwrap_or("no `kid`"))]
pub struct LeftOutKey {
    /// The position in the set, counted from 1.
    pub number: usize,
    pub kid: Option<String>,
    pub why: UnusableKey,
}

impl PublicKeys {
    /// Parses the JWKS document of an issuer, whose keys must have a `kid`.
    ///
    /// # Errors
    /// [`InvalidKeySet`] if the text is not a JWKS document. Unusable keys are not an error.
    pub fn read(json: &str) -> Result<Self, InvalidKeySet> {
        Self::read_set(json, |kid| kid.is_some())
    }

    /// Parses the JWKS document of a client. Its keys may lack a `kid`; an assertion is verified with each
    /// key that could have signed it.
    ///
    /// # Errors
    /// As for [`PublicKeys::read`].
    pub fn read_of_client(json: &str) -> Result<Self, InvalidKeySet> {
        Self::read_set(json, |_| true)
    }

    /// Parses the JWKS document of another issuer, or the bundle of a trust domain, whose keys for JWT-SVIDs
    /// have their own `use` (SPIFFE Trust Domain and Bundle §4.2.2).
    ///
    /// # Errors
    /// As for [`PublicKeys::read`].
    pub fn read_of_issuer(json: &str) -> Result<Self, InvalidKeySet> {
        let mut all = documents(json)?;
        for document in &mut all {
            if document["use"] == "jwt-svid" {
                document["use"] = "sig".into();
            }
        }
        Ok(Self::of_documents(all, |_| true))
    }

    fn read_set(json: &str, names: fn(Option<&str>) -> bool) -> Result<Self, InvalidKeySet> {
        Ok(Self::of_documents(documents(json)?, names))
    }

    fn of_documents(all: Vec<Value>, names: fn(Option<&str>) -> bool) -> Self {
        let mut set = Self::default();
        for (number, mut document) in (1..).zip(all) {
            let kid = document["kid"].as_str().map(cropped);
            let x5c = document.get_mut("x5c").map(Value::take).unwrap_or_default();
            let is_there = |kid: &str| set.keys.iter().any(|other| other.key.kid.as_deref() == Some(kid));
            let check_kid = |kid: Option<&str>| match kid {
                _ if !names(kid) => Err(UnusableKey::NoKid),
                Some(kid) if is_there(kid) => Err(UnusableKey::Repeated),
                _ => Ok(()),
            };
            match PublicKey::read(document, check_kid) {
                Ok(key) => set.keys.push(KeyOfSet {
                    number,
                    thumbprint: key.thumbprint.to_string(),
                    certificate: KeyCertificate::new(&x5c, &key.public),
                    key,
                }),
                Err(why) => set.left_out.push(LeftOutKey { number, kid, why }),
            }
        }
        set
    }

    /// Adds the life cycle of the keys: a key verifies only after it may have signed, and before it is
    /// removed.
    #[must_use]
    pub fn with_records(self, records: Vec<KeyRecord>) -> Self {
        Self { records, ..self }
    }

    /// The `kid` and the algorithm of each key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, SigningAlgorithm)> {
        self.keys.iter().filter_map(|KeyOfSet { key, .. }| {
            Some((key.kid.as_deref().unwrap_or_default(), key.algorithm.as_str().parse().ok()?))
        })
    }

    /// The thumbprint of the key that is registered for a certificate with this `SubjectPublicKeyInfo` (DER)
    /// and thumbprint (RFC 8705 §2.2.2). A key with `x5c` accepts only that certificate; a key without `x5c`
    /// accepts every certificate of the key.
    #[must_use]
    pub fn of_certificate(&self, public_key: &[u8], thumbprint: Thumbprint) -> Option<&str> {
        let key = self.keys.iter().find(|key| match &key.certificate {
            KeyCertificate::NotNamed => has_der(&key.key.public, public_key),
            KeyCertificate::Named(named) => *named == thumbprint,
            KeyCertificate::OfAnotherKey => false,
        });
        key.map(|key| key.thumbprint.as_str())
    }

    /// The positions, counted from 1, of usable keys whose `x5c` does not begin with a certificate of the
    /// key.
    pub fn with_another_certificate(&self) -> impl Iterator<Item = usize> {
        let is_other = |key: &KeyOfSet| key.certificate == KeyCertificate::OfAnotherKey;
        self.keys.iter().filter(move |key| is_other(key)).map(|key| key.number)
    }

    pub fn thumbprints(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| key.thumbprint.as_str())
    }

    /// The keys that could have signed a token with this header (RFC 7515 §6), each with its thumbprint: keys
    /// with this algorithm, and with this `kid` or none.
    pub(crate) fn candidates<'a, 'n>(
        &'a self,
        kid: Option<&'n str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = (&'a str, VerificationKey<'a>)> + use<'a, 'n> {
        let fits = move |KeyOfSet { key, .. }: &&KeyOfSet| {
            let names_another = kid.zip(key.kid.as_deref()).is_some_and(|(wanted, kid)| wanted != kid);
            key.algorithm == algorithm && !names_another
        };
        self.keys.iter().filter(fits).map(|key| (key.thumbprint.as_str(), VerificationKey::from(&key.key)))
    }
}

impl KeyCertificate {
    /// RFC 7517 §4.7: "The key in the first certificate MUST match the public key represented by
    /// other members of the JWK."
    fn new(x5c: &Value, public: &ParsedPublicKey) -> Self {
        if x5c.is_null() {
            return Self::NotNamed;
        }
        let certificate = x5c[0].as_str().and_then(|first| BASE64.decode(first).ok());
        let certificate = certificate.filter(|der| {
            public_key_of_certificate(der).is_some_and(|public_key| has_der(public, &public_key))
        });
        certificate.map_or(Self::OfAnotherKey, |der| {
            let thumbprint = latchkey_verifier::Thumbprint::of_certificate(&der);
            Self::Named(Thumbprint::new(thumbprint.into_bytes()))
        })
    }
}

/// The `SubjectPublicKeyInfo` of a certificate in DER (RFC 5280 §4.1.2.7). `None` if the bytes are not a
/// certificate.
fn public_key_of_certificate(der: &[u8]) -> Option<Vec<u8>> {
    Certificate::from_der(der).ok()?.tbs_certificate().subject_public_key_info().to_der().ok()
}

/// Whether the `SubjectPublicKeyInfo` (DER) is that of the key.
fn has_der(public: &ParsedPublicKey, subject_public_key_info: &[u8]) -> bool {
    let der: Result<PublicKeyX509Der<'_>, _> = public.as_der();
    der.is_ok_and(|der| der.as_ref() == subject_public_key_info)
}

impl VerificationKeys for PublicKeys {
    fn key(&self, kid: &str, skew: Lifetime, now: Timestamp) -> Option<VerificationKey<'_>> {
        let KeyOfSet { key, .. } = self.keys.iter().find(|key| key.key.kid.as_deref() == Some(kid))?;
        let kid = Kid::parse(kid);
        let record = self.records.iter().find(|record| Some(record.id.kid()) == kid);
        let may_verify = record.is_none_or(|record| record.verifies_at(now, skew));
        may_verify.then_some(VerificationKey::from(key))
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
    use proptest::collection::vec;
    use proptest::prelude::{prop_assert_eq, proptest};
    use serde_json::json;

    use super::*;
    use crate::JwkSet;
    use crate::test_keys::{at, numbered, published, record, signed_parts, with, without};

    const NOW: Timestamp = Timestamp::from_seconds(1_000);
    const SKEW: Lifetime = Lifetime::from_seconds(30);

    fn jwk(number: u32, algorithm: SigningAlgorithm) -> Value {
        json!(numbered(number, algorithm).jwk)
    }

    fn read(keys: &[Value]) -> PublicKeys {
        PublicKeys::read(&json!({ "keys": keys }).to_string()).unwrap()
    }

    #[test]
    fn published_set_verifies_signatures_of_its_keys() {
        for algorithm in SigningAlgorithm::ALL {
            let key = numbered(1, algorithm);
            let set = published(&JwkSet::new(vec![key.jwk.clone()]));
            assert_eq!(set.iter().collect::<Vec<_>>(), [("oauth2-key-1", algorithm)]);
            assert!(set.left_out.is_empty());
            let token = key.sign("JWT", &()).unwrap();
            let (signed, signature) = signed_parts(&token);
            let found = set.key("oauth2-key-1", SKEW, NOW).unwrap();
            assert!(found.verifies(signed, &signature), "{algorithm}");
            assert!(!found.verifies(b"other", &signature), "{algorithm}");
            assert!(set.key("oauth2-key-2", SKEW, NOW).is_none());
        }
    }

    #[test]
    fn missing_alg_is_derived_from_the_key_type() {
        use SigningAlgorithm::{ES256, ES384, EdDSA, PS256, RS256};
        for (of, expected) in [(RS256, RS256), (PS256, RS256), (ES256, ES256), (ES384, ES384), (EdDSA, EdDSA)]
        {
            let set = read(&[without(without(jwk(1, of), "alg"), "use")]);
            assert_eq!(set.iter().collect::<Vec<_>>(), [("oauth2-key-1", expected)]);
        }
    }

    #[test]
    fn unusable_key_is_left_out_with_reason() {
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
        let expected = "key 2 of the set (oauth2-key-1): a key before it has the same `kid`";
        assert_eq!(twice.left_out[0].to_string(), expected);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}", members in "[\\[\\]{}\",:a-z0-9]{0,100}") {
            let _ = PublicKeys::read_of_client(&text).map(|_| ());
            let _ = PublicKeys::read_of_client(&format!("{{\"keys\":[{members}]}}")).map(|_| ());
        }

        #[test]
        fn good_key_is_kept_among_invalid_keys(junk in vec(".{0,20}", 0..8), name in "[a-z]{1,8}", place in 0_usize..8) {
            let good = jwk(1, SigningAlgorithm::EdDSA);
            let mut keys: Vec<_> = junk.iter().map(|text| json!({ name.as_str(): text })).collect();
            keys.insert(place.min(keys.len()), good);
            let set = PublicKeys::read_of_client(&json!({ "keys": keys, "more": junk }).to_string()).unwrap();
            prop_assert_eq!(set.iter().collect::<Vec<_>>(), [("oauth2-key-1", SigningAlgorithm::EdDSA)]);
            prop_assert_eq!(set.left_out.len(), junk.len());
        }
    }

    #[test]
    fn key_is_used_only_between_activation_and_removal() {
        let key = numbered(1, SigningAlgorithm::ES256);
        for (active_from, removed_at, expected) in
            [(0, None, true), (1_030, None, true), (1_031, None, false), (0, Some(1_000), false)]
        {
            let (active_from, removed_at) = (at(active_from), removed_at.map(at));
            let record = KeyRecord { active_from, removed_at, ..record(&key) };
            let set = read(&[json!(key.jwk)]).with_records(vec![record]);
            let found = set.key("oauth2-key-1", SKEW, NOW);
            assert_eq!(found.is_some(), expected, "{active_from:?} {removed_at:?}");
        }
    }
}
