//! Tests how people use the program in Chromium: whole sign-ins with only the keyboard, and the return to the
//! client after a sign-out.

use serde_json::{Value, json};

use crate::foreign::browser;
use crate::two_providers::TwoProviders;

const NOBODY: &str = "http://127.0.0.1:9";

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

fn shows_nothing(page: &Value) -> bool {
    page["shows"] == false && page["typed"] == ""
}
