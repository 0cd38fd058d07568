//! The checks of a client certificate one by one, offline: with the functions of a request, as far as they need no registration (RFC 8705 §2).

use protocol::{ClientCertificate, Timestamp};

use crate::client_certificate::{check_chain, check_dates, parse};
use crate::{CertificateCheck, CertificateFacts};

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateOutcome {
    /// It holds.
    Passed,
    /// It does not hold.
    Failed(CertificateCheck),
    /// A check before it failed.
    NotReached,
    /// It needs what is not known.
    NotChecked,
}

/// A certificate with the result of its checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateInspection {
    /// Each check, in the order in which they are made.
    pub checks: [(CertificateCheck, CertificateOutcome); 5],
    /// What it says of itself; `None` where it cannot be read.
    pub facts: Option<CertificateFacts>,
}

impl CertificateInspection {
    /// Inspects a certificate, whose chain was judged for this instant. Without authorities its chain is not checked.
    #[must_use]
    pub fn of(certificate: &ClientCertificate, has_authorities: bool, now: Timestamp) -> Self {
        use CertificateCheck as C;
        use CertificateOutcome::{Failed, NotChecked, NotReached, Passed};
        let checks = |form, dates, usage, chain| {
            [
                (C::Form, form),
                (C::Dates, dates),
                (C::Usage, usage),
                (C::Chain, chain),
                (C::Registration, NotChecked),
            ]
        };
        let parsed = match parse(certificate) {
            Ok(parsed) => parsed,
            Err(failed) => {
                return Self {
                    checks: checks(Failed(failed), NotReached, NotReached, NotReached),
                    facts: None,
                };
            }
        };
        let dates = check_dates(&parsed, now).map_or_else(Failed, |()| Passed);
        // The chain is built from the certificate on: dates and usage of the certificate itself come before its issuer.
        let (usage, chain) = match (has_authorities, check_chain(certificate, now)) {
            (false, _) => (NotChecked, NotChecked),
            (true, Ok(())) => (Passed, Passed),
            (true, Err(failed @ C::Usage)) => (Failed(failed), NotReached),
            (true, Err(_)) if dates != Passed => (NotReached, NotReached),
            (true, Err(failed @ C::Chain)) => (NotReached, Failed(failed)),
            (true, Err(failed)) => (Passed, Failed(failed)),
        };
        Self { checks: checks(Passed, dates, usage, chain), facts: Some(CertificateFacts::of(&parsed)) }
    }

    /// The first check that failed.
    #[must_use]
    pub fn failed(&self) -> Option<CertificateCheck> {
        self.checks.iter().find_map(|(_, outcome)| match outcome {
            CertificateOutcome::Failed(failed) => Some(*failed),
            CertificateOutcome::Passed | CertificateOutcome::NotReached | CertificateOutcome::NotChecked => {
                None
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use keys::DescribedCheck as _;
    use protocol::{ChainError, Validity};
    use rcgen::KeyPair;

    use super::*;
    use crate::client_certificate::tests::{NOW, parameters, presented, valid};

    use CertificateCheck as E;

    /// The names of the checks with a letter for each outcome.
    fn outcomes(inspection: &CertificateInspection) -> String {
        let letter = |(check, outcome): &(CertificateCheck, CertificateOutcome)| {
            let letter = match outcome {
                CertificateOutcome::Passed => '+',
                CertificateOutcome::Failed(_) => '!',
                CertificateOutcome::NotReached => '-',
                CertificateOutcome::NotChecked => '?',
            };
            format!("{letter}{}", check.name())
        };
        inspection.checks.iter().map(letter).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_failing_check_is_named_and_the_later_ones_are_not_reached() {
        let key = KeyPair::generate().unwrap();
        let der = |years| parameters(years).self_signed(&key).unwrap().der().to_vec();
        let good = der((2026, 2027));
        let rest = "?registration";
        for (der, chain, expected, failed) in [
            (&good, valid(10, 10), "+form +dates +extended_key_usage +chain", None),
            (
                &good,
                Err(ChainError::UnknownIssuer),
                "+form +dates +extended_key_usage !chain",
                Some(("chain", E::UnknownIssuer)),
            ),
            (
                &good,
                Err(ChainError::NoAuthorities),
                "+form +dates +extended_key_usage !chain",
                Some(("chain", E::NoAuthorities)),
            ),
            (
                &good,
                Err(ChainError::Invalid),
                "+form +dates -extended_key_usage !chain",
                Some(("chain", E::Chain)),
            ),
            (
                &good,
                Err(ChainError::OtherUsage),
                "+form +dates !extended_key_usage -chain",
                Some(("extended_key_usage", E::Usage)),
            ),
            // A certificate between it and the authority.
            (
                &good,
                Err(ChainError::Expired),
                "+form +dates +extended_key_usage !chain",
                Some(("chain", E::ChainExpired)),
            ),
            (
                &good,
                Err(ChainError::NotYetValid),
                "+form +dates +extended_key_usage !chain",
                Some(("chain", E::ChainNotYetValid)),
            ),
            (
                &der((2001, 2002)),
                Err(ChainError::Expired),
                "+form !dates -extended_key_usage -chain",
                Some(("dates", E::Dates)),
            ),
            (
                &der((2027, 2028)),
                Err(ChainError::NotYetValid),
                "+form !dates -extended_key_usage -chain",
                Some(("dates", E::NotYetValid)),
            ),
            (
                &good[..100].to_vec(),
                Err(ChainError::Invalid),
                "!form -dates -extended_key_usage -chain",
                Some(("form", E::Form)),
            ),
        ] {
            let inspection = CertificateInspection::of(&presented(der, chain), true, NOW);
            assert_eq!(outcomes(&inspection), format!("{expected} {rest}"), "{chain:?}");
            let found = inspection.failed();
            assert_eq!(found.map(|check| (check.name(), check)), failed);
            assert_eq!(inspection.facts.is_some(), failed != Some(("form", E::Form)));
            assert!(found.is_none_or(|check| !check.fix().is_empty()));
        }
    }

    #[test]
    fn without_authorities_the_chain_is_not_checked_and_the_dates_are() {
        let key = KeyPair::generate().unwrap();
        for (years, expected, failed) in [
            ((2026, 2027), "+form +dates ?extended_key_usage ?chain ?registration", None),
            ((2001, 2002), "+form !dates ?extended_key_usage ?chain ?registration", Some(E::Dates)),
        ] {
            let der = parameters(years).self_signed(&key).unwrap().der().to_vec();
            let presented = presented(&der, Err(ChainError::NoAuthorities));
            let inspection = CertificateInspection::of(&presented, false, NOW);
            assert_eq!((outcomes(&inspection).as_str(), inspection.failed()), (expected, failed));
        }
    }

    /// A chain that was judged at the beginning of a connection is compared with the instant, as that of a request is.
    #[test]
    fn the_time_of_the_whole_chain_counts() {
        let key = KeyPair::generate().unwrap();
        let der = parameters((2026, 2027)).self_signed(&key).unwrap().der().to_vec();
        let ended =
            Validity { not_before: Timestamp::from_seconds(0), not_after: Timestamp::from_seconds(1) };
        let inspection = CertificateInspection::of(&presented(&der, Ok(ended)), true, NOW);
        assert_eq!(inspection.failed(), Some(E::ChainExpired));
    }
}
