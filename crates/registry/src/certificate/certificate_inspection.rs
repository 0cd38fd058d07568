//! Runs the checks of a client certificate one by one, offline (RFC 8705 §2), with the functions that check a
//! request, except those that need a registration.

use keys::CheckOutcome;
use protocol::ClientCertificate;
use values::Timestamp;

use crate::certificate::client_certificate::{check_chain, check_dates, parse};
use crate::{CertificateCheck, CertificateFacts};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateInspection {
    /// The result of each check, in the order of a request.
    pub checks: [(CertificateCheck, CheckOutcome<CertificateCheck>); 5],
    /// `None` if the certificate cannot be parsed.
    pub facts: Option<CertificateFacts>,
}

impl CertificateInspection {
    /// The caller must already have verified the chain for `now`. Without authorities the chain is not
    /// checked.
    #[must_use]
    pub fn new(certificate: &ClientCertificate, has_authorities: bool, now: Timestamp) -> Self {
        use CertificateCheck as C;
        use CheckOutcome::{Failed, NotChecked, NotReached, Passed};
        let parsed = parse(certificate);
        let form = parsed.as_ref().map_or_else(|failed| Failed(*failed), |_| Passed);
        let dates = parsed
            .as_ref()
            .map_or(NotReached, |parsed| check_dates(parsed, now).map_or_else(Failed, |()| Passed));
        // The chain is verified starting at the client's certificate, so its own dates and usage are reported
        // before its issuer.
        let (usage, chain) = match (has_authorities, check_chain(certificate, now)) {
            _ if form != Passed => (NotReached, NotReached),
            (false, _) => (NotChecked, NotChecked),
            (true, Ok(())) => (Passed, Passed),
            (true, Err(failed @ C::Usage)) => (Failed(failed), NotReached),
            (true, Err(_)) if dates != Passed => (NotReached, NotReached),
            (true, Err(failed @ C::Chain)) => (NotReached, Failed(failed)),
            (true, Err(failed)) => (Passed, Failed(failed)),
        };
        let checks = [
            (C::Form, form),
            (C::Dates, dates),
            (C::Usage, usage),
            (C::Chain, chain),
            (C::Registration, NotChecked),
        ];
        let facts = parsed.ok().map(|parsed| CertificateFacts::new(&parsed, certificate.thumbprint));
        Self { checks, facts }
    }

    #[must_use]
    pub fn failed(&self) -> Option<CertificateCheck> {
        self.checks.iter().find_map(|(_, outcome)| outcome.failed())
    }
}

#[cfg(test)]
mod tests {
    use keys::DescribedCheck as _;
    use protocol::{ChainError, Validity};
    use rcgen::KeyPair;

    use super::*;
    use crate::certificate::client_certificate::tests::{NOW, parameters, presented, valid};

    /// One character for the outcome of each check.
    fn signs(inspection: &CertificateInspection) -> String {
        let sign = |(check, outcome): &(CertificateCheck, CheckOutcome<CertificateCheck>)| match outcome {
            CheckOutcome::Passed => '+',
            CheckOutcome::Failed(failed) if failed.name() == check.name() && !failed.fix().is_empty() => '!',
            CheckOutcome::Failed(_) => 'x',
            CheckOutcome::NotReached => '-',
            CheckOutcome::NotChecked => '?',
        };
        inspection.checks.iter().map(sign).collect()
    }

    #[test]
    fn failed_check_is_named_and_later_checks_skipped() {
        use CertificateCheck as E;
        let key = KeyPair::generate().unwrap();
        let der = |years| parameters(years).self_signed(&key).unwrap().der().to_vec();
        let good = der((2026, 2027));
        let (old, early) = (der((2001, 2002)), der((2027, 2028)));
        let piece = good[..100].to_vec();
        let ended =
            Validity { not_before: Timestamp::from_seconds(0), not_after: Timestamp::from_seconds(1) };
        let checks = CertificateCheck::ALL.iter().map(|check| check.name()).collect::<Vec<_>>();
        assert_eq!(checks, ["form", "dates", "extended_key_usage", "chain", "registration"]);
        for (der, chain, expected, failed) in [
            (&good, valid(10, 10), "++++?", None),
            (&good, Err(ChainError::UnknownIssuer), "+++!?", Some(E::UnknownIssuer)),
            (&good, Err(ChainError::NoAuthorities), "+++!?", Some(E::NoAuthorities)),
            (&good, Err(ChainError::Invalid), "++-!?", Some(E::Chain)),
            (&good, Err(ChainError::OtherUsage), "++!-?", Some(E::Usage)),
            // The certificate is valid now, but an authority's certificate in its chain is not.
            (&good, Err(ChainError::Expired), "+++!?", Some(E::ChainExpired)),
            (&good, Err(ChainError::NotYetValid), "+++!?", Some(E::ChainNotYetValid)),
            // The dates of the chain are compared with the time of the request, even if the chain was
            // verified at the start of the connection.
            (&good, Ok(ended), "+++!?", Some(E::ChainExpired)),
            (&old, Err(ChainError::Expired), "+!--?", Some(E::Dates)),
            (&early, Err(ChainError::NotYetValid), "+!--?", Some(E::NotYetValid)),
            (&piece, Err(ChainError::Invalid), "!---?", Some(E::Form)),
        ] {
            let inspection = CertificateInspection::new(&presented(der, chain), true, NOW);
            assert_eq!((signs(&inspection).as_str(), inspection.failed()), (expected, failed), "{chain:?}");
            assert_eq!(inspection.facts.is_some(), failed != Some(E::Form));
        }
        // Without authorities the dates are checked, but not the chain.
        for (der, expected, failed) in [(&good, "++???", None), (&old, "+!???", Some(E::Dates))] {
            let presented = presented(der, Err(ChainError::NoAuthorities));
            let inspection = CertificateInspection::new(&presented, false, NOW);
            assert_eq!((signs(&inspection).as_str(), inspection.failed()), (expected, failed));
        }
    }
}
