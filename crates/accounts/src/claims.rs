//! The standard claims that an account may have (OpenID Connect Core §5.1), and the format of each. Not
//! included are `sub`, `email`, `email_verified` and `updated_at`, which come from other fields.

use serde_json::{Map, Value};
use url::Url;
use values::bidi_control_in_name;

/// The maximum size of an account's claims as JSON, in bytes.
pub const CLAIMS_BYTES: usize = 16 * 1024;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct ClaimError {
    /// The claim, with a member of it after a slash. Empty if the error concerns all claims.
    pub path: String,
    pub detail: &'static str,
}

#[derive(Clone, Copy)]
enum ClaimForm {
    Text,
    Url,
    Birthdate,
    Flag,
    Address,
}

const CLAIMS: [(&str, ClaimForm); 16] = [
    ("name", ClaimForm::Text),
    ("given_name", ClaimForm::Text),
    ("family_name", ClaimForm::Text),
    ("middle_name", ClaimForm::Text),
    ("nickname", ClaimForm::Text),
    ("preferred_username", ClaimForm::Text),
    ("profile", ClaimForm::Url),
    ("picture", ClaimForm::Url),
    ("website", ClaimForm::Url),
    ("gender", ClaimForm::Text),
    ("birthdate", ClaimForm::Birthdate),
    ("zoneinfo", ClaimForm::Text),
    ("locale", ClaimForm::Text),
    ("phone_number", ClaimForm::Text),
    ("phone_number_verified", ClaimForm::Flag),
    ("address", ClaimForm::Address),
];

/// The members of the `address` claim (OpenID Connect Core §5.1.1), and whether they may have several lines.
const ADDRESS: [(&str, bool); 6] = [
    ("formatted", true),
    ("street_address", true),
    ("locality", false),
    ("region", false),
    ("postal_code", false),
    ("country", false),
];

/// All errors in these claims.
#[must_use]
pub fn check_claims(claims: &Map<String, Value>) -> Vec<ClaimError> {
    let mut errors: Vec<_> = claims.iter().filter_map(|(name, value)| check(name, value)).collect();
    if Value::Object(claims.clone()).to_string().len() > CLAIMS_BYTES {
        errors.push(ClaimError { path: String::new(), detail: "the claims are longer than 16 KiB" });
    }
    errors
}

fn check(name: &str, value: &Value) -> Option<ClaimError> {
    let error = |detail| Some(ClaimError { path: name.to_owned(), detail });
    let Some((_, form)) = CLAIMS.iter().find(|(known, _)| *known == name) else {
        return error(match name {
            "sub" => "`sub` is always the account's id, so it cannot be a claim here",
            "email" | "email_verified" => "set it next to the claims: it is an identifier",
            "updated_at" => "Latchkey sets this claim from the account's last change",
            _ => "not a standard claim (OpenID Connect Core §5.1)",
        });
    };
    let text = value.as_str();
    let (fits, expected) = match form {
        ClaimForm::Text => {
            (text.is_some_and(|text| is_shown(text, false)), "a string without control characters")
        }
        ClaimForm::Url => (text.is_some_and(is_url), "an http or https URL"),
        ClaimForm::Birthdate => {
            (text.is_some_and(is_birthdate), "YYYY-MM-DD, 0000-MM-DD without the year, or YYYY")
        }
        ClaimForm::Flag => (value.is_boolean(), "true or false"),
        ClaimForm::Address => return check_address(name, value),
    };
    if fits { None } else { error(expected) }
}

fn check_address(claim: &str, value: &Value) -> Option<ClaimError> {
    let error = |path, detail| Some(ClaimError { path, detail });
    let Some(members) = value.as_object() else { return error(claim.to_owned(), "an object") };
    members.iter().find_map(|(name, value)| {
        let path = format!("{claim}/{name}");
        let Some((_, lines)) = ADDRESS.iter().find(|(known, _)| known == name) else {
            return error(path, "not a member of an address (OpenID Connect Core §5.1.1)");
        };
        let is_text = value.as_str().is_some_and(|text| is_shown(text, *lines));
        if is_text { None } else { error(path, "a string without control characters") }
    })
}

