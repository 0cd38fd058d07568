//! The claims of OpenID Connect Core §5.1: the scope for each claim, and its form.

use serde_json::Value;

pub(super) const PROFILE: &str = "name family_name given_name middle_name nickname preferred_username profile picture website gender birthdate
                                  zoneinfo locale updated_at";
pub(super) const EMAIL: &str = "email email_verified";
pub(super) const ADDRESS: &str = "address";
pub(super) const PHONE: &str = "phone_number phone_number_verified";
const ADDRESS_MEMBERS: [&str; 6] =
    ["formatted", "street_address", "locality", "region", "postal_code", "country"];

/// Checks the form of each claim. Other claims and nulls are not allowed (§5.3.2).
pub(super) fn check(claims: &Value) {
    for (name, value) in claims.as_object().unwrap() {
        let is_text = value.as_str().is_some_and(|text| !text.is_empty());
        let is_valid = match name.as_str() {
            "updated_at" => value.is_u64(),
            "email_verified" | "phone_number_verified" => value.is_boolean(),
            "address" => value
                .as_object()
                .unwrap()
                .iter()
                .all(|(member, value)| ADDRESS_MEMBERS.contains(&member.as_str()) && value.is_string()),
            "email" => is_text && value.as_str().unwrap().contains('@'),
            "profile" | "picture" | "website" => value.as_str().unwrap().starts_with("https://"),
            name => is_text && words(&["sub", PROFILE, PHONE]).any(|known| known == name),
        };
        assert!(is_valid, "{name}: {value}");
    }
}

/// Checks that exactly the claims of these scopes are present.
pub(super) fn assert_exactly(claims: &Value, scopes: &[&'static str]) {
    let mut expected: Vec<&str> = words(scopes).chain(["sub"]).collect();
    let mut found: Vec<&str> = claims.as_object().unwrap().keys().map(String::as_str).collect();
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
}

fn words(texts: &[&'static str]) -> impl Iterator<Item = &'static str> {
    texts.iter().flat_map(|text| text.split_whitespace())
}
