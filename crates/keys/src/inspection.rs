//! Inspections: run the verification of a request and record the result of each check.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use latchkey_verifier::rules::{self, LONGEST_TOKEN};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use values::{Lifetime, Timestamp};

use crate::check::CHECKS;
use crate::verification_keys::VerificationKeys;
use crate::verify::{Rules, check_unsigned, verify_observed};
use crate::{
    Check, DescribedCheck, Expectations, JwtKind, ObjectMembers, PublicKeys, TokenError, token_faults,
};

#[derive(Debug)]
pub struct Inspection {
    /// In the order of verification.
    pub checks: Vec<(Check, CheckOutcome)>,
    /// Which part of the token is malformed, if one is.
    pub place: Option<String>,
    /// An access token if `typ` is the expected one, otherwise the kind that `typ` names.
    pub kind: JwtKind,
    /// The unverified header. `None` if it cannot be parsed.
    pub header: Option<ObjectMembers>,
    /// The unverified claims. `None` if they cannot be parsed.
    pub claims: Option<ObjectMembers>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckOutcome<E = TokenError> {
    Passed,
    Failed(E),
    /// An earlier check failed.
    NotReached,
    /// The check needs a key or a registration that is not known.
    NotChecked,
}

impl<E: Copy> CheckOutcome<E> {
    /// The error, if the check failed.
    #[must_use]
    pub fn failed(self) -> Option<E> {
        match self {
            Self::Failed(error) => Some(error),
            Self::Passed | Self::NotReached | Self::NotChecked => None,
        }
    }
}

/// The outcomes of all checks in order. Checks after a failed check are not reached.
fn outcomes<C: Copy, E: Copy>(
    table: &[C],
    made: impl Fn(C) -> CheckOutcome<E>,
) -> impl Iterator<Item = (C, CheckOutcome<E>)> {
    let mut has_failed = false;
    table.iter().map(move |&check| {
        let outcome = if has_failed { CheckOutcome::NotReached } else { made(check) };
        has_failed |= outcome.failed().is_some();
        (check, outcome)
    })
}

/// The outcomes if `failed` is the first check that fails.
pub fn outcomes_until<C: DescribedCheck>(
    table: &[C],
    failed: Option<C>,
) -> impl Iterator<Item = (C, CheckOutcome<C>)> {
    let is_failed = move |check: C| failed.filter(|failed| failed.name() == check.name());
    outcomes(table, move |check| is_failed(check).map_or(CheckOutcome::Passed, CheckOutcome::Failed))
}

/// Verifies a token with these keys and claims of type `C`, and records each check. Without keys, only the
/// checks that need no key run.
#[must_use]
pub fn inspect<C: DeserializeOwned>(
    token: &str,
    keys: Option<&PublicKeys>,
    now: Timestamp,
    leeway: Lifetime,
    expectations: &Expectations<'_>,
) -> Inspection {
    inspect_with::<C>(token, keys, &Rules { now, leeway, expectations })
}

pub(crate) fn inspect_with<C: DeserializeOwned>(
    token: &str,
    keys: Option<&impl VerificationKeys>,
    rules: &Rules<'_>,
) -> Inspection {
    let mut made = Vec::new();
    let result = match keys {
        Some(keys) => verify_observed::<C>(token, keys, rules, &mut made).map(|_| ()),
        None => check_unsigned::<C>(token, rules, &mut made),
    };
    let [header, claims] = members(token);
    let typ = header.iter().flatten().find(|(name, _)| name == "typ").and_then(|(_, typ)| typ.as_str());
    let is_expected = typ.is_some() && (rules.expectations.accepts_typ)(typ);
    let kind = if is_expected { JwtKind::AccessToken } else { JwtKind::from_typ(typ) };
    // If a check failed, it was the last one, and `result` is its error.
    let of_check = |check| match (made.iter().find(|(other, _)| *other == check), result) {
        (Some((_, false)), Err(error)) => CheckOutcome::Failed(error),
        (Some(_), _) => CheckOutcome::Passed,
        (None, _) => CheckOutcome::NotChecked,
    };
    let place = match made.last().filter(|(_, holds)| !holds).map(|(check, _)| *check) {
        Some(Check::KindClaims) => type_error::<C>(claims.as_ref()),
        Some(check) => token_faults::place(check, token, header.as_ref(), claims.as_ref()),
        None => None,
    };
    Inspection { checks: outcomes(&CHECKS, of_check).collect(), place, kind, header, claims }
}

impl Inspection {
    /// The error of the first failed check, as verification would return it.
    pub fn verdict(&self) -> Result<(), TokenError> {
        self.checks.iter().find_map(|(_, outcome)| outcome.failed()).map_or(Ok(()), Err)
    }

