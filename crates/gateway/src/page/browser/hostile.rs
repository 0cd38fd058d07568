//! Pages with values of callers and administrators that would run, change the page or not fit if
//! the page did not escape them.

use pages::examples::{self, Example};
use pages::{Common, Link, SealedForm};

pub(super) const NAMES: [&str; 10] = [
    "sign_in",
    "consent",
    "select_account",
    "device_confirm",
    "account",
    "account_password",
    "sign_out",
    "signed_out",
    "error",
    "console",
];

/// Scripts, attributes, templates, style sheets, characters that change the direction or stack on
/// others, and very long words.
pub(super) fn payloads() -> Vec<String> {
    serde_json::from_str(include_str!("../../../tests/browser/payloads.json")).unwrap()
}

/// One value wherever callers or administrators can enter text.
pub(super) fn pages(common: &Common, payload: &str) -> Vec<Example> {
    let form = SealedForm { action: "/sent".to_owned(), flow: "c2VhbGVkIHJlcXVlc3Q".to_owned() };
    let back = Link { name: payload.to_owned(), url: "https://app.acme.example/".to_owned() };
    examples::hostile(common, &form, &back, payload)
}
