//! Private keys as JWK (RFC 7517 §4; RSA and EC of RFC 7518 §6, Ed25519 of RFC 8037 §2).

use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use protocol::SigningAlgorithm;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::ImportError;
use super::kind::{document_of_ec, document_of_ed25519};
use super::rsa_key;
use crate::PrivateKeyDocument;
use crate::key_kind::{KeyKind, algorithm_named};

/// The known members. A repeated member is an error; unknown members are ignored (RFC 7517 §4).
#[derive(Deserialize)]
struct PrivateJwk {
    kty: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    key_use: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<Number>,
    e: Option<Number>,
    x: Option<Number>,
    y: Option<Number>,
    d: Option<Number>,
    p: Option<Number>,
    q: Option<Number>,
    dp: Option<Number>,
    dq: Option<Number>,
    qi: Option<Number>,
    oth: Option<IgnoredAny>,
    keys: Option<IgnoredAny>,
}

/// A base64url number that is zeroized on drop.
struct Number(Zeroizing<Vec<u8>>);

/// Parses the key. Returns `alg` if the caller names no algorithm.
pub(super) fn read(
    json: &str,
    algorithm: Option<SigningAlgorithm>,
) -> Result<(SigningAlgorithm, PrivateKeyDocument), ImportError> {
    // serde's derive would also accept a JSON array for a struct.
    if !json.starts_with('{') {
        return Err(ImportError::NotJwk);
    }
    let jwk: PrivateJwk = serde_json::from_str(json).map_err(|_| ImportError::NotJwk)?;
    if jwk.keys.is_some() {
        return Err(ImportError::JwkSet);
    }
    let kind = jwk.kind()?;
    if jwk.d.is_none() && kind != KeyKind::Other {
        return Err(ImportError::Public);
    }
    let algorithm = jwk.algorithm(algorithm)?;
    kind.check(algorithm)?;
    let signs = |ops: &Vec<String>| ops.iter().any(|op| op == "sign");
    if jwk.key_use.as_ref().is_some_and(|key_use| key_use != "sig") || !jwk.key_ops.as_ref().is_none_or(signs)
    {
        return Err(ImportError::NotForSigning);
    }
    let document = match kind.curve() {
        Some(curve) => {
            let point = Zeroizing::new([&[4], bytes(&jwk.x, "x")?, bytes(&jwk.y, "y")?].concat());
            document_of_ec(EcdsaKeyPair::from_private_key_and_public_key(curve, bytes(&jwk.d, "d")?, &point))?
        }
        None if kind == KeyKind::Rsa => jwk.rsa()?,
        None => {
            let [seed, public_key] = [bytes(&jwk.d, "d")?, bytes(&jwk.x, "x")?];
            document_of_ed25519(Ed25519KeyPair::from_seed_and_public_key(seed, public_key))?
        }
    };
    Ok((algorithm, document))
}

impl PrivateJwk {
    fn kind(&self) -> Result<KeyKind, ImportError> {
        let kty = self.kty.as_deref().ok_or(ImportError::NotJwk)?;
        Ok(KeyKind::named(kty, self.crv.as_deref()))
    }

    fn algorithm(&self, wanted: Option<SigningAlgorithm>) -> Result<SigningAlgorithm, ImportError> {
        let declared = match self.alg.as_deref() {
            None => None,
            Some(alg) => Some(algorithm_named(alg).ok_or(ImportError::UnknownAlgorithm)?),
        };
        match (wanted, declared) {
            (Some(algorithm), Some(found)) if algorithm != found => {
                Err(ImportError::OtherAlgorithm { found, algorithm })
            }
            (Some(algorithm), _) | (None, Some(algorithm)) => Ok(algorithm),
            (None, None) => Err(ImportError::NoAlgorithm),
        }
    }

