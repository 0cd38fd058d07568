//! Tests that any text is verified or refused at a cost that grows at most linearly with its length.

use std::sync::Arc;

use latchkey_verifier::rules::{Algorithms, Header, Members, NOT_ALLOWED, Unobserved};
use proptest::prelude::*;
use protocol::SigningAlgorithm;
use serde_json::{Value, json};
use values::Timestamp;

use crate::inspection::inspect_with;
use crate::test_keys::{anything, forged, numbered, record, records};
use crate::verify::{LEEWAY, Rules, verify};
use crate::{KeyRing, SigningKey, TokenError};

const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

fn key() -> SigningKey {
    numbered(1, SigningAlgorithm::EdDSA)
}

fn ring() -> KeyRing {
    let records = records(vec![record(&key())]);
    KeyRing::new(Arc::new(records), vec![Arc::new(key())])
}

fn read(token: &str, ring: &KeyRing) -> Result<Value, TokenError> {
    let expectations = anything();
    let found = verify::<Value>(token, ring, NOW, &expectations);
    let rules = Rules { now: NOW, leeway: LEEWAY, expectations: &expectations };
    let verdict = inspect_with::<Value>(token, Some(ring), &rules).verdict();
    assert_eq!(verdict, found.as_ref().map(|_| ()).map_err(|error| *error), "an inspection agrees: {token}");
    found
}

fn claims(subject: &str, lifetime: u64) -> Value {
    json!({ "iss": "i", "aud": "a", "sub": subject, "iat": 1_000_000, "nbf": 1_000_000, "exp": 1_000_000 + lifetime })
}

proptest! {
    #[test]
    fn signed_token_verifies_and_changed_byte_is_refused(
        subject in ".{0,40}",
        lifetime in 1_u64..1_000,
        at in any::<proptest::sample::Index>(),
        letter in "[ -~]",
    ) {
        let (ring, claims) = (ring(), claims(&subject, lifetime));
        let token = key().sign("JWT", &claims).unwrap();
        prop_assert_eq!(read(&token, &ring), Ok(claims));
        let at = at.index(token.len());
        let changed = format!("{}{letter}{}", &token[..at], &token[at + 1..]);
        prop_assert!(changed == token || read(&changed, &ring).is_err(), "{}", changed);
    }

    #[test]
    fn any_signed_header_and_claims_are_verified_or_refused(
        members in proptest::collection::btree_map(
            proptest::sample::select(vec!["alg", "kid", "typ", "jwk", "crit", "iss", "aud", "exp", "iat", "nbf", "x"]),
            prop_oneof![
                proptest::sample::select(vec!["EdDSA", "none", "HS256", "oauth2-key-1", "JWT", ""]).prop_map(Value::from),
                any::<u64>().prop_map(Value::from), any::<f64>().prop_map(Value::from),
                Just(Value::Null), Just(json!([])), Just(json!(["a"])), Just(json!({ "a": 1 })),
            ],
            0..4,
        ),
        is_header in any::<bool>(),
        noise in proptest::collection::vec(any::<u8>(), 0..3),
    ) {
        let mut parts = [json!({ "alg": "EdDSA", "kid": "oauth2-key-1", "typ": "JWT" }), claims("s", 60)];
        let changed = usize::from(!is_header);
        parts[changed].as_object_mut().unwrap().extend(members.into_iter().map(|(name, value)| (name.to_owned(), value)));
        let [header, claims] = parts.map(|part| [part.to_string().into_bytes(), noise.clone()].concat());
        let found = read(&forged(&header, &claims, &key()), &ring());
        prop_assert!(noise.iter().all(u8::is_ascii_whitespace) || found.is_err());
    }

    #[test]
    fn any_text_is_refused(token in "[A-Za-z0-9_.=-]{0,80}|.{0,40}") {
        prop_assert!(read(&token, &ring()).is_err());
    }
}

// [limits #10]
/// A token over 16 KiB is refused without being decoded, so this test parses the decoded parts directly.
#[test]
fn headers_and_claims_are_read_in_linear_time() {
    for item in [r#""a":0,"#, r#""a":[{"":0}],"#] {
        let texts = [32, 64].map(|kib: usize| {
            let items = item.repeat(kib * 1024 / item.len());
            format!("{{{}}}", items.trim_end_matches(','))
        });
        check(&texts, item);
    }
    let listed = [32, 64].map(|kib: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(kib * 1024)));
    check(&listed, "a long text");
    let named = [32, 64].map(|kib: usize| {
        let members: Vec<_> = (0..kib * 1024 / 10).map(|number| format!(r#""{number:05}":0"#)).collect();
        format!("{{{}}}", members.join(","))
    });
    check(&named, "many names");
    let long = "A".repeat(64 * 1024);
    let allocated = allocation_counter::measure(|| drop(read(&format!("{long}.{long}.{long}"), &ring())));
    let less = allocation_counter::measure(|| drop(read(&format!("{long}."), &ring())));
    assert!(allocated.count_total <= less.count_total + 1, "{allocated:?} and {less:?}");
}

#[track_caller]
fn check(texts: &[String; 2], shape: &str) {
    let [small, large] = texts.each_ref().map(|text| {
        let allocated = allocation_counter::measure(|| {
            let members = Members::parse(text);
            let _ = members.as_ref().map(|members| {
                Header::read(members, &NOT_ALLOWED, Algorithms::ALL, &mut Unobserved).map(drop)
            });
        });
        assert!(allocated.bytes_total <= 16 * text.len() as u64, "{allocated:?} for {}: {shape}", text.len());
        allocated
    });
    assert!(large.count_total * 10 <= small.count_total * 22, "{small:?}, then {large:?}: {shape}");
}
