//! The verdict of an API that verifies an access token offline, with `latchkey-verifier` and a key set.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use keys::{CheckOutcome, Inspection, ObjectMembers, TokenError};
use latchkey_verifier::{Algorithm, Check, Clock, KeySet, Moment, Reason, Trace, Trusted, Verifier};
use serde_json::Value;
use values::{Lifetime, Timestamp};

pub(super) struct OfflineApi(Verifier);

/// What the API expects. Unknown values are taken from the token, so that their checks pass, and these checks
/// are reported as not made.
pub(super) struct Expects<'a> {
    pub(super) issuer: Option<&'a str>,
    pub(super) audience: Option<&'a str>,
    pub(super) now: Timestamp,
    pub(super) leeway: Lifetime,
}

/// A clock that stands still at the time of the inspection.
struct Fixed(Timestamp);

impl Clock for Fixed {
    fn now(&self) -> Moment {
        Moment { monotonic: Duration::ZERO, unix: Duration::from_secs(self.0.seconds()) }
    }
}

impl OfflineApi {
    /// `unverified` are the unverified claims of the token.
    pub(super) fn new(
        key_set: &str,
        expects: &Expects<'_>,
        unverified: Option<&ObjectMembers>,
    ) -> anyhow::Result<Self> {
        let claim = |name| unverified?.iter().find(|(member, _)| member == name).map(|(_, value)| value);
        let issuer = expects.issuer.or_else(|| claim("iss")?.as_str()).unwrap_or_default();
        let audience = expects.audience.or_else(|| match claim("aud")? {
            Value::Array(names) => names.first()?.as_str(),
            name => name.as_str(),
        });
        let verifier = Verifier::builder()
            .issuer(Trusted::issuer(issuer).key_set(KeySet::read(key_set)?))
            .audience(audience.unwrap_or_default())
            .accept_algorithm(Algorithm::RS384)
            .accept_algorithm(Algorithm::RS512)
            .leeway(Duration::from_secs(expects.leeway.seconds()))
            .clock(Arc::new(Fixed(expects.now)))
            .build();
        Ok(Self(verifier.context("these options cannot be combined")?))
    }

    /// Replaces the results of an inspection by the results of the API's verification. Returns whether the
    /// sender may use the token. If the token is bound to a key, the sender needs a proof of that key.
    pub(super) fn judge(&self, token: &str, inspection: &mut Inspection) -> anyhow::Result<CheckOutcome> {
        let trace = self.0.trace(token)?;
        let found_by_keys = inspection.failed();
        inspection.checks.iter_mut().for_each(|(check, outcome)| *outcome = made(*check, &trace));
        if inspection.failed() != found_by_keys {
            inspection.place = None;
        }
        Ok(made(Check::Confirmation, &trace))
    }
}

fn made(check: Check, trace: &Trace) -> CheckOutcome {
    match trace.checks.iter().find(|(made, _)| *made == check) {
        Some((_, true)) => CheckOutcome::Passed,
        Some((_, false)) => CheckOutcome::Failed(match trace.error {
            Some(Reason::Token(error)) => error,
            _ => TokenError::Malformed,
        }),
        None => CheckOutcome::NotReached,
    }
}
