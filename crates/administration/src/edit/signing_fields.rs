//! The rules over how a tenant signs: no key may sign before every verifier knows it.

use protocol::{Lifetime, SigningAlgorithm};
use tenancy::SigningPolicy;

use super::text::FieldErrors;
use crate::SigningSettings;

pub(super) fn read(
    errors: &mut FieldErrors,
    settings: &SigningSettings,
    l1_lifetime: Lifetime,
) -> SigningPolicy {
    let SigningSettings {
        algorithm,
        rotate_every,
        publish_before,
        jwks_max_age,
        jwks_stale,
        skew,
        rsa_bits,
        hold_activation,
    } = settings;
    let algorithm = algorithm.parse().unwrap_or_else(|_| {
        let all: Vec<_> = SigningAlgorithm::ALL.into_iter().map(SigningAlgorithm::as_str).collect();
        errors.add("/signing/algorithm", format!("write one of {}", all.join(", ")));
        SigningAlgorithm::RS256
    });
    let policy = SigningPolicy {
        algorithm,
        rotate_every: errors.span("/signing/rotate_every", *rotate_every, 1),
        publish_before: errors.span("/signing/publish_before", *publish_before, 1),
        jwks_max_age: errors.span("/signing/jwks_max_age", *jwks_max_age, 0),
        jwks_stale: errors.span("/signing/jwks_stale", *jwks_stale, 0),
        skew: errors.span("/signing/skew", *skew, 0),
        rsa_bits: *rsa_bits,
        hold_activation: hold_activation.map(|hold| errors.span("/signing/hold_activation", hold, 1)),
    };
    if !matches!(rsa_bits, 2048 | 3072 | 4096) {
        errors.add("/signing/rsa_bits", "write 2048, 3072 or 4096");
    }
    let known_everywhere = [*jwks_max_age, *jwks_stale, l1_lifetime.seconds(), *skew];
    let least = known_everywhere.into_iter().fold(0_u64, u64::saturating_add);
    if *publish_before < least {
        errors.add(
            "/signing/publish_before",
            format!(
                "a key would sign before every verifier knows it: jwks_max_age + jwks_stale + {} + skew are {least} s",
                l1_lifetime.seconds()
            ),
        );
    }
    if rotate_every <= publish_before {
        errors.add(
            "/signing/rotate_every",
            format!("keys would be published {publish_before} s ahead but sign for {rotate_every} s only"),
        );
    }
    policy
}
