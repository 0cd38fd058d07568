//! The rules for how long people stay signed in.

use tenancy::{SessionPolicy, SignInPolicy};
use values::Lifetime;

use super::FieldErrors;
use crate::documents::{SessionSettings, SignInSettings};

pub(super) fn check(errors: &mut FieldErrors, settings: &SignInSettings) -> SignInPolicy {
    let SignInSettings { session, recovery } = settings;
    SignInPolicy { session: check_session(errors, session), recovery: *recovery }
}

fn check_session(errors: &mut FieldErrors, settings: &SessionSettings) -> SessionPolicy {
    const REMEMBER: &str = "/sign_in/session/remember";
    let SessionSettings { idle, absolute, remember } = *settings;
    let (none, longest) = (Lifetime::from_seconds(0), SessionPolicy::LONGEST);
    let is_some = [("/sign_in/session/idle", idle), ("/sign_in/session/absolute", absolute)]
        .map(|(at, span)| {
            let is_some = span > none && span <= longest;
            if !is_some {
                let detail = format!("a session can last 1 s to {longest}");
                errors.refuse(at, detail, "use a duration in this range, such as 8h");
            }
            is_some
        })
        .into_iter()
        .all(|is_some| is_some);
    if is_some && idle > absolute {
        let detail = format!("a session ends after {absolute} even if it is in use");
        errors.refuse("/sign_in/session/idle", detail, "use the same duration as absolute, or less");
    }
    if remember > longest {
        let detail = format!("a session can last at most {longest}");
        errors.refuse(REMEMBER, detail, "use 45d or less, or 0s to offer no choice");
    } else if is_some && remember > none && remember < absolute {
        let detail = format!(
            "people who stay signed in would be signed out earlier than others, whose sessions last {absolute}"
        );
        errors.refuse(
            REMEMBER,
            detail,
            "use the same duration as absolute, or more, or 0s to offer no choice",
        );
    }
    SessionPolicy { idle, absolute, remember }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::documents::TenantSettings;

    #[track_caller]
    fn check(session: Value, expected: &[&str]) {
        let mut errors = FieldErrors::default();
        let settings = TenantSettings::read(json!({ "sign_in": { "session": session } })).unwrap();
        let checked = super::check(&mut errors, &settings.sign_in);
        let errors = errors.into_vec();
        let found = errors.iter().map(|error| error.pointer.strip_prefix("/sign_in/session/").unwrap());
        assert_eq!(found.collect::<Vec<_>>(), expected, "{session}");
        if expected.is_empty() {
            assert_eq!(SignInSettings::from(checked), settings.sign_in);
        }
    }

    #[test]
    fn every_field_is_validated() {
        check(json!({}), &[]);
        check(json!({ "idle": "1s", "absolute": "1s", "remember": 1 }), &[]);
        check(json!({ "idle": "45d", "absolute": "45d", "remember": "45d" }), &[]);
        check(json!({ "absolute": "40d", "remember": 0 }), &[]);
        check(json!({ "idle": 0 }), &["idle"]);
        check(json!({ "idle": "25h" }), &["idle"]);
        check(json!({ "idle": "46d" }), &["idle"]);
        check(json!({ "absolute": 0 }), &["absolute"]);
        check(json!({ "absolute": "46d" }), &["absolute"]);
        check(json!({ "absolute": "1h" }), &["idle"]);
        check(json!({ "absolute": "40d" }), &["remember"]);
        check(json!({ "remember": "46d" }), &["remember"]);
        check(json!({ "remember": "1h" }), &["remember"]);
        for settings in [json!({ "session": { "longest": 1 } }), json!({ "passkeys": true })] {
            assert!(TenantSettings::read(json!({ "sign_in": settings })).is_err(), "{settings}");
        }
    }
}
