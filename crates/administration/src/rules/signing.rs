//! The rules for a tenant's signing policy: no key may sign before every verifier can know it.

use protocol::SigningAlgorithm;
use tenancy::{KidForm, SigningPolicy};
use values::{Lifetime, is_of_this_machine};

use super::{FieldErrors, TenantContext};
use crate::documents::SigningSettings;

/// Checks the settings and returns the policy. If there are errors, it must not be used. `l1_lifetime` is how
/// long a replica may serve a key set from its own memory.
pub(super) fn check(
    errors: &mut FieldErrors,
    settings: &SigningSettings,
    TenantContext { public_url, l1_lifetime, .. }: TenantContext<'_>,
) -> SigningPolicy {
    let SigningSettings { publish_before, jwks_max_age, jwks_stale, skew, rsa_bits, hold_activation, .. } =
        *settings;
    let rotate_every = settings.rotate_every();
    let all = SigningAlgorithm::ALL.map(|algorithm| (algorithm.as_str(), algorithm));
    let algorithm = if settings.algorithm.starts_with("HS") {
        let detail = "this algorithm uses a shared secret, so every verifier could also sign tokens";
        let names = SigningAlgorithm::ALL.map(SigningAlgorithm::as_str).join(", ");
        errors.refuse("/signing/algorithm", detail, format!("use one of {names}"));
        None
    } else {
        errors.check_one_of("/signing/algorithm", &settings.algorithm, &all)
    };
    for (at, span) in [
        ("/signing/rotate_every", Some(rotate_every)),
        ("/signing/publish_before", Some(publish_before)),
        ("/signing/hold_activation", hold_activation),
    ] {
        if let Some(span) = span {
            errors.check_span(at, span);
        }
    }
    if !matches!(rsa_bits, 2048 | 3072 | 4096) {
        let detail = "this length is not supported for RSA keys";
        errors.refuse("/signing/rsa_bits", detail, "use 2048, 3072 or 4096");
    }
    let known_everywhere = [jwks_max_age, jwks_stale, l1_lifetime, skew];
    let least = Lifetime::from_seconds(known_everywhere.into_iter().map(Lifetime::seconds).sum());
    if publish_before < least {
        let detail = format!(
            "a key would sign before every verifier knows it: {publish_before} is less than jwks_max_age {jwks_max_age} + jwks_stale {jwks_stale} + cache.l1_lifetime {l1_lifetime} + skew {skew}"
        );
        let hint = format!("use {least} or more, or shorten the other durations");
        errors.refuse("/signing/publish_before", detail, hint);
    }
    if rotate_every <= publish_before {
        let detail =
            format!("a key would be published {publish_before} ahead but would sign for only {rotate_every}");
        errors.refuse("/signing/rotate_every", detail, "use a duration longer than publish_before");
    }
    let usual = if is_of_this_machine(public_url) { KidForm::Numbered } else { KidForm::Thumbprint };
    let named = settings.kid.as_deref();
    let kid = named.and_then(|kid| errors.check_one_of("/signing/kid", kid, &KidForm::NAMED));
    SigningPolicy {
        algorithm: algorithm.unwrap_or(SigningAlgorithm::RS256),
        rotate_every,
        publish_before,
        jwks_max_age,
        jwks_stale,
        skew,
        rsa_bits,
        kid: kid.unwrap_or(usual),
        hold_activation,
    }
}
