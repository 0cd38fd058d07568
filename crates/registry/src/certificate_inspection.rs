//! The checks of a client certificate one by one, offline: with the functions of a request, as far as they need no registration (RFC 8705 §2).

use protocol::{ChainError, ClientCertificate, Timestamp};

use crate::client_certificate::{check_chain, check_dates, parse};
use crate::{CertificateError, CertificateFacts};

/// A check of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateCheck {
    /// It can be read.
    Form,
    /// Its own dates.
    Dates,
    /// Its extended key usage.
    Usage,
    /// Its chain to an authority.
    Chain,
    /// Its subject, or its key, against the registration of a client.
    Registration,
    /// The proof that the client has its private key.
    Possession,
}

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateOutcome {
    /// It holds.
    Passed,
    /// It does not hold.
    Failed(CertificateError),
    /// A check before it failed.
    NotReached,
    /// It needs what is not known.
    NotChecked,
}

/// A certificate with the result of its checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateInspection {
    /// Each check, in the order in which they are made.
    pub checks: [(CertificateCheck, CertificateOutcome); 6],
    /// What it says of itself; `None` where it cannot be read.
    pub facts: Option<CertificateFacts>,
}

impl CertificateInspection {
    /// Inspects a certificate, whose chain was judged for this instant. Without authorities its chain is not checked.
    #[must_use]
    pub fn of(certificate: &ClientCertificate, has_authorities: bool, now: Timestamp) -> Self {
        use CertificateCheck as C;
        use CertificateOutcome::{Failed, NotChecked, NotReached, Passed};
        let outcome = |result: Result<(), CertificateError>| result.map_or_else(Failed, |()| Passed);
        let rest = [(C::Registration, NotChecked), (C::Possession, NotChecked)];
        let parsed = match parse(certificate) {
            Ok(parsed) => parsed,
            Err(error) => {
                let later = [C::Dates, C::Usage, C::Chain].map(|check| (check, NotReached));
                let [dates, usage, chain] = later;
                let [registration, possession] = rest;
                let checks = [(C::Form, Failed(error)), dates, usage, chain, registration, possession];
                return Self { checks, facts: None };
            }
        };
        let dates = outcome(check_dates(&parsed, now));
        // The chain is built from the certificate on: dates and usage of the certificate itself come before its issuer.
        let (usage, chain) = match (has_authorities, certificate.chain, check_chain(certificate, now)) {
            (false, ..) => (NotChecked, NotChecked),
            (true, _, Ok(())) => (Passed, Passed),
            (true, Err(ChainError::OtherUsage), Err(error)) => (Failed(error), NotReached),
            (true, ..) if dates != Passed => (NotReached, NotReached),
            (true, Err(ChainError::Invalid), Err(error)) => (NotReached, Failed(error)),
            (true, _, Err(error)) => (Passed, Failed(error)),
        };
        let [registration, possession] = rest;
        let checks = [
            (C::Form, Passed),
            (C::Dates, dates),
            (C::Usage, usage),
            (C::Chain, chain),
            registration,
            possession,
        ];
        Self { checks, facts: Some(CertificateFacts::of(&parsed)) }
    }

    /// The first check that failed, with the error of a request.
    #[must_use]
    pub fn failed(&self) -> Option<(CertificateCheck, CertificateError)> {
        self.checks.iter().find_map(|(check, outcome)| match outcome {
            CertificateOutcome::Failed(error) => Some((*check, *error)),
            CertificateOutcome::Passed | CertificateOutcome::NotReached | CertificateOutcome::NotChecked => {
                None
            }
        })
    }
}

