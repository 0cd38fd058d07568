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
        errors.refuse("/rotate/every", "`every` must be from 1h to 400d", "use a duration in this range");
    }
    let half = Lifetime::from_seconds(every.seconds() / 2);
    let grace = grace.unwrap_or(GRACE.min(half));
    if grace >= *every {
        let hint = "use less than `every`, so that at most two secrets are valid at the same time";
        errors.refuse("/rotate/grace", "earlier secrets would stay valid beyond the next rotation", hint);
    }
    if let Err(error) = into.parse::<SecretPlace>() {
        errors.refuse("/rotate/into", "this is not a valid place in a secret store", error.to_string());
    }
    if !method.allows(Some(Credential::Secret)) {
        let hint = "remove `rotate`, or choose another method";
        errors.refuse("/rotate", format!("a client that authenticates with {method} has no secret"), hint);
    }
    Some(SecretRotation { every: *every, into: into.clone(), grace })
}
