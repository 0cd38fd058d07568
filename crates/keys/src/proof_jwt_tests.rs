//! Tests proofs with keys of each kind, as `latchkey-verifier` reads them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use latchkey_verifier::ProofError;
use latchkey_verifier::rules::ProofJwt;
use proptest::prelude::*;
use protocol::SigningAlgorithm;
use serde_json::{Value, json};

use crate::{KeyId, SigningKey, test_keys};

const TYP: &str = "dpop+jwt";

fn key(algorithm: SigningAlgorithm) -> SigningKey {
    test_keys::signing_key(KeyId::numbered(1), algorithm)
}

fn jwk(algorithm: SigningAlgorithm) -> Value {
    let jwk = json!(key(algorithm).jwk);
    let public = ["kty", "crv", "x", "y", "n", "e"];
    public.into_iter().filter_map(|name| Some((name.to_owned(), jwk.get(name)?.clone()))).collect()
}

fn header(algorithm: SigningAlgorithm) -> Value {
    json!({ "typ": TYP, "alg": algorithm, "jwk": jwk(algorithm) })
}

fn signed(header: &str, claims: &str, key: &SigningKey) -> String {
    let mut token = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(claims)).into_bytes();
    key.append_signature(&mut token).unwrap();
    String::from_utf8(token).unwrap()
}

fn verify(token: &str) -> Result<String, ProofError> {
    let jwt = ProofJwt::parse(token, TYP)?;
    jwt.unverified_claims::<Value>()?;
    Ok(jwt.verify()?.to_string())
}

// [dpop RFC 9449 §4.3 e]: 6: the key in `jwk` signed it
#[test]
fn each_algorithm_is_verified_with_the_key_of_the_header() {
    for algorithm in SigningAlgorithm::ALL {
        let token = signed(&header(algorithm).to_string(), "{}", &key(algorithm));
        assert_eq!(verify(&token), Ok(key(algorithm).thumbprint.clone()), "{algorithm}");
        assert!(verify(&token[..token.len() - 4]).is_err(), "{algorithm}");
        let (signed_part, _) = token.rsplit_once('.').unwrap();
        let other = format!("{signed_part}.{}", BASE64URL.encode([7; 64]));
        assert_eq!(verify(&other), Err(ProofError::SignatureInvalid), "{algorithm}");
    }
}

