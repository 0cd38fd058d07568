//! Three hundred EC keys, each published and used once, verified by foreign libraries. A coordinate or half
//! of a signature that begins with zeros must keep them (RFC 7518 §6.2.1.2, §3.4). One in 256 does, so the
//! test generates keys and signatures until some are among them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use keys::{JwkSet, KeyId, PrivateKeyDocument, PublicParameters, SigningKey};
use openidconnect::JsonWebKey as _;
use openidconnect::core::{CoreJsonWebKey, CoreJwsSigningAlgorithm};
use protocol::SigningAlgorithm;
use serde_json::{Value, json};

use crate::foreign::{node, python};
use crate::host::Ran;

/// Number of keys of each curve.
const KEYS: u32 = 150;
/// Number of keys with a leading zero, for each curve and coordinate.
const SHORT: usize = 3;

const CURVES: [(SigningAlgorithm, usize); 2] = [(SigningAlgorithm::ES256, 32), (SigningAlgorithm::ES384, 48)];

/// A published key and a token that it signed.
struct Pair {
    jwk: Value,
    alg: &'static str,
    token: String,
}

// [keys RFC 7518 §6.2.1.2, §6.2.1.3]
#[test]
fn jose_verifies_by_each_of_three_hundred_ec_keys() {
    verified_by(|environment| node(include_str!("scripts/verify_pairs.cjs"), environment));
}

// [keys RFC 7518 §6.2.1.2, §6.2.1.3]
#[test]
fn pyjwt_verifies_by_each_of_three_hundred_ec_keys() {
    verified_by(|environment| python(include_str!("scripts/verify_pairs.py"), environment));
}

// [keys RFC 7518 §6.2.1.2, §6.2.1.3]
#[test]
fn openidconnect_verifies_by_each_of_three_hundred_ec_keys() {
    let pairs = pairs();
    let is_taken = |token: &str, Pair { jwk, alg, .. }: &Pair| {
        let key: CoreJsonWebKey = serde_json::from_value(jwk.clone()).unwrap();
        let algorithm: CoreJwsSigningAlgorithm = serde_json::from_value(json!(alg)).unwrap();
        let (message, signature) = token.rsplit_once('.').unwrap();
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
        key.verify_signature(&algorithm, message.as_bytes(), &signature).is_ok()
    };
    for (index, pair) in pairs.iter().enumerate() {
        assert!(is_taken(&pair.token, pair), "{} by {}", pair.token, pair.jwk);
        let other = &pairs[(index + pairs.len() - 1) % pairs.len()];
        assert!(!is_taken(&pair.token, other), "{} by {}", pair.token, other.jwk);
    }
}

fn verified_by(verify: impl Fn(&[(&str, &str)]) -> Ran) {
    let pairs = pairs();
    let written: Vec<_> = pairs
        .iter()
        .map(|Pair { jwk, alg, token }| json!({ "jwk": jwk, "alg": alg, "token": token }))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pairs.json");
    std::fs::write(&path, serde_json::to_vec(&written).unwrap()).unwrap();
    let verdict: Value =
        serde_json::from_str(&verify(&[("PAIRS", &path.to_string_lossy())]).output()).unwrap();
    assert_eq!(verdict, json!({ "own": pairs.len(), "other": 0 }));
}

/// The pairs are as in the published key set: all coordinates have full length, some with leading zeros.
fn pairs() -> Vec<Pair> {
    let (mut pairs, mut short) = (Vec::new(), BTreeMap::new());
    for (algorithm, size) in CURVES {
        let first = pairs.len();
        while pairs.len() - first < KEYS as usize {
            let number = u32::try_from(pairs.len()).unwrap() + 1;
            let document = PrivateKeyDocument::generate(algorithm).unwrap();
            let key = SigningKey::parse(KeyId::numbered(number), algorithm, document.expose()).unwrap();
            let begin_with_zero = zeros(&key, size);
            // The last keys of a curve are reserved for those with leading zeros.
            let left = KEYS as usize - (pairs.len() - first);
            let wanting = |name: &str| {
                SHORT.saturating_sub(short.get(&(algorithm, name.to_owned())).map_or(0, |count| *count))
            };
            let is_wanted = begin_with_zero.iter().any(|name| wanting(name) > 0);
            if !is_wanted && left <= wanting("x") + wanting("y") {
                continue;
            }
            for name in &begin_with_zero {
                *short.entry((algorithm, (*name).to_owned())).or_insert(0) += 1;
            }
            let token =
                if is_wanted { short_signature(&key, size) } else { key.sign("JWT", &claims(0)).unwrap() };
            pairs.push(Pair { jwk: published(&key), alg: algorithm.as_str(), token });
        }
    }
    assert!(short.len() == 4 && short.values().all(|count| *count >= SHORT), "{short:?}");
    pairs
}

/// The coordinates that begin with a zero.
fn zeros(key: &SigningKey, size: usize) -> Vec<&'static str> {
    let PublicParameters::Ec { x, y, .. } = &key.jwk.parameters else { panic!("not an EC key: {key:?}") };
    let begins_with_zero = |coordinate: &str| {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(coordinate).unwrap();
        assert_eq!(bytes.len(), size, "{coordinate}");
        bytes[0] == 0
    };
    [("x", x), ("y", y)]
        .into_iter()
        .filter(|(_, value)| begins_with_zero(value))
        .map(|(name, _)| name)
        .collect()
}

/// A token whose signature has a half with a leading zero.
fn short_signature(key: &SigningKey, size: usize) -> String {
    let tokens = (0..).map(|number| key.sign("JWT", &claims(number)).unwrap());
    let is_short = |token: &String| {
        let signature = BASE64_URL_SAFE_NO_PAD.decode(token.rsplit_once('.').unwrap().1).unwrap();
        assert_eq!(signature.len(), 2 * size, "{token}");
        signature[0] == 0 || signature[size] == 0
    };
    tokens.into_iter().find(is_short).unwrap()
}

fn claims(number: u32) -> Value {
    json!({ "sub": "a client", "exp": 4_000_000_000_u64, "jti": number.to_string() })
}

fn published(key: &SigningKey) -> Value {
    let set = JwkSet::new(vec![key.jwk.clone()]);
    let mut document: Value = serde_json::from_slice(&set.json).unwrap();
    document["keys"][0].take()
}
