//! Tests the verifier against the vectors that Latchkey's own verification must pass, too.

use std::sync::Arc;
use std::time::Duration;

use latchkey_verifier::{Algorithm, Builder, Caller, Clock, KeySet, Moment, Reason, Trusted, Verifier};
use serde_json::Value;

use crate::issuer::outcome;

const FILES: [&str; 4] = [
    include_str!("../../vectors/form.json"),
    include_str!("../../vectors/header.json"),
    include_str!("../../vectors/keys.json"),
    include_str!("../../vectors/claims.json"),
];

struct Fixed(u64);

impl Clock for Fixed {
    fn now(&self) -> Moment {
        Moment { monotonic: Duration::from_secs(1), unix: Duration::from_secs(self.0) }
    }
}

fn verifier(file: &Value, case: &Value) -> Verifier {
    let of_case = |name: &str| case.get(name).unwrap_or(&file[name]);
    let keys = KeySet::read(&of_case("key_set").to_string()).unwrap();
    let builder = Verifier::builder()
        .issuer(Trusted::issuer(of_case("issuer").as_str().unwrap()).key_set(keys))
        .audience(of_case("audience").as_str().unwrap())
        .accept_algorithm(Algorithm::RS384)
        .accept_algorithm(Algorithm::RS512)
        .clock(Arc::new(Fixed(of_case("now").as_u64().unwrap())));
    let typs = of_case("typs").as_array().unwrap().iter().filter_map(Value::as_str);
    typs.filter(|typ| *typ != "at+jwt").fold(builder, Builder::accept_typ).build().unwrap()
}

#[test]
fn every_vector_has_expected_outcome() {
    let mut differing = Vec::new();
    let mut count = 0;
    for text in FILES {
        let file: Value = serde_json::from_str(text).unwrap();
        for case in file["cases"].as_array().unwrap() {
            let verifier = verifier(&file, case);
            let token = case["token"].as_str().unwrap();
            let trace = verifier.trace(token).unwrap();
            let (check, holds) = *trace.checks.last().unwrap();
            assert!(holds || trace.error.is_some());
            let found = match &trace.error {
                None => (None, None),
                Some(Reason::Token(error)) => (Some(format!("{error:?}").to_lowercase()), Some(check.name())),
                Some(Reason::Sender(error)) => (Some(format!("{error:?}").to_lowercase()), None),
                Some(other) => panic!("{other}"),
            };
            let error = case.get("error").or(case.get("sender"));
            let expected =
                (error.map(|error| error.as_str().unwrap().replace('_', "")), case["check"].as_str());
            if expected != found {
                differing.push(format!("{}: expected {expected:?}, found {found:?}", case["name"]));
            }
            let verified: Result<Caller, _> = verifier.verify_now(token);
            assert_eq!(outcome(verified).err(), trace.error, "{}", case["name"]);
            count += 1;
        }
    }
    assert!(differing.is_empty(), "{differing:#?}");
    assert!(count >= 150, "{count} vectors");
}

#[test]
fn checks_run_in_a_fixed_order() {
    let file: Value = serde_json::from_str(FILES[0]).unwrap();
    let case = &file["cases"][0];
    let trace = verifier(&file, case).trace(case["token"].as_str().unwrap()).unwrap();
    let names: Vec<&str> = trace.checks.iter().map(|(check, _)| check.name()).collect();
    let expected = "length parts encoding header-json claims-json header header-types alg iss kid key-alg \
        signature claim-types exp nbf iat typ aud claims cnf";
    assert_eq!(names.join(" "), expected);
}

#[test]
fn truncated_and_changed_tokens_are_refused() {
    let file: Value = serde_json::from_str(FILES[0]).unwrap();
    for case in file["cases"].as_array().unwrap().iter().filter(|case| case.get("error").is_none()) {
        let (verifier, token) = (verifier(&file, case), case["token"].as_str().unwrap());
        let accepts = |token: &str| verifier.verify_now::<Value>(token).is_ok();
        assert!(accepts(token), "{}", case["name"]);
        for end in 0..token.len() {
            assert!(!accepts(&token[..end]), "{}: cut at {end}", case["name"]);
        }
        for at in 0..token.len() {
            let other = if &token[at..=at] == "A" { "B" } else { "A" };
            let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
            assert!(!accepts(&changed), "{}: {other} at {at}", case["name"]);
        }
    }
}

#[test]
fn the_claims_are_read_into_the_callers_type() {
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Mine {
        scope: String,
    }
    let file: Value = serde_json::from_str(FILES[0]).unwrap();
    let case = &file["cases"][0];
    let token = case["token"].as_str().unwrap();
    let caller = verifier(&file, case).verify_now::<Mine>(token).unwrap();
    assert_eq!(caller.claims(), &Mine { scope: "orders:read".to_owned() });
    assert_eq!((caller.client_id(), caller.subject(), caller.is_machine()), ("shipping", "shipping", true));
    assert_eq!((caller.issuer(), caller.tenant()), (file["issuer"].as_str().unwrap(), None));
    assert!(caller.require("orders:read").is_ok());
    assert_eq!(caller.require("orders").unwrap_err().status(), 403);
    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Others {
        client_id: u64,
    }
    assert_eq!(verifier(&file, case).verify_now::<Others>(token).unwrap_err().status(), 401);
}
