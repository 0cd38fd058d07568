//! What an API says of an access token that it verifies offline, with `latchkey-verifier` and a key set.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use keys::{DescribedCheck, Inspection, Members, Outcome, TokenError};
use latchkey_verifier::{Algorithm, Check, Clock, KeySet, Moment, Reason, Trace, Trusted, Verifier};
use protocol::{Lifetime, Timestamp};
use serde_json::Value;

/// The API.
pub(super) struct OfflineApi(Verifier);

/// What the API expects. What is not known is taken from the token, so the check passes and is reported as not made.
pub(super) struct Expects<'a> {
    pub(super) issuer: Option<&'a str>,
    pub(super) audience: Option<&'a str>,
    pub(super) now: Timestamp,
    pub(super) leeway: Lifetime,
}

/// The instant of an inspection.
struct Fixed(Timestamp);

impl Clock for Fixed {
    fn now(&self) -> Moment {
        Moment { monotonic: Duration::ZERO, unix: Duration::from_secs(self.0.seconds()) }
    }
}

impl OfflineApi {
    /// `unverified` are the claims of the token.
    pub(super) fn new(
        key_set: &str,
        expects: &Expects<'_>,
        unverified: Option<&Members>,
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
        Ok(Self(verifier.context("no API can be as the options say")?))
    }

    /// Replaces the outcomes of an inspection by those of the API. Returns the outcome of the check whether the sender may use the token: it may not without
    /// the proof of a key that the token is bound to.
    pub(super) fn judge(&self, token: &str, inspection: &mut Inspection) -> anyhow::Result<Outcome> {
        let trace = self.0.trace(token)?;
        let found_by_keys = inspection.failed();
        inspection.checks.iter_mut().for_each(|(check, outcome)| *outcome = made(check.name(), &trace));
        if inspection.failed() != found_by_keys {
            inspection.place = None;
        }
        Ok(made(Check::Confirmation.name(), &trace))
    }
}

fn made(check: &str, trace: &Trace) -> Outcome {
    match trace.checks.iter().find(|(made, _)| made.name() == check) {
        Some((_, true)) => Outcome::Passed,
        Some((_, false)) => Outcome::Failed(error(trace.error.as_ref())),
        None => Outcome::NotReached,
    }
}

fn error(reason: Option<&Reason>) -> TokenError {
    use latchkey_verifier::TokenError as E;
    match reason {
        Some(Reason::Token(E::HeaderNotAllowed)) => TokenError::HeaderNotAllowed,
        Some(Reason::Token(E::AlgorithmNotAllowed)) => TokenError::AlgorithmNotAllowed,
        Some(Reason::Token(E::ForeignIssuer)) => TokenError::ForeignIssuer,
        Some(Reason::Token(E::UnknownKey)) => TokenError::UnknownKey,
        Some(Reason::Token(E::SignatureInvalid)) => TokenError::SignatureInvalid,
        Some(Reason::Token(E::Expired)) => TokenError::Expired,
        Some(Reason::Token(E::NotYetValid)) => TokenError::NotYetValid,
        Some(Reason::Token(E::WrongTyp)) => TokenError::WrongTyp,
        Some(Reason::Token(E::WrongAudience)) => TokenError::WrongAudience,
        Some(Reason::Token(E::Revoked)) => TokenError::Revoked,
        _ => TokenError::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use keys::Expectations;

    use super::*;

    /// So an inspection cannot say anything else than an API: both come to the outcome of each vector.
    #[test]
    fn an_inspection_comes_to_the_outcome_of_every_vector() {
        let anything =
            Expectations { is_issuer: &|_| true, accepts_typ: &|_| true, audience: None, skew: keys::LEEWAY };
        let mut count = 0;
        for file in [
            include_str!("../../../../latchkey-verifier/vectors/form.json"),
            include_str!("../../../../latchkey-verifier/vectors/header.json"),
            include_str!("../../../../latchkey-verifier/vectors/keys.json"),
            include_str!("../../../../latchkey-verifier/vectors/claims.json"),
        ] {
            let file: Value = serde_json::from_str(file).unwrap();
            let cases = file["cases"].as_array().unwrap().iter();
            // An inspection with another `typ` is of another kind of token.
            for case in cases.filter(|case| case.get("typs").is_none()) {
                let of_case = |name: &str| case.get(name).unwrap_or(&file[name]);
                let (token, key_set) = (case["token"].as_str().unwrap(), of_case("key_set").to_string());
                let now = Timestamp::from_seconds(of_case("now").as_u64().unwrap());
                let [issuer, audience] = ["issuer", "audience"].map(|name| of_case(name).as_str());
                let expects = Expects { issuer, audience, now, leeway: keys::LEEWAY };
                let mut inspection = keys::inspect::<Value>(token, None, now, keys::LEEWAY, &anything);
                let api = OfflineApi::new(&key_set, &expects, None).unwrap();
                let confirmation = api.judge(token, &mut inspection).unwrap();
                let error = inspection.verdict().err();
                let error = error.map(|error| format!("{error:?}").to_lowercase()).unwrap_or_default();
                assert_eq!(
                    error,
                    case["error"].as_str().unwrap_or_default().replace('_', ""),
                    "{}",
                    case["name"]
                );
                assert_eq!(
                    inspection.failed().map(DescribedCheck::name),
                    case["check"].as_str(),
                    "{}",
                    case["name"]
                );
                let is_bound = matches!(confirmation, Outcome::Failed(_));
                assert_eq!(is_bound, case.get("sender").is_some(), "{}", case["name"]);
                count += 1;
            }
        }
        assert!(count >= 150, "{count} vectors");
    }
}
