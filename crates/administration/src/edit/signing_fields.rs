//! The rules over how a tenant signs: no key may sign before every verifier knows it.

use protocol::SigningAlgorithm;
use tenancy::SigningPolicy;

use super::text::Faults;
use crate::SigningSettings;
use crate::state::CACHED;

pub(super) fn read(faults: &mut Faults, settings: &SigningSettings) -> SigningPolicy {
    let SigningSettings { algorithm, rotate_every, publish_before, jwks_max_age, jwks_stale, skew } =
        settings;
    let algorithm = algorithm.parse().unwrap_or_else(|_| {
        let all: Vec<_> = SigningAlgorithm::ALL.into_iter().map(SigningAlgorithm::as_str).collect();
        faults.add("/signing/algorithm", format!("write one of {}", all.join(", ")));
        SigningAlgorithm::RS256
    });
    let policy = SigningPolicy {
        algorithm,
        rotate_every: faults.span("/signing/rotate_every", *rotate_every, 1),
        publish_before: faults.span("/signing/publish_before", *publish_before, 1),
        jwks_max_age: faults.span("/signing/jwks_max_age", *jwks_max_age, 0),
        jwks_stale: faults.span("/signing/jwks_stale", *jwks_stale, 0),
        skew: faults.span("/signing/skew", *skew, 0),
    };
    let known_everywhere = [*jwks_max_age, *jwks_stale, CACHED.seconds(), *skew];
    let least = known_everywhere.into_iter().fold(0_u64, u64::saturating_add);
    if *publish_before < least {
        faults.add(
            "/signing/publish_before",
            format!(
                "a key would sign before every verifier knows it: jwks_max_age + jwks_stale + {} + skew are {least} s",
                CACHED.seconds()
            ),
        );
    }
    if rotate_every <= publish_before {
        faults.add(
            "/signing/rotate_every",
            format!("keys would be published {publish_before} s ahead but sign for {rotate_every} s only"),
        );
    }
    policy
}