// [dpop RFC 9449 §4.2]: A proof has `typ`, `alg`, `jwk`, `jti`, `htm`, `htu` and `iat`
// [dpop RFC 9449 §4.3 d]: 4: `typ` is `dpop+jwt`
// [dpop RFC 9449 §4.3, §11.6]: 5: an asymmetric algorithm, never `none` or a MAC, and that of the key
// [dpop RFC 9449 §4.3 f]: 7: `jwk` has no private key
// [dpop RFC 9449 §4.3 g]: Ours: an RSA key has 2048 to 4096 bits, and a proof at most 8 KiB, because its
//   sender chooses both
#[test]
fn every_other_header_is_refused() {
    use ProofError as E;
    use SigningAlgorithm::{ES256, ES384, EdDSA, RS256};
    let with = |algorithm: SigningAlgorithm, name: &str, value: Value| {
        let mut header = header(algorithm);
        if value == json!("gone") {
            header.as_object_mut().unwrap().remove(name);
        } else {
            header[name] = value;
        }
        (algorithm, header)
    };
    let jwk_with = |algorithm: SigningAlgorithm, name: &str, value: Value| {
        let mut header = header(algorithm);
        if value == json!("gone") {
            header["jwk"].as_object_mut().unwrap().remove(name);
        } else {
            header["jwk"][name] = value;
        }
        (algorithm, header)
    };
    let short = |bytes: usize| json!(BASE64URL.encode(vec![1; bytes]));
    for ((algorithm, header), expected) in [
        (with(ES256, "typ", json!("gone")), E::OtherType),
        (with(ES256, "typ", json!("JWT")), E::OtherType),
        (with(ES256, "typ", json!("at+jwt")), E::OtherType),
        (with(ES256, "typ", json!("")), E::OtherType),
        (with(ES256, "typ", json!("dpop+jwt ")), E::OtherType),
        (with(ES256, "typ", json!(7)), E::Malformed),
        (with(ES256, "typ", json!(null)), E::Malformed),
        (with(ES256, "alg", json!("gone")), E::Malformed),
        (with(ES256, "alg", json!(null)), E::Malformed),
        (with(ES256, "alg", json!("none")), E::AlgorithmNotAllowed),
        (with(ES256, "alg", json!("None")), E::AlgorithmNotAllowed),
        (with(ES256, "alg", json!("HS256")), E::AlgorithmNotAllowed),
        (with(ES256, "alg", json!("HS512")), E::AlgorithmNotAllowed),
        (with(ES256, "alg", json!("ES512")), E::AlgorithmNotAllowed),
        (with(ES256, "alg", json!("es256")), E::AlgorithmNotAllowed),
        (with(ES256, "alg", json!("RSA-OAEP")), E::AlgorithmNotAllowed),
        (with(ES256, "alg", json!("")), E::AlgorithmNotAllowed),
        (with(ES256, "alg", json!("ES384")), E::KeyNotUsable),
        (with(ES256, "alg", json!("RS256")), E::KeyNotUsable),
        (with(ES256, "alg", json!("EdDSA")), E::KeyNotUsable),
        (with(RS256, "alg", json!("PS256")), E::SignatureInvalid),
        (with(RS256, "alg", json!("RS512")), E::SignatureInvalid),
        (with(ES256, "crit", json!(["b64"])), E::HeaderNotAllowed),
        (with(ES256, "crit", json!([])), E::HeaderNotAllowed),
        (with(ES256, "b64", json!(false)), E::HeaderNotAllowed),
        (with(ES256, "jku", json!("https://a.example")), E::HeaderNotAllowed),
        (with(ES256, "x5u", json!("https://a.example")), E::HeaderNotAllowed),
        (with(ES256, "x5c", json!([])), E::HeaderNotAllowed),
        (with(ES256, "x5t", json!("a")), E::HeaderNotAllowed),
        (with(ES256, "x5t#S256", json!("a")), E::HeaderNotAllowed),
        (with(ES256, "jwk", json!("gone")), E::KeyNotUsable),
        (with(ES256, "jwk", json!(null)), E::KeyNotUsable),
        (with(ES256, "jwk", json!("a")), E::KeyNotUsable),
        (with(ES256, "jwk", json!([])), E::KeyNotUsable),
        (with(ES256, "jwk", json!({})), E::KeyNotUsable),
        (with(ES256, "jwk", json!({ "keys": [jwk(ES256)] })), E::KeyNotUsable),
        (with(ES256, "jwk", json!({ "kty": "oct", "k": "AAAA" })), E::KeyNotUsable),
        (with(ES256, "jwk", jwk(ES384)), E::KeyNotUsable),
        (with(ES256, "jwk", jwk(RS256)), E::KeyNotUsable),
        (jwk_with(ES256, "d", json!("AAAA")), E::KeyNotUsable),
        (jwk_with(EdDSA, "d", json!("AAAA")), E::KeyNotUsable),
        (jwk_with(ES256, "d", json!(null)), E::KeyNotUsable),
        (jwk_with(ES256, "k", json!("AAAA")), E::KeyNotUsable),
        (jwk_with(RS256, "d", json!("AAAA")), E::KeyNotUsable),
        (jwk_with(RS256, "p", json!("AAAA")), E::KeyNotUsable),
        (jwk_with(RS256, "q", json!("AAAA")), E::KeyNotUsable),
        (jwk_with(RS256, "dp", json!("AAAA")), E::KeyNotUsable),
        (jwk_with(RS256, "dq", json!("AAAA")), E::KeyNotUsable),
        (jwk_with(RS256, "qi", json!("AAAA")), E::KeyNotUsable),
        (jwk_with(RS256, "oth", json!([])), E::KeyNotUsable),
        (jwk_with(ES256, "kty", json!("gone")), E::KeyNotUsable),
        (jwk_with(ES256, "kty", json!("RSA")), E::KeyNotUsable),
        (jwk_with(ES256, "kty", json!(7)), E::KeyNotUsable),
        (jwk_with(ES256, "crv", json!("gone")), E::KeyNotUsable),
        (jwk_with(ES256, "crv", json!("P-521")), E::KeyNotUsable),
        (jwk_with(ES256, "crv", json!("secp256k1")), E::KeyNotUsable),
        (jwk_with(ES256, "x", json!("gone")), E::KeyNotUsable),
        (jwk_with(ES256, "y", json!("gone")), E::KeyNotUsable),
        (jwk_with(ES256, "x", short(31)), E::KeyNotUsable),
        (jwk_with(ES256, "x", short(33)), E::KeyNotUsable),
        (jwk_with(ES256, "x", json!("*")), E::KeyNotUsable),
        (jwk_with(ES256, "x", json!("")), E::KeyNotUsable),
        (jwk_with(ES256, "x", short(32)), E::KeyNotUsable),
        (jwk_with(EdDSA, "x", short(31)), E::KeyNotUsable),
        (jwk_with(EdDSA, "crv", json!("Ed448")), E::KeyNotUsable),
        (jwk_with(EdDSA, "crv", json!("X25519")), E::KeyNotUsable),
        (jwk_with(RS256, "n", short(128)), E::KeyNotUsable),
        (jwk_with(RS256, "n", short(255)), E::KeyNotUsable),
        (jwk_with(RS256, "n", short(1024)), E::KeyNotUsable),
        (jwk_with(RS256, "n", json!("")), E::KeyNotUsable),
        (jwk_with(RS256, "n", json!("gone")), E::KeyNotUsable),
        (jwk_with(RS256, "e", json!("")), E::KeyNotUsable),
        (jwk_with(RS256, "e", json!("gone")), E::KeyNotUsable),
        (jwk_with(RS256, "e", json!("AA")), E::KeyNotUsable),
        (jwk_with(ES256, "use", json!("enc")), E::KeyNotUsable),
        (jwk_with(ES256, "use", json!(7)), E::KeyNotUsable),
        (jwk_with(ES256, "key_ops", json!(["sign"])), E::KeyNotUsable),
        (jwk_with(ES256, "key_ops", json!([])), E::KeyNotUsable),
        (jwk_with(ES256, "key_ops", json!("verify")), E::KeyNotUsable),
        (jwk_with(ES256, "alg", json!("ES384")), E::KeyNotUsable),
        (jwk_with(ES256, "alg", json!("ECDH-ES")), E::KeyNotUsable),
        (jwk_with(ES256, "alg", json!(7)), E::KeyNotUsable),
    ] {
        let token = signed(&header.to_string(), "{}", &key(algorithm));
        assert_eq!(verify(&token), Err(expected), "{header}");
    }
    for (algorithm, header) in [
        with(ES256, "typ", json!("DPoP+JWT")),
        with(ES256, "typ", json!("application/dpop+jwt")),
        with(ES256, "kid", json!("any")),
        with(ES256, "unknown", json!({ "a": [] })),
        jwk_with(ES256, "use", json!("sig")),
        jwk_with(ES256, "key_ops", json!(["verify"])),
        jwk_with(ES256, "alg", json!("ES256")),
        jwk_with(EdDSA, "alg", json!("Ed25519")),
        jwk_with(ES256, "kid", json!("any")),
        jwk_with(ES256, "ext", json!(true)),
    ] {
        let token = signed(&header.to_string(), "{}", &key(algorithm));
        assert_eq!(verify(&token), Ok(key(algorithm).thumbprint.clone()), "{header}");
    }
}

