//! Checks verification with the same test vectors as the crate `latchkey-verifier`, so that both run the same
//! checks in the same order. The expected results were derived from the RFCs by hand. The tokens are signed
//! with keys from `tests/keys`.

use protocol::Confirmation;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use values::{Lifetime, Timestamp};

use crate::{Expectations, LEEWAY, PublicKeys, inspect};

/// The claims that Latchkey requires of an access token.
#[derive(Deserialize)]
#[expect(dead_code, reason = "only read")]
struct VectorClaims {
    sub: String,
    jti: String,
    client_id: String,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default, deserialize_with = "confirmation")]
    cnf: Option<Confirmation>,
}

fn confirmation<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Confirmation>, D::Error> {
    Confirmation::deserialize(deserializer).map(Some)
}

// [jwt RFC 7519 §4]: Claim names are unique; a token that repeats one is refused
// [jwt RFC 7519 §7.2]: Three parts of base64url without padding, blanks and line ends; JSON objects inside;
//   anything else is refused
// [jwt RFC 7519 §7.2 c]: Encrypted and nested tokens. Optional, and left out: our tokens hold nothing that is
//   secret from their bearer | absent
// [jwt RFC 8725 §3.3]: Every signature is verified, or the token refused
// [limits #12]: presented token | 16 KiB, 100 members | refused as malformed
// [V9 9.1.1]: 1 | The signature is checked before a claim is used | Only `iss` is read before, to find the
//   tenant's keys
#[test]
fn form_vectors_give_expected_results() {
    check(include_str!("../../latchkey-verifier/vectors/form.json"), 60);
}

// [keys RFC 7518 §3.6]: `none` is not accepted
// [jwt RFC 7519 §7.2 b]: Header members that must be understood and are not (`crit`) refuse the token
// [jwt RFC 8725 §3.1]: A key is used with one algorithm, independent of the token's header
// [jwt RFC 8725 §3.10]: `kid` selects a key and has no other effect; `jku`, `jwk` and `x5u` are refused
// [access-tokens RFC 9068 §4]: A resource server checks `typ`, here the tenant's
// [V9 9.1.2]: 1 | Algorithms are on a list, without `none`, and keys are not confused | Seven asymmetric
//   ones; a key keeps its own algorithm, independent of the token
// [V9 9.1.3]: 1 | Keys come from a trusted source, never from the token | The issuer's own key ring; `jku`,
//   `jwk`, `x5u`, `x5c`, `x5t` and `crit` refuse the token
// [keys RFC 7518 §3.1], [jwt RFC 8725 §3.2], [jwt RFC 8725 §3.11, §3.12], [access-tokens RFC 9068 §4 b]
#[test]
fn header_vectors_give_expected_results() {
    check(include_str!("../../latchkey-verifier/vectors/header.json"), 60);
}

#[test]
fn key_set_vectors_give_expected_results() {
    check(include_str!("../../latchkey-verifier/vectors/keys.json"), 55);
}

// [jwt RFC 7519 §2]: A date may have a fraction. Ours have none, so a token with one is not ours and is
//   refused | departs
// [jwt RFC 7519 §4.1.1]: `iss` is compared exactly
// [jwt RFC 7519 §4.1.3]: A recipient that `aud` does not name refuses the token; one name may be a string,
//   several are an array
// [jwt RFC 7519 §4.1.4]: From `exp` on a token is refused, without leeway
// [jwt RFC 7519 §4.1.5]: Before `nbf` a token is refused, with a leeway of 5 s for clocks that differ
// [rfc9700 §4.10.2]: Tokens are restricted to an audience | Checked at our own resource, introspection and
//   administration; a token of one tenant is invalid at another
// [V9 9.2.1]: 1 | A token is valid between its `nbf` and `exp` only | `exp` without leeway, `nbf` and `iat`
//   with 5 s
// [V9 9.2.3]: 2 | A token is for the service that accepts it | `aud` is compared with the configured
//   audience; the administration accepts only a token without another audience
// [bearer RFC 6750 §3.1], [jwt RFC 8725 §3.9], [introspection RFC 7662 §4], [rfc9700 §4.9.1]
#[test]
fn claim_vectors_give_expected_results() {
    check(include_str!("../../latchkey-verifier/vectors/claims.json"), 100);
}

/// Checks every case of a file, which must have at least `at_least` cases.
#[track_caller]
fn check(text: &str, at_least: usize) {
    let file: Value = serde_json::from_str(text).unwrap();
    let cases = file["cases"].as_array().unwrap();
    for case in cases {
        assert_eq!(verify(&file, case), outcome(case), "{}", case["name"]);
    }
    assert!(cases.len() >= at_least, "{} vectors", cases.len());
}

/// The error name without underscores, and the check that fails.
fn outcome(case: &Value) -> Option<(String, String)> {
    Some((case["error"].as_str()?.replace('_', ""), case["check"].as_str()?.to_owned()))
}

fn verify(file: &Value, case: &Value) -> Option<(String, String)> {
    let of_case = |name: &str| case.get(name).unwrap_or(&file[name]);
    let keys = PublicKeys::read(&of_case("key_set").to_string()).unwrap();
    let typs: Vec<&str> = of_case("typs").as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let expectations = Expectations {
        is_issuer: &|issuer| of_case("issuer") == issuer,
        accepts_typ: &|typ| {
            typ.is_some_and(|typ| typs.iter().any(|expected| tenancy::same_media_type(typ, expected)))
        },
        audience: of_case("audience").as_str(),
        skew: Lifetime::from_seconds(0),
    };
    let now = Timestamp::from_seconds(of_case("now").as_u64().unwrap());
    let token = case["token"].as_str().unwrap();
    let inspection = inspect::<VectorClaims>(token, Some(&keys), now, LEEWAY, &expectations);
    let error = inspection.verdict().err()?;
    Some((format!("{error:?}").to_lowercase(), inspection.failed().unwrap().name().to_owned()))
}