impl CertificateCheck {
    /// Its name, as people and programs see it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.texts().0
    }

    /// What must be true.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        self.texts().1
    }

    const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::Form => ("form", "an X.509 certificate in PEM or DER"),
            Self::Dates => ("dates", "the instant lies between `notBefore` and `notAfter`"),
            Self::Usage => ("extended_key_usage", "no `extendedKeyUsage`, or one with clientAuth"),
            Self::Chain => (
                "chain",
                "a valid chain to an authority in `client_ca`; a self-signed certificate needs none",
            ),
            Self::Registration => {
                ("registration", "the subject, or the key, that is registered for the client")
            }
            Self::Possession => {
                ("private_key", "the handshake of TLS shows that the client has the private key")
            }
        }
    }

    /// What to do about an error of this check.
    #[must_use]
    pub const fn fix(self, error: CertificateError) -> &'static str {
        match (self, error) {
            (Self::Dates, CertificateError::NotYetValid) => {
                "wait until it is valid, or set the clock of this machine"
            }
            (Self::Dates, _) => "renew the certificate; if it is new, set the clock of this machine",
            (Self::Usage, _) => {
                "let the authority issue it with the purpose clientAuth, or without `extendedKeyUsage`"
            }
            (_, CertificateError::NotTrusted(ChainError::UnknownIssuer)) => {
                "add the authority to `client_ca`, or put the certificates between into the file, after the client's own. \
                 A self-signed certificate needs the method self_signed_tls_client_auth"
            }
            (_, CertificateError::NotTrusted(ChainError::NoAuthorities)) => {
                "name the authorities in `client_ca`"
            }
            (_, CertificateError::NotTrusted(_)) => {
                "compare the authority in `client_ca` with the issuer: a signature does not verify, or a certificate breaks RFC 5280. \
                 Authorities need `basicConstraints` with cA"
            }
            (_, CertificateError::Expired) => "renew the certificate of the chain that has expired",
            (_, CertificateError::NotYetValid) => {
                "wait until all certificates of the chain are valid, or set the clocks"
            }
            (_, _) => "give a certificate as `openssl x509` reads it; a request (CSR) or a key is none",
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::Validity;
    use rcgen::KeyPair;

    use super::*;
    use crate::client_certificate::tests::{NOW, parameters, presented, valid};

    use CertificateError as E;

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
        let not_trusted = |error| Some(("chain", E::NotTrusted(error)));
        let rest = "?registration ?private_key";
        for (der, chain, expected, failed) in [
            (&good, valid(10, 10), "+form +dates +extended_key_usage +chain", None),
            (
                &good,
                Err(ChainError::UnknownIssuer),
                "+form +dates +extended_key_usage !chain",
                not_trusted(ChainError::UnknownIssuer),
            ),
            (
                &good,
                Err(ChainError::NoAuthorities),
                "+form +dates +extended_key_usage !chain",
                not_trusted(ChainError::NoAuthorities),
            ),
            (
                &good,
                Err(ChainError::Invalid),
                "+form +dates -extended_key_usage !chain",
                not_trusted(ChainError::Invalid),
            ),
            (
                &good,
                Err(ChainError::OtherUsage),
                "+form +dates !extended_key_usage -chain",
                Some(("extended_key_usage", E::NotTrusted(ChainError::OtherUsage))),
            ),
            // A certificate between it and the authority.
            (
                &good,
                Err(ChainError::Expired),
                "+form +dates +extended_key_usage !chain",
                Some(("chain", E::Expired)),
            ),
            (
                &good,
                Err(ChainError::NotYetValid),
                "+form +dates +extended_key_usage !chain",
                Some(("chain", E::NotYetValid)),
            ),
            (
                &der((2001, 2002)),
                Err(ChainError::Expired),
                "+form !dates -extended_key_usage -chain",
                Some(("dates", E::Expired)),
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
                Some(("form", E::Malformed)),
            ),
        ] {
            let inspection = CertificateInspection::of(&presented(der, chain), true, NOW);
            assert_eq!(outcomes(&inspection), format!("{expected} {rest}"), "{chain:?}");
            let found = inspection.failed();
            assert_eq!(found.map(|(check, error)| (check.name(), error)), failed);
            assert_eq!(inspection.facts.is_some(), failed != Some(("form", E::Malformed)));
            if let Some((check, error)) = found {
                assert!(!check.fix(error).is_empty());
            }
        }
    }

    #[test]
    fn without_authorities_the_chain_is_not_checked_and_the_dates_are() {
        let key = KeyPair::generate().unwrap();
        for (years, expected, failed) in [
            ((2026, 2027), "+form +dates ?extended_key_usage ?chain ?registration ?private_key", None),
            (
                (2001, 2002),
                "+form !dates ?extended_key_usage ?chain ?registration ?private_key",
                Some((CertificateCheck::Dates, E::Expired)),
            ),
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
        assert_eq!(inspection.failed(), Some((CertificateCheck::Chain, E::Expired)));
    }
}