// [dpop RFC 9449 §4.3 b]: 2: one well-formed JWT
// [dpop RFC 9449 §4.3 g]
#[test]
fn what_is_no_jwt_with_unique_names_is_malformed() {
    let key = key(SigningAlgorithm::ES256);
    let header = header(SigningAlgorithm::ES256).to_string();
    let good = signed(&header, "{}", &key);
    let twice = header.replacen('{', "{\"alg\":\"ES256\",", 1);
    let twice_in_key = header.replacen("\"jwk\":{", "\"jwk\":{\"kty\":\"EC\",", 1);
    let (part, _) = good.rsplit_once('.').unwrap();
    for token in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "a.b.c".to_owned(),
        part.to_owned(),
        format!("{good}.{good}"),
        format!("{good}.a"),
        format!("{good}="),
        format!(" {good}"),
        format!("{good}, {good}"),
        format!("{good}{}", "A".repeat(8 * 1024)),
        signed(&twice, "{}", &key),
        signed("[]", "{}", &key),
        signed("", "{}", &key),
        signed(&header, "", &key),
        signed(&header, "[]", &key),
        signed(&header, "{\"a\":1,\"a\":2}", &key),
        signed(&header, "{}x", &key),
    ] {
        assert_eq!(verify(&token), Err(ProofError::Malformed), "{token}");
    }
    assert_eq!(verify(&signed(&twice_in_key, "{}", &key)), Err(ProofError::KeyNotUsable));
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(token in "[A-Za-z0-9_.-]{0,120}|.{0,60}", header in ".{0,60}", jwk in ".{0,40}") {
        prop_assert!(verify(&token).is_err());
        let header = format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{jwk},"x":{header}}}"#);
        let token = format!("{}.e30.AAAA", BASE64URL.encode(header));
        prop_assert!(verify(&token).is_err());
    }
}