    #[must_use]
    pub fn failed(&self) -> Option<Check> {
        self.checks.iter().find(|(_, outcome)| outcome.failed().is_some()).map(|(check, _)| *check)
    }
}

/// Header and claims, each if it can be parsed, independently of the other parts.
fn members(token: &str) -> [Option<ObjectMembers>; 2] {
    if token.len() > LONGEST_TOKEN {
        return [None, None];
    }
    let mut parts = token.split('.');
    [parts.next(), parts.next()].map(|part| {
        let text = String::from_utf8(BASE64URL.decode(part?).ok()?).ok()?;
        let unique = rules::Members::parse(&text).ok()?;
        let mut values: Map<String, Value> = serde_json::from_str(&text).ok()?;
        Some(unique.names().filter_map(|name| values.remove_entry(name)).collect())
    })
}

fn type_error<C: DeserializeOwned>(claims: Option<&ObjectMembers>) -> Option<String> {
    let claims: Map<String, Value> = claims?.iter().cloned().collect();
    serde_json::from_value::<C>(Value::Object(claims)).err().map(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use protocol::SigningAlgorithm;
    use serde_json::json;

    use super::*;
    use crate::test_keys::{anything, numbered, published, with, without};
    use crate::{JwkSet, SigningKey};

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    fn key() -> SigningKey {
        numbered(1, SigningAlgorithm::EdDSA)
    }

    fn keys() -> PublicKeys {
        published(&JwkSet::new(vec![key().jwk]))
    }

    fn inspected(token: &str, with_keys: bool) -> Inspection {
        let keys = keys();
        let (is_issuer, accepts_typ) = (&|iss: &str| iss == "i", &|typ: Option<&str>| typ == Some("at+jwt"));
        let expectations = Expectations { is_issuer, accepts_typ, audience: Some("a"), ..anything() };
        inspect::<Value>(token, with_keys.then_some(&keys), NOW, expectations.skew, &expectations)
    }

    fn claims(exp: u64) -> Value {
        json!({ "iss": "i", "aud": "a", "sub": "s", "iat": 1_000_000, "nbf": 1_000_000, "exp": exp })
    }

    #[track_caller]
    fn outcome(inspection: &Inspection, check: Check) -> CheckOutcome {
        inspection.checks.iter().find(|(other, _)| *other == check).unwrap().1
    }

    #[test]
    fn verification_runs_access_token_checks_in_order() {
        let mut made = Vec::new();
        let token = key().sign("at+jwt", &claims(1_000_060)).unwrap();
        let rules = Rules { now: NOW, leeway: Lifetime::from_seconds(0), expectations: &anything() };
        verify_observed::<Value>(&token, &keys(), &rules, &mut made).unwrap();
        let checks: Vec<_> = made.iter().map(|(check, _)| *check).collect();
        assert_eq!(checks, JwtKind::AccessToken.checks());
    }

    #[test]
    fn a_good_token_passes_every_check() {
        let inspection = inspected(&key().sign("at+jwt", &claims(1_000_060)).unwrap(), true);
        assert!(
            inspection.checks.iter().all(|(_, outcome)| *outcome == CheckOutcome::Passed),
            "{inspection:?}"
        );
        assert_eq!((inspection.verdict(), inspection.kind), (Ok(()), JwtKind::AccessToken));
        let names: Vec<_> = inspection.claims.unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, claims(0).as_object().unwrap().keys().cloned().collect::<Vec<_>>());
    }

    #[test]
    fn checks_after_a_failure_are_not_reached() {
        let inspection = inspected(&key().sign("at+jwt", &claims(1_000_000)).unwrap(), true);
        assert_eq!(inspection.verdict(), Err(TokenError::Expired));
        assert_eq!(inspection.failed(), Some(Check::Expiry));
        for (check, expected) in [
            (Check::Signature, CheckOutcome::Passed),
            (Check::Expiry, CheckOutcome::Failed(TokenError::Expired)),
            (Check::NotBefore, CheckOutcome::NotReached),
            (Check::KindClaims, CheckOutcome::NotReached),
        ] {
            assert_eq!(outcome(&inspection, check), expected);
        }
    }

    #[test]
    fn without_keys_the_signature_is_not_checked() {
        let inspection = inspected(&key().sign("at+jwt", &claims(1_000_000)).unwrap(), false);
        for check in [Check::Key, Check::KeyAlgorithm, Check::Signature] {
            assert_eq!(outcome(&inspection, check), CheckOutcome::NotChecked);
        }
        assert_eq!(inspection.failed(), Some(Check::Expiry));
    }

    #[test]
    fn unexpected_token_kind_is_reported() {
        for (typ, kind) in [("dpop+jwt", JwtKind::DpopProof), ("JWT", JwtKind::Unnamed)] {
            let inspection = inspected(&key().sign(typ, &claims(1_000_060)).unwrap(), true);
            assert_eq!((inspection.kind, inspection.failed()), (kind, Some(Check::Typ)));
        }
    }

    #[test]
    fn readable_parts_are_shown_despite_unreadable_signature() {
        let token = key().sign("at+jwt", &claims(1_000_060)).unwrap();
        let inspection = inspected(&format!("{token}="), true);
        assert_eq!(inspection.failed(), Some(Check::Encoding));
        assert!(inspection.place.unwrap().starts_with("signature: "));
        assert!(inspection.header.is_some() && inspection.claims.is_some());
    }

    #[test]
    fn a_missing_claim_is_named() {
        let place = |claims: Value| inspected(&key().sign("at+jwt", &claims).unwrap(), true).place.unwrap();
        for name in ["exp", "aud", "iss"] {
            assert_eq!(place(without(claims(1_000_060), name)), format!("`{name}` is missing"));
        }
        assert_eq!(place(with(claims(1_000_060), "exp", json!("7"))), "`exp` is \"7\"");
    }

    #[test]
    fn allocations_do_not_grow_with_token_length() {
        for text in ["A", ".", "e30.", "\u{e9}", "=", "\0"] {
            let [small, large] = [256, 1024].map(|kib: usize| {
                let token = text.repeat(kib * 1024 / text.len());
                allocation_counter::measure(|| {
                    let inspection = inspected(&token, true);
                    assert_eq!(inspection.failed(), Some(Check::Length));
                })
            });
            assert_eq!(small.count_total, large.count_total, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_inspected(token in "[A-Za-z0-9_.=-]{0,80}|(e30|eyJhbGciOiJub25lIn0)\\.[A-Za-z0-9_.-]{0,40}|.{0,40}") {
            let inspection = inspected(&token, true);
            prop_assert!(inspection.verdict().is_err());
            prop_assert_eq!(inspection.checks.len(), CHECKS.len());
        }
    }
}
