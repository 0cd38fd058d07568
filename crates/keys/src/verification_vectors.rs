//! Verification comes to the outcomes of the vectors that the crate `latchkey-verifier` reads as well, so
//! that both put the same checks in the same order.

use protocol::{Confirmation, Lifetime, Timestamp};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::{Expectations, LEEWAY, PublicKeys, inspect};

/// The claims that the platform requires of an access token.
#[derive(Deserialize)]
#[expect(dead_code, reason = "only read")]
struct Claims {
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

#[test]
fn the_compact_form_is_read_strictly_and_its_signature_verified() {
    check(include_str!("../../latchkey-verifier/vectors/form.json"), 60);
}

#[test]
fn a_header_names_a_known_key_and_the_expected_type_and_chooses_nothing_else() {
    check(include_str!("../../latchkey-verifier/vectors/header.json"), 60);
}

#[test]
fn the_usable_keys_of_a_set_verify_and_no_others() {
    check(include_str!("../../latchkey-verifier/vectors/keys.json"), 55);
}

#[test]
fn the_claims_are_of_this_issuer_for_this_audience_and_of_now() {
    check(include_str!("../../latchkey-verifier/vectors/claims.json"), 100);
}

/// Every case of a file, of which there are so many at least, has its outcome.
#[track_caller]
fn check(text: &str, at_least: usize) {
    let file: Value = serde_json::from_str(text).unwrap();
    let cases = file["cases"].as_array().unwrap();
    for case in cases {
        assert_eq!(verify(&file, case), outcome(case), "{}", case["name"]);
    }
    assert!(cases.len() >= at_least, "{} vectors", cases.len());
}

/// The error, in letters alone, and the check that finds it.
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
    let inspection = inspect::<Claims>(token, Some(&keys), now, LEEWAY, &expectations);
    let error = inspection.verdict().err()?;
    Some((format!("{error:?}").to_lowercase(), inspection.failed().unwrap().name().to_owned()))
}
