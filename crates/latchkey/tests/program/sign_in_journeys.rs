//! Tests how people use the program in Chromium: whole sign-ins with only the keyboard, the return to the
//! client after a sign-out, and what they do with mail.

use serde_json::{Value, json};

use crate::foreign::browser;
use crate::two_providers::TwoProviders;

const NOBODY: &str = "http://127.0.0.1:9";
/// The screenshots are outside the folder of the test, which is deleted.
const REPORTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/screenshots");

#[test]
fn all_journeys_work_with_the_keyboard_only() {
    let providers = TwoProviders::start(NOBODY);
    for (tenant, other) in providers.each() {
        let found = tenant.found(other, &[], |environment| browser("keyboard-journeys.cjs", environment));
        let client = json!({ "email": "ada@example.com", "staysSignedIn": true });
        let device = json!({ "done": "The device is connected", "connected": true });
        let account = json!({ "ended": "Signed out of the sessions.", "fewer": 1, "clients": 0, "endedElsewhere": true });
        let expected = json!({
            "toClient, with script": client,
            "toDevice, with script": device,
            "throughAccount, with script": account,
            "toClient, without script": client,
            "toDevice, without script": device,
            "throughAccount, without script": account,
        });
        assert_eq!(found, expected, "{}", tenant.id);
    }
}

// [attacks #42]: The way back in the browser after a sign-out | It shows nothing of the account, and the
//   session at the other tenant stays valid
#[test]
fn back_button_shows_no_account_after_sign_out() {
    let providers = TwoProviders::start_by("https", NOBODY, |_| json!({}));
    for (tenant, other) in providers.each() {
        let found = tenant.found(other, &[], |environment| browser("back-after-sign-out.cjs", environment));
        assert_eq!(found["otherGoesOn"], true, "{}: {found}", tenant.id);
        for way in ["on the page of the account", "by the question"] {
            let after = found[way]["after"].as_array().unwrap();
            assert!(found[way]["before"].as_array().unwrap().iter().all(|shows| *shows == true), "{found}");
            assert!(after.len() >= 3 && after.iter().all(shows_nothing), "{}: {found}", tenant.id);
            assert!(after.iter().any(|page| page["heading"] == "Sign in"), "{found}");
        }
    }
}

/// At one tenant with script, at the other one without.
#[test]
fn people_reset_passwords_and_change_addresses_by_mail() {
    let providers = TwoProviders::start(NOBODY);
    let [(tenant, other), _] = providers.each();
    let more = [("MAIL", &*providers.mail()), ("REPORTS", REPORTS)];
    let found = tenant.found(other, &more, |environment| browser("mail-journeys.cjs", environment));
    let expected = ["acme", "globex"].map(|id| {
        let addresses = ["hopper", "grace"].map(|name| format!("{name}@{id}.example Verified"));
        json!({ "client": true, "addresses": addresses, "problems": [] })
    });
    assert_eq!(found, json!(expected));
}

fn shows_nothing(page: &Value) -> bool {
    page["shows"] == false && page["typed"] == ""
}