/// Whether the text has visible content and no control characters.
fn is_shown(text: &str, lines: bool) -> bool {
    let is_line = |character| lines && matches!(character, '\r' | '\n');
    let has_control = text.chars().any(|character| character.is_control() && !is_line(character));
    !text.is_empty() && !has_control && bidi_control_in_name(text).is_none()
}

fn is_url(text: &str) -> bool {
    let url = Url::parse(text).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
    url.is_some_and(|url| url.username().is_empty() && url.password().is_none()) && is_shown(text, false)
}

/// ISO 8601-1 `YYYY-MM-DD` (year 0000 if it is omitted), or only the year (OpenID Connect Core §5.1).
fn is_birthdate(text: &str) -> bool {
    let number = |text: &str, digits: usize| {
        let all = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
        if all { text.parse::<u32>().ok() } else { None }
    };
    let mut parts = text.split('-');
    let year = parts.next().and_then(|year| number(year, 4));
    let (month, day) = (parts.next(), parts.next());
    match (year, month, day, parts.next()) {
        (Some(year), None, None, None) => year > 0,
        (Some(year), Some(month), Some(day), None) => {
            let leaps = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let days = match number(month, 2) {
                Some(1 | 3 | 5 | 7 | 8 | 10 | 12) => 31,
                Some(4 | 6 | 9 | 11) => 30,
                Some(2) => 28 + u32::from(leaps),
                _ => 0,
            };
            number(day, 2).is_some_and(|day| (1..=days).contains(&day))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn paths(claims: Value, expected: &[&str]) {
        let Value::Object(members) = &claims else { panic!("{claims} is no object") };
        let found: Vec<_> = check_claims(members).into_iter().map(|error| error.path).collect();
        assert_eq!(found, expected, "{claims}");
    }

    #[test]
    fn all_standard_claims_are_accepted() {
        let whole = json!({
            "name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace", "middle_name": "K.",
            "nickname": "Ada", "preferred_username": "ada", "profile": "https://example.com/ada",
            "picture": "https://example.com/ada.png", "website": "http://ada.example", "gender": "female",
            "birthdate": "1815-12-10", "zoneinfo": "Europe/London", "locale": "en-GB",
            "phone_number": "+44 20 7946 0000", "phone_number_verified": false,
            "address": { "formatted": "12 St James's Square\nLondon", "street_address": "12 St James's Square",
                         "locality": "London", "region": "London", "postal_code": "SW1Y 4LB", "country": "GB" },
        });
        assert_eq!(whole.as_object().unwrap().len(), CLAIMS.len());
        paths(whole, &[]);
        paths(json!({}), &[]);
    }

    #[test]
    fn unknown_claims_and_invalid_values_are_refused() {
        for (name, values) in [
            ("sub", json!(["x"])),
            ("email", json!(["ada@example.com"])),
            ("email_verified", json!([true])),
            ("updated_at", json!([1])),
            ("role", json!(["admin"])),
            ("name", json!([1, null, "", "a\nb", "a\u{202e}b"])),
            ("profile", json!(["javascript:alert(1)"])),
            ("picture", json!(["data:image/png;base64,AAAA"])),
            ("website", json!(["https://user:password@example.com", "example.com"])),
            ("phone_number_verified", json!(["true"])),
            ("address", json!(["London"])),
        ] {
            for value in values.as_array().unwrap() {
                paths(json!({ name: value }), &[name]);
            }
        }
        for (claims, path) in [
            (json!({ "address": { "planet": "Earth" } }), "address/planet"),
            (json!({ "address": { "locality": "a\nb" } }), "address/locality"),
            (json!({ "address": { "country": 1 } }), "address/country"),
        ] {
            paths(claims, &[path]);
        }
        paths(json!({ "name": "a".repeat(CLAIMS_BYTES) }), &[""]);
    }

    #[test]
    fn birthdate_may_omit_the_year_or_the_day() {
        for text in ["1815-12-10", "0000-12-10", "0000-02-29", "2024-02-29", "1815"] {
            assert!(is_birthdate(text), "{text}");
        }
        let bad = "2023-02-29 1900-02-29 1815-13-10 1815-00-10 1815-12-32 1815-12 0000 815-12-10 1815-12-10-1 \
            1815-1-1 +815-12-10";
        for text in bad.split(' ').chain([""]) {
            assert!(!is_birthdate(text), "{text}");
        }
    }
}
