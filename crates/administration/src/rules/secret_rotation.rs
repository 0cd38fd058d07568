//! The rules for the schedule of a client's secret rotation.

use protocol::Credential;
use registry::SecretRotation;
use values::Lifetime;

use super::FieldErrors;
use crate::administrator::secret_writer::SecretPlace;
use crate::documents::{ClientSettings, RotationScheduleSettings};

/// How long the previous secrets stay valid by default.
const GRACE: Lifetime = Lifetime::from_seconds(86_400);
const SHORTEST: Lifetime = Lifetime::from_seconds(3600);
const LONGEST: Lifetime = Lifetime::from_seconds(400 * 86_400);

pub(super) fn check_secret_rotation(
    errors: &mut FieldErrors,
    settings: &ClientSettings,
    method: protocol::ClientAuthenticationMethod,
) -> Option<SecretRotation> {
    let RotationScheduleSettings { every, into, grace } = settings.rotate.as_ref()?;
    if !(SHORTEST..=LONGEST).contains(every) {
        errors.refuse("/rotate/every", "a secret is replaced every 1h to 400d", "write a span between them");
    }
    let half = Lifetime::from_seconds(every.seconds() / 2);
    let grace = grace.unwrap_or(GRACE.min(half));
    if grace >= *every {
        let hint = "write less than `every`, so that two secrets are valid at most";
        errors.refuse("/rotate/grace", "the secrets before stay valid until the next rotation", hint);
    }
    if let Err(error) = into.parse::<SecretPlace>() {
        errors.refuse("/rotate/into", "this is no place in a secret store", error.to_string());
    }
    if !method.allows(Some(Credential::Secret)) {
        let hint = "leave `rotate` out, or choose another method";
        errors.refuse("/rotate", format!("a client that authenticates by {method} has no secret"), hint);
    }
    Some(SecretRotation { every: *every, into: into.clone(), grace })
}
