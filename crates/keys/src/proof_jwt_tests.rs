//! Tests proofs with keys of each kind, as parsed by `latchkey-verifier`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use latchkey_verifier::ProofError;
use latchkey_verifier::rules::ProofJwt;
use proptest::prelude::*;
use protocol::SigningAlgorithm;
use serde_json::{Value, json};

use crate::SigningKey;
use crate::test_keys::{forged, numbered, with as changed, without};

const TYP: &str = "dpop+jwt";

fn key(algorithm: SigningAlgorithm) -> SigningKey {
    numbered(1, algorithm)
}

fn jwk(algorithm: SigningAlgorithm) -> Value {
    let jwk = json!(key(algorithm).jwk);
    let public = ["kty", "crv", "x", "y", "n", "e"];
    public.into_iter().filter_map(|name| Some((name.to_owned(), jwk.get(name)?.clone()))).collect()
}

fn header(algorithm: SigningAlgorithm) -> Value {
    json!({ "typ": TYP, "alg": algorithm, "jwk": jwk(algorithm) })
}

fn verify(token: &str) -> Result<String, ProofError> {
    let jwt = ProofJwt::parse(token, TYP)?;
    jwt.unverified_claims::<Value>()?;
    Ok(jwt.verify()?.to_string())
}

// [dpop RFC 9449 §4.3 e]: 6: the key in `jwk` signed it
#[test]
fn each_algorithm_verifies_with_the_header_key() {
    for algorithm in SigningAlgorithm::ALL {
        let token = forged(header(algorithm).to_string(), "{}", &key(algorithm));
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
fn invalid_headers_are_refused() {
    use ProofError as E;
    use SigningAlgorithm::{ES256, ES384, EdDSA, RS256};
    let change = |object: Value, name: &str, value: &Value| {
        if value == "gone" { without(object, name) } else { changed(object, name, value.clone()) }
    };
    let check = |algorithm, header: Value, expected: Result<(), E>| {
        let token = forged(header.to_string(), "{}", &key(algorithm));
        let expected = expected.map(|()| key(algorithm).thumbprint.clone());
        assert_eq!(verify(&token), expected, "{header}");
    };
    let short = |bytes: usize| json!(BASE64URL.encode(vec![1; bytes]));
    let (url, names) = (json!(["https://a.example"]), json!(["none", "None", "HS256", "HS512", "ES512"]));
    for (algorithm, name, values, expected) in [
        (ES256, "typ", json!(["gone", "JWT", "at+jwt", "", "dpop+jwt "]), Err(E::OtherType)),
        (ES256, "typ", json!([7, null]), Err(E::Malformed)),
        (ES256, "alg", json!(["gone", null]), Err(E::Malformed)),
        (ES256, "alg", names, Err(E::AlgorithmNotAllowed)),
        (ES256, "alg", json!(["es256", "RSA-OAEP", ""]), Err(E::AlgorithmNotAllowed)),
        (ES256, "alg", json!(["ES384", "RS256", "EdDSA"]), Err(E::KeyNotUsable)),
        (RS256, "alg", json!(["PS256", "RS512"]), Err(E::SignatureInvalid)),
        (ES256, "crit", json!([["b64"], []]), Err(E::HeaderNotAllowed)),
        (ES256, "b64", json!([false]), Err(E::HeaderNotAllowed)),
        (ES256, "jku", url.clone(), Err(E::HeaderNotAllowed)),
        (ES256, "x5u", url, Err(E::HeaderNotAllowed)),
        (ES256, "x5c", json!([[]]), Err(E::HeaderNotAllowed)),
        (ES256, "x5t", json!(["a"]), Err(E::HeaderNotAllowed)),
        (ES256, "x5t#S256", json!(["a"]), Err(E::HeaderNotAllowed)),
        (ES256, "jwk", json!(["gone", null, "a", [], {}, { "keys": [jwk(ES256)] }]), Err(E::KeyNotUsable)),
        (ES256, "jwk", json!([{ "kty": "oct", "k": "AAAA" }, jwk(ES384), jwk(RS256)]), Err(E::KeyNotUsable)),
        (ES256, "typ", json!(["DPoP+JWT", "application/dpop+jwt"]), Ok(())),
        (ES256, "kid", json!(["any"]), Ok(())),
        (ES256, "unknown", json!([{ "a": [] }]), Ok(())),
    ] {
        for value in values.as_array().unwrap() {
            check(algorithm, change(header(algorithm), name, value), expected);
        }
    }
    for (algorithm, names, values, is_usable) in [
        (ES256, "d", json!(["AAAA", null]), false),
        (EdDSA, "d", json!(["AAAA"]), false),
        (ES256, "k", json!(["AAAA"]), false),
        (RS256, "d p q dp dq qi", json!(["AAAA"]), false),
        (RS256, "oth", json!([[]]), false),
        (ES256, "kty", json!(["gone", "RSA", 7]), false),
        (ES256, "crv", json!(["gone", "P-521", "secp256k1"]), false),
        (ES256, "x", json!(["gone", short(31), short(33), "*", "", short(32)]), false),
        (ES256, "y", json!(["gone"]), false),
        (EdDSA, "x", json!([short(31)]), false),
        (EdDSA, "crv", json!(["Ed448", "X25519"]), false),
        (RS256, "n", json!([short(128), short(255), short(1024), "", "gone"]), false),
        (RS256, "e", json!(["", "gone", "AA"]), false),
        (ES256, "use", json!(["enc", 7]), false),
        (ES256, "key_ops", json!([["sign"], [], "verify"]), false),
        (ES256, "alg", json!(["ES384", "ECDH-ES", 7]), false),
        (ES256, "use", json!(["sig"]), true),
        (ES256, "key_ops", json!([["verify"]]), true),
        (ES256, "alg", json!(["ES256"]), true),
        (EdDSA, "alg", json!(["Ed25519"]), true),
        (ES256, "kid", json!(["any"]), true),
        (ES256, "ext", json!([true]), true),
    ] {
        for (name, value) in names
            .split(' ')
            .flat_map(|name| values.as_array().unwrap().iter().map(move |value| (name, value)))
        {
            let jwk = change(header(algorithm)["jwk"].clone(), name, value);
            let expected = if is_usable { Ok(()) } else { Err(E::KeyNotUsable) };
            check(algorithm, changed(header(algorithm), "jwk", jwk), expected);
        }
    }
}

// [dpop RFC 9449 §4.3 b]: 2: one well-formed JWT
// [dpop RFC 9449 §4.3 g]
#[test]
fn malformed_jwt_or_repeated_names_are_refused() {
    let key = key(SigningAlgorithm::ES256);
    let header = header(SigningAlgorithm::ES256).to_string();
    let good = forged(&header, "{}", &key);
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
        forged(&twice, "{}", &key),
        forged("[]", "{}", &key),
        forged("", "{}", &key),
        forged(&header, "", &key),
        forged(&header, "[]", &key),
        forged(&header, "{\"a\":1,\"a\":2}", &key),
        forged(&header, "{}x", &key),
    ] {
        assert_eq!(verify(&token), Err(ProofError::Malformed), "{token}");
    }
    assert_eq!(verify(&forged(&twice_in_key, "{}", &key)), Err(ProofError::KeyNotUsable));
}

proptest! {
    #[test]
    fn any_text_is_refused(token in "[A-Za-z0-9_.-]{0,120}|.{0,60}", header in ".{0,60}", jwk in ".{0,40}") {
        prop_assert!(verify(&token).is_err());
        let header = format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{jwk},"x":{header}}}"#);
        let token = format!("{}.e30.AAAA", BASE64URL.encode(header));
        prop_assert!(verify(&token).is_err());
    }
}
