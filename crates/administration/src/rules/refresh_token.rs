//! The rules over how long refresh tokens live. Their rows lie in a ring, which has room for so many days.

use tenancy::{RefreshTokenPolicy, Rotation};

use super::FieldErrors;
use crate::RefreshTokenSettings;

pub(super) fn check(errors: &mut FieldErrors, settings: &RefreshTokenSettings) -> RefreshTokenPolicy {
    let RefreshTokenSettings { rotation, grace, idle, absolute } = settings;
    let rotation = errors.check_one_of("/refresh_token/rotation", rotation, &Rotation::NAMED);
    if *grace > RefreshTokenPolicy::LONGEST_GRACE {
        let detail = "for as long a thief would get the next tokens unnoticed";
        errors.refuse("/refresh_token/grace", detail, "write 5m or less, such as 30s");
    }
    let longest = RefreshTokenPolicy::LONGEST;
    for (at, lifetime) in [("/refresh_token/idle", *idle), ("/refresh_token/absolute", *absolute)] {
        if lifetime.seconds() == 0 || lifetime > longest {
            let detail = format!("refresh tokens are valid for 1 s to {longest}");
            errors.refuse(at, detail, "write a span of time between them, such as 30d");
        }
    }
    RefreshTokenPolicy {
        rotation: rotation.unwrap_or_default(),
        grace: *grace,
        idle: *idle,
        absolute: *absolute,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::TenantSettings;

    #[track_caller]
    fn check(policy: Value, expected: &[&str]) {
        let mut errors = FieldErrors::default();
        let settings = TenantSettings::read(json!({ "refresh_token": policy })).unwrap();
        let checked = super::check(&mut errors, &settings.refresh_token);
        let errors = errors.into_vec();
        let found: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(found, expected, "{policy}");
        if expected.is_empty() {
            assert_eq!(RefreshTokenSettings::from(&checked), settings.refresh_token);
        }
    }

    #[test]
    fn each_field_has_its_rule() {
        check(json!({}), &[]);
        check(json!({ "rotation": "never", "grace": 0, "idle": "1s", "absolute": "400d" }), &[]);
        check(json!({ "rotation": "always", "grace": "5m" }), &[]);
        check(json!({ "rotation": "sometimes" }), &["/refresh_token/rotation"]);
        check(json!({ "grace": 301 }), &["/refresh_token/grace"]);
        check(json!({ "idle": 0 }), &["/refresh_token/idle"]);
        check(json!({ "absolute": "401d" }), &["/refresh_token/absolute"]);
        check(json!({ "absolute": 0 }), &["/refresh_token/absolute"]);
        assert!(TenantSettings::read(json!({ "refresh_token": { "reuse": 1 } })).is_err());
    }
}
