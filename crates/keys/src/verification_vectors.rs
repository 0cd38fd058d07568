//! Verification comes to the outcomes of the vectors that the crate `latchkey-verifier` reads as well, so that both accept the same tokens.

use protocol::{Confirmation, Lifetime, Timestamp};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::{DescribedCheck as _, Expectations, LEEWAY, PublicKeys, inspect};

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
fn every_vector_has_its_outcome() {
    let mut differing = Vec::new();
    let mut count = 0;
    for text in [
        include_str!("../../latchkey-verifier/vectors/form.json"),
        include_str!("../../latchkey-verifier/vectors/header.json"),
        include_str!("../../latchkey-verifier/vectors/keys.json"),
        include_str!("../../latchkey-verifier/vectors/claims.json"),
    ] {
        let file: Value = serde_json::from_str(text).unwrap();
        for case in file["cases"].as_array().unwrap() {
            let (expected, found) = (outcome(case), verify(&file, case));
            if expected != found {
                differing.push(format!("{}: expected {expected:?}, found {found:?}", case["name"]));
            }
            count += 1;
        }
    }
    assert!(differing.is_empty(), "{differing:#?}");
    assert!(count >= 150, "{count} vectors");
}

/// The error and the check that finds it.
fn outcome(case: &Value) -> Option<(String, String)> {
    let text = |name: &str| case[name].as_str().map(str::to_owned);
    Some((text("error")?, text("check")?))
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
    Some((snake_case(&format!("{error:?}")), inspection.failed().unwrap().name().to_owned()))
}

/// `SignatureInvalid` as `signature_invalid`.
fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(character.to_ascii_lowercase());
    }
    text
}