    /// aws-lc-rs checks that all numbers fit together. The five numbers other than `d` may be omitted, but
    /// only all together (RFC 7518 §6.3.2).
    fn rsa(&self) -> Result<PrivateKeyDocument, ImportError> {
        if self.oth.is_some() {
            return Err(ImportError::Malformed);
        }
        let (n, e) = (bytes(&self.n, "n")?, bytes(&self.e, "e")?);
        rsa_key::check(n, e)?;
        if [&self.p, &self.q, &self.dp, &self.dq, &self.qi].into_iter().all(Option::is_none) {
            return rsa_key::from_exponents(n, e, bytes(&self.d, "d")?);
        }
        rsa_key::document_of(RsaKeyPair::from_components(&KeyPairComponents {
            public_key: PublicKeyComponents { n, e },
            d: bytes(&self.d, "d")?,
            p: bytes(&self.p, "p")?,
            q: bytes(&self.q, "q")?,
            dP: bytes(&self.dp, "dp")?,
            dQ: bytes(&self.dq, "dq")?,
            qInv: bytes(&self.qi, "qi")?,
        }))
    }
}

fn bytes<'a>(number: &'a Option<Number>, name: &'static str) -> Result<&'a [u8], ImportError> {
    number.as_ref().map(|number| number.0.as_slice()).ok_or(ImportError::Incomplete(name))
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let decoded = BASE64URL.decode(text.as_bytes());
        decoded.map(|bytes| Self(Zeroizing::new(bytes))).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rsa::RsaPrivateKey;
    use rsa::pkcs8::DecodePrivateKey as _;
    use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
    use serde_json::{Map, Value, json};
    use values::Secret;

    use crate::import::{ImportError, ImportedKey, import, import_key};
    use crate::test_keys::{P384_PKCS8, RSA_2048_E3_PKCS8, RSA_2048_PKCS8, RSA_3072_PKCS8, with, without};
    use aws_lc_rs::encoding::{AsBigEndian as _, EcPrivateKeyBin};

    use super::*;

    const RS256: SigningAlgorithm = SigningAlgorithm::RS256;
    const ES256: SigningAlgorithm = SigningAlgorithm::ES256;

    fn rsa(pem: &str) -> Value {
        let key = RsaPrivateKey::from_pkcs8_pem(pem).unwrap();
        let number = |bytes: Vec<u8>| BASE64URL.encode(bytes);
        json!({
            "kty": "RSA", "kid": "anything", "n": number(key.n().to_bytes_be()), "e": number(key.e().to_bytes_be()),
            "d": number(key.d().to_bytes_be()), "p": number(key.primes()[0].to_bytes_be()),
            "q": number(key.primes()[1].to_bytes_be()), "dp": number(key.dp().unwrap().to_bytes_be()),
            "dq": number(key.dq().unwrap().to_bytes_be()), "qi": number(key.qinv().unwrap().to_bytes_be().1),
        })
    }

    /// The key of RFC 7517 §A.2.
    fn p256() -> Value {
        json!({
            "kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
            "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM", "d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
        })
    }

    fn p384() -> Value {
        let imported = import(&Secret::new(P384_PKCS8.to_owned()), SigningAlgorithm::ES384).unwrap();
        let curve = &aws_lc_rs::signature::ECDSA_P384_SHA384_FIXED_SIGNING;
        let pair = EcdsaKeyPair::from_pkcs8(curve, imported.pkcs8.expose()).unwrap();
        let d: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().unwrap();
        let jwk = json!(crate::test_keys::numbered(1, SigningAlgorithm::ES384).jwk);
        with(jwk, "d", json!(BASE64URL.encode(d.as_ref())))
    }

    /// The key of RFC 8037 §A.1.
    fn ed25519() -> Value {
        json!({
            "kty": "OKP", "crv": "Ed25519", "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        })
    }

    fn read_json(jwk: &Value, algorithm: Option<SigningAlgorithm>) -> Result<ImportedKey, ImportError> {
        import_key(&Secret::new(jwk.to_string()), algorithm)
    }

    #[track_caller]
    fn refused(jwk: &Value, algorithm: SigningAlgorithm, expected: &ImportError) {
        let error = read_json(jwk, Some(algorithm)).unwrap_err();
        assert_eq!(&error, expected);
        if let Some(d) = jwk["d"].as_str().filter(|d| d.len() > 8) {
            assert!(!format!("{error} {error:?}").contains(&d[..8]));
        }
    }

    #[test]
    fn jwk_and_pem_give_the_same_key() {
        for pem in [RSA_2048_PKCS8, RSA_3072_PKCS8] {
            let from_pem = import(&Secret::new(pem.to_owned()), RS256).unwrap();
            let from_jwk = read_json(&rsa(pem), Some(SigningAlgorithm::PS256)).unwrap();
            assert_eq!(from_jwk.thumbprint, from_pem.thumbprint);
            assert_eq!(from_jwk.pkcs8.expose(), from_pem.pkcs8.expose());
        }
        let key = read_json(&p256(), Some(ES256)).unwrap();
        assert_eq!(key.thumbprint, "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s");
        let from_pem = import(&Secret::new(P384_PKCS8.to_owned()), SigningAlgorithm::ES384).unwrap();
        let from_jwk = read_json(&p384(), None).unwrap();
        assert_eq!(from_jwk.pkcs8.expose(), from_pem.pkcs8.expose());
        let key = read_json(&ed25519(), Some(SigningAlgorithm::EdDSA)).unwrap();
        assert_eq!(key.thumbprint, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn algorithm_comes_from_caller_or_else_jwk() {
        let key = read_json(&with(rsa(RSA_2048_PKCS8), "alg", json!("RS512")), None).unwrap();
        assert_eq!(key.algorithm, SigningAlgorithm::RS512);
        let key = read_json(&with(ed25519(), "alg", json!("Ed25519")), None).unwrap();
        assert_eq!(key.algorithm, SigningAlgorithm::EdDSA);
        assert_eq!(read_json(&p256(), None).unwrap_err(), ImportError::NoAlgorithm);
        let found = SigningAlgorithm::ES384;
        let other = with(p256(), "alg", json!("ES384"));
        refused(&other, ES256, &ImportError::OtherAlgorithm { found, algorithm: ES256 });
        let mismatch = ImportError::Mismatch { found: "an EC key on P-256", algorithm: found };
        assert_eq!(read_json(&other, None).unwrap_err(), mismatch);
        for alg in ["none", "HS256", "ES512", "RSA-OAEP", ""] {
            refused(&with(p256(), "alg", json!(alg)), ES256, &ImportError::UnknownAlgorithm);
        }
    }

    #[test]
    fn public_keys_and_keys_for_other_uses_are_refused() {
        for (jwk, algorithm) in
            [(rsa(RSA_2048_PKCS8), RS256), (p256(), ES256), (ed25519(), SigningAlgorithm::EdDSA)]
        {
            refused(&without(jwk.clone(), "d"), algorithm, &ImportError::Public);
            refused(&with(jwk.clone(), "use", json!("enc")), algorithm, &ImportError::NotForSigning);
            refused(&with(jwk.clone(), "key_ops", json!(["verify"])), algorithm, &ImportError::NotForSigning);
            assert!(read_json(&with(jwk.clone(), "key_ops", json!(["sign"])), Some(algorithm)).is_ok());
            refused(&json!({"keys": [jwk.clone()]}), algorithm, &ImportError::JwkSet);
            refused(&json!([jwk]), algorithm, &ImportError::NotJwk);
        }
        let other = |algorithm| ImportError::Mismatch { found: "a key of another kind", algorithm };
        refused(&json!({"kty": "oct", "k": "AAAA"}), ES256, &other(ES256));
        for crv in ["P-521", "secp256k1", "p-256", "Ed25519"] {
            refused(&with(p256(), "crv", json!(crv)), ES256, &other(ES256));
        }
        let eddsa = SigningAlgorithm::EdDSA;
        refused(&with(ed25519(), "crv", json!("X25519")), eddsa, &other(eddsa));
        refused(&with(ed25519(), "crv", json!("Ed448")), eddsa, &other(eddsa));
        refused(&p256(), RS256, &ImportError::Mismatch { found: "an EC key on P-256", algorithm: RS256 });
        let foreign = with(p256(), "crv", json!("P-384"));
        refused(&foreign, SigningAlgorithm::ES384, &ImportError::Malformed);
    }

    // [keys RFC 7518 §6.3.2]
    #[test]
    fn inconsistent_key_members_are_refused() {
        let key = rsa(RSA_2048_PKCS8);
        for name in ["n", "e", "d", "p", "q", "dp", "dq", "qi"] {
            let mut bytes = BASE64URL.decode(key[name].as_str().unwrap()).unwrap();
            *bytes.last_mut().unwrap() ^= 2;
            let altered = with(key.clone(), name, json!(BASE64URL.encode(bytes)));
            refused(&altered, RS256, &ImportError::Malformed);
            let missing = if name == "d" { ImportError::Public } else { ImportError::Incomplete(name) };
            refused(&without(key.clone(), name), RS256, &missing);
        }
        refused(&with(key.clone(), "oth", json!([])), RS256, &ImportError::Malformed);
        let foreign = rsa(RSA_3072_PKCS8);
        refused(&with(key.clone(), "n", foreign["n"].clone()), RS256, &ImportError::Malformed);
        let short = &key["p"];
        refused(&with(key.clone(), "n", short.clone()), RS256, &ImportError::RsaSize { bits: 1024 });
        for (jwk, algorithm) in [(p256(), ES256), (ed25519(), SigningAlgorithm::EdDSA)] {
            for name in ["x", "y", "d"].into_iter().filter(|name| jwk.get(name).is_some()) {
                let mut bytes = BASE64URL.decode(jwk[name].as_str().unwrap()).unwrap();
                bytes[5] ^= 1;
                let altered = with(jwk.clone(), name, json!(BASE64URL.encode(&bytes)));
                refused(&altered, algorithm, &ImportError::Malformed);
                let cut = with(jwk.clone(), name, json!(BASE64URL.encode(&bytes[1..])));
                refused(&cut, algorithm, &ImportError::Malformed);
            }
        }
        refused(&without(p256(), "y"), ES256, &ImportError::Incomplete("y"));
    }

    // [found 19]: RSA keys with exponents 3 and 17 were imported | fixed | New RSA keys with an exponent
    //   below 65537 are refused
    // [keys RFC 7518 §6.3.1.2]
    #[test]
    fn valid_key_with_small_exponent_is_refused() {
        refused(&rsa(RSA_2048_E3_PKCS8), RS256, &ImportError::RsaExponent);
        let short = ["p", "q", "dp", "dq", "qi"].into_iter().fold(rsa(RSA_2048_E3_PKCS8), without);
        refused(&short, RS256, &ImportError::RsaExponent);
    }

    // [keys RFC 7518 §6.3.2]: An imported private RSA key may omit its primes and the members derived from
    //   them: all of them or none
    #[test]
    fn rsa_primes_may_only_be_omitted_together() {
        const LEFT_OUT: [&str; 5] = ["p", "q", "dp", "dq", "qi"];
        for pem in [RSA_2048_PKCS8, RSA_3072_PKCS8] {
            let whole = rsa(pem);
            let short = LEFT_OUT.into_iter().fold(whole.clone(), without);
            let [whole, short] = [whole, short].map(|jwk| read_json(&jwk, Some(RS256)).unwrap());
            assert_eq!(short.thumbprint, whole.thumbprint);
            let id = crate::KeyId::numbered(1);
            let [whole, short] =
                [whole, short].map(|key| crate::SigningKey::parse(id, RS256, key.pkcs8.expose()).unwrap());
            // PKCS#1 signatures are deterministic, so equal signatures show that the keys are the same.
            assert_eq!(whole.sign("JWT", &()).unwrap(), short.sign("JWT", &()).unwrap());
        }
        let short = LEFT_OUT.into_iter().fold(rsa(RSA_2048_PKCS8), without);
        let n = BASE64URL.decode(short["n"].as_str().unwrap()).unwrap();
        for d in [vec![], vec![0], vec![1], vec![2], vec![7; 256], n.clone(), [n, vec![0]].concat()] {
            let altered = with(short.clone(), "d", json!(BASE64URL.encode(d)));
            refused(&altered, RS256, &ImportError::Malformed);
        }
        for e in [vec![1, 0, 3], vec![255; 300]] {
            refused(&with(short.clone(), "e", json!(BASE64URL.encode(e))), RS256, &ImportError::Malformed);
        }
        for e in [vec![], vec![0], vec![1], vec![3], vec![0, 0, 3], vec![1, 0, 0]] {
            refused(&with(short.clone(), "e", json!(BASE64URL.encode(e))), RS256, &ImportError::RsaExponent);
        }
        for kept in LEFT_OUT {
            let first = LEFT_OUT.into_iter().find(|name| *name != kept).unwrap();
            let torn = with(short.clone(), kept, rsa(RSA_2048_PKCS8)[kept].clone());
            refused(&torn, RS256, &ImportError::Incomplete(first));
        }
    }

    #[test]
    fn malformed_jwk_is_refused() {
        let twice = p256().to_string().replacen('{', r#"{"d":"AAAA","#, 1);
        let padded = with(p256(), "d", json!("870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE="));
        for text in ["{", "{}", r#"{"kty":1}"#, &twice, &padded.to_string(), r#"["EC","ES256"]"#, "[]"] {
            let error = import(&Secret::new(text.to_owned()), ES256).unwrap_err();
            assert_eq!(error, ImportError::NotJwk, "{text}");
        }
        assert!(import(&Secret::new(format!(" {}\n", p256())), ES256).is_ok());
    }

    proptest! {
        #[test]
        fn arbitrary_members_are_read_or_refused_with_message(
            members in proptest::collection::btree_map(
                proptest::sample::select(vec![
                    "kty", "alg", "use", "key_ops", "crv", "n", "e", "x", "y", "d", "p", "q", "dp", "dq", "qi", "oth", "keys",
                ]),
                prop_oneof![
                    proptest::sample::select(vec!["RSA", "EC", "OKP", "P-256", "P-384", "Ed25519", "ES256", "sig", "AQAB", ""])
                        .prop_map(Value::from),
                    proptest::collection::vec(any::<u8>(), 0..64).prop_map(|bytes| json!(BASE64URL.encode(bytes))),
                    Just(json!(["sign"])), Just(json!(1)), Just(Value::Null),
                ],
                0..17,
            ),
            base in proptest::sample::select(vec![json!({}), p256(), p384(), ed25519()]),
            algorithm in proptest::option::of(proptest::sample::select(SigningAlgorithm::ALL.to_vec())),
        ) {
            let mut jwk: Map<String, Value> = base.as_object().unwrap().clone();
            jwk.extend(members.into_iter().map(|(name, value)| (name.to_owned(), value)));
            match read_json(&Value::Object(jwk), algorithm) {
                Ok(key) => prop_assert_eq!(key.thumbprint.len(), 43),
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }

        #[test]
        fn json_fragments_are_refused(scraps in proptest::collection::vec(
            prop_oneof![
                Just("{"), Just("}"), Just("["), Just("]"), Just(","), Just(":"), Just("\"kty\":"), Just("\"EC\""), Just("\"d\":"),
                Just("\"AA\""), Just("null"), Just("\u{e9}"),
            ],
            0..16,
        )) {
            let found = import_key(&Secret::new(format!("{{{}", scraps.concat())), None);
            prop_assert!(found.is_err());
        }
    }
}
