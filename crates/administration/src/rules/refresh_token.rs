//! The rules for the lifetime of refresh tokens. It is limited because the store keeps their rows in a ring
//! of partitions, one for each day.

use tenancy::{OwnRefreshTokenPolicy, RefreshTokenPolicy, Rotation};

use super::FieldErrors;
use crate::documents::{OwnRefreshTokenSettings, RefreshTokenSettings};

pub(super) fn check(errors: &mut FieldErrors, settings: &RefreshTokenSettings) -> RefreshTokenPolicy {
    let RefreshTokenSettings { rotation, grace, idle, absolute } = settings.clone();
    let own = OwnRefreshTokenSettings {
        rotation: Some(rotation),
        grace: Some(grace),
        idle: Some(idle),
        absolute: Some(absolute),
    };
    RefreshTokenPolicy::default().with(check_own(errors, &own))
}

/// Checks the settings of a client that override those of its tenant.
pub(super) fn check_own(
    errors: &mut FieldErrors,
    settings: &OwnRefreshTokenSettings,
) -> OwnRefreshTokenPolicy {
    let OwnRefreshTokenSettings { rotation, grace, idle, absolute } = settings;
    let check_rotation =
        |name: &String| errors.check_one_of("/refresh_token/rotation", name, &Rotation::NAMED);
    let rotation = rotation.as_ref().and_then(check_rotation);
    if grace.is_some_and(|grace| grace > RefreshTokenPolicy::LONGEST_GRACE) {
        let detail = "with a longer grace period, a thief could use a stolen token without being noticed";
        errors.refuse("/refresh_token/grace", detail, "use 5m or less, such as 30s");
    }
    let longest = RefreshTokenPolicy::LONGEST;
    for (at, lifetime) in [("/refresh_token/idle", *idle), ("/refresh_token/absolute", *absolute)] {
        if lifetime.is_some_and(|lifetime| lifetime.seconds() == 0 || lifetime > longest) {
            let detail = format!("refresh tokens can be valid for 1 s to {longest}");
            errors.refuse(at, detail, "use a duration in this range, such as 30d");
        }
    }
    OwnRefreshTokenPolicy { rotation, grace: *grace, idle: *idle, absolute: *absolute }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::documents::{ClientSettings, TenantSettings};

    /// Checks the policy of a tenant, and the same policy of one of its clients.
    #[track_caller]
    fn check(policy: Value, expected: &[&str]) {
        let (mut errors, mut own_errors) = (FieldErrors::default(), FieldErrors::default());
        let settings = TenantSettings::read(json!({ "refresh_token": policy })).unwrap().refresh_token;
        let checked = super::check(&mut errors, &settings);
        let own: ClientSettings = serde_json::from_value(json!({ "refresh_token": policy })).unwrap();
        let checked_own = check_own(&mut own_errors, &own.refresh_token);
        for errors in [errors.into_vec(), own_errors.into_vec()] {
            let found: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
            assert_eq!(found, expected, "{policy}");
        }
        if expected.is_empty() {
            assert_eq!(RefreshTokenSettings::from(&checked), settings);
            assert_eq!(OwnRefreshTokenSettings::from(checked_own), own.refresh_token);
            assert_eq!(RefreshTokenPolicy::default().with(checked_own), checked);
        }
    }

    #[test]
    fn every_field_is_validated() {
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
