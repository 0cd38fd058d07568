//! Explains a presented certificate: its chain as each listener with a `client_ca` verifies it, and
//! whether its subject or key belongs to the client. The authenticator makes the decision.

use std::sync::Arc;

use administration::documents::ExplainedCheck;
use protocol::{ChainError, ClientCertificate, RefusalReason, Thumbprint, Validity};
use registry::methods::certificate::{EXPIRED, NOT_TRUSTED, NOT_YET_VALID};
use registry::{
    CertificateCheck, CertificateFacts, CertificateMethod, CertificateSubject, Client,
    ClientAuthenticationError, Proof, SubjectKind, check_client_certificate,
};
use values::Timestamp;

use super::check::{not_checked, passed};
use super::request::ExplainedRequest;
use crate::authentication::ChainResult;
use crate::connection::CertificateAuthorities;
use crate::{CertificateSources, PresentedCertificates};

/// A certificate, and the result of each listener.
pub(super) struct JudgedCertificate {
    /// Has the first valid chain, or the reason why there is none. If no listener verifies chains,
    /// a valid chain is assumed.
    pub(super) certificate: Arc<ClientCertificate>,
    chains: Vec<ChainResult>,
    facts: Option<CertificateFacts>,
}

impl JudgedCertificate {
    /// The first certificate in `pem` is the client's own. If the tenant has authorities, only
    /// these are used.
    pub(super) fn new(
        pem: &str,
        sources: &CertificateSources,
        of_tenant: Option<&str>,
        now: Timestamp,
    ) -> Self {
        let Ok(presented) = PresentedCertificates::read(pem.as_bytes()) else {
            // A certificate without bytes is malformed.
            let (der, thumbprint) = (Vec::new(), Thumbprint::new([0; 32]));
            let certificate = Arc::new(ClientCertificate {
                der,
                presented_with: Vec::new(),
                thumbprint,
                chain: Err(ChainError::Invalid),
            });
            return Self { certificate, chains: Vec::new(), facts: None };
        };
        let mut certificate = presented.without_authorities(now);
        let facts = CertificateFacts::read(&certificate.der);
        let chains = match of_tenant {
            Some(pem) => {
                let judged = presented.examined(&CertificateAuthorities::of_tenant(pem), now);
                vec![("`client_ca` of the tenant".to_owned(), Ok(judged))]
            }
            None => sources.judge(&presented, now),
        };
        let mut judged = chains.iter().filter_map(|(_, judged)| Some(judged.as_ref().ok()?.chain));
        let own = facts.as_ref().map(|facts| facts.validity).ok_or(ChainError::Invalid);
        let valid = judged.clone().find(Result::is_ok);
        certificate.chain = valid.or_else(|| judged.next()).unwrap_or(own);
        Self { certificate: Arc::new(certificate), chains, facts }
    }

    /// Runs after the authenticator has decided.
    pub(super) fn checks(
        &self,
        request: &ExplainedRequest<'_>,
        client: &Client,
        verdict: Result<&Proof, RefusalReason>,
    ) -> Vec<ExplainedCheck> {
        if CertificateMethod::from_client(client) == CertificateMethod::SelfSigned || self.facts.is_none() {
            let check = match verdict {
                Ok(_) => passed(
                    "certificate",
                    "The certificate, or its key, belongs to the client: self_signed_tls_client_auth.",
                ),
                Err(reason) => self.with_facts(request.refused("certificate", reason)),
            };
            return vec![check];
        }
        // Compares the subject even if no chain is valid.
        let always =
            Validity { not_before: Timestamp::from_seconds(0), not_after: Timestamp::from_seconds(u64::MAX) };
        let chain = if self.is_assumed() { self.certificate.chain } else { Ok(always) };
        let without_chain = ClientCertificate { chain, ..ClientCertificate::clone(&self.certificate) };
        let named = match check_client_certificate(client, None, &without_chain, request.now) {
            Ok(_) => {
                let registered = client.certificate_subject.as_ref().map(registered).unwrap_or_default();
                passed(
                    "certificate",
                    format!("The certificate has the client's subject, {registered}: tls_client_auth."),
                )
            }
            Err(failed) => {
                let check = request.refused("certificate", RefusalReason::Credential(failed.reason()));
                let subject =
                    client.certificate_subject.as_ref().filter(|_| failed == CertificateCheck::Registration);
                self.with_names(check, subject)
            }
        };
        vec![self.chain_check(request), named]
    }

    /// The name of the check that caused an error of the authenticator.
    pub(super) fn check_of(&self, error: &ClientAuthenticationError) -> &'static str {
        match error {
            ClientAuthenticationError::Refused {
                reason: NOT_TRUSTED | EXPIRED | NOT_YET_VALID,
                client: Some(client),
                ..
            } if CertificateMethod::from_client(client) == CertificateMethod::Issued
                && !self.is_assumed() =>
            {
                "chain"
            }
            _ => "certificate",
        }
    }

    /// Whether no listener could verify the chain.
    fn is_assumed(&self) -> bool {
        self.chains.iter().all(|(_, judged)| judged.is_err())
    }

    fn chain_check(&self, request: &ExplainedRequest<'_>) -> ExplainedCheck {
        let each =
            self.chains.iter().map(|(name, judged)| match judged.as_ref().map(|judged| judged.chain) {
                Ok(Ok(validity)) => {
                    format!("At {name} a chain is valid until {}.", validity.not_after.to_rfc3339())
                }
                Ok(Err(error)) => format!("At {name} {}.", words(error)),
                Err(error) => format!("{name} cannot be checked: {error}."),
            });
        let each = each.collect::<Vec<_>>().join(" ");
        match self.certificate.chain {
            _ if self.is_assumed() => {
                let missing =
                    "No listener in this configuration has `client_ca`, so the chain is not checked.";
                let detail = if each.is_empty() { missing.to_owned() } else { each };
                not_checked("chain", detail)
            }
            Ok(_) => passed("chain", each),
            Err(error) => {
                let reason = RefusalReason::Credential(CertificateCheck::from(error).reason());
                ExplainedCheck { detail: each, ..request.refused("chain", reason) }
            }
        }
    }

    /// Adds the certificate's names of the registered kind, for comparison.
    fn with_names(&self, check: ExplainedCheck, subject: Option<&CertificateSubject>) -> ExplainedCheck {
        let (Some(facts), Some(subject)) = (&self.facts, subject) else { return check };
        let (kind, expected) = (subject.kind(), registered(subject));
        let names: Vec<&str> = if kind == SubjectKind::Dn {
            vec![&facts.subject]
        } else {
            let names = facts.alternative_names.iter().filter(|name| name.kind == kind.member());
            names.map(|name| name.value.as_str()).collect()
        };
        let found = if names.is_empty() { "none of this kind".to_owned() } else { names.join(" and ") };
        let detail = format!("{} The client's is {expected}; the certificate has {found}.", check.detail);
        ExplainedCheck { detail, ..check }
    }

    /// Adds the properties of the certificate, for comparison with a registered key.
    fn with_facts(&self, check: ExplainedCheck) -> ExplainedCheck {
        let Some(facts) = &self.facts else { return check };
        let Validity { not_before, not_after } = facts.validity;
        let detail = format!(
            "{} Its key is {}, its x5t#S256 is {}, and it is valid from {} to {}.",
            check.detail,
            facts.public_key,
            self.certificate.thumbprint,
            not_before.to_rfc3339(),
            not_after.to_rfc3339()
        );
        ExplainedCheck { detail, ..check }
    }
}

fn registered(subject: &CertificateSubject) -> String {
    format!("{} `{}`", subject.kind().member(), subject.text())
}

const fn words(error: ChainError) -> &'static str {
    match error {
        ChainError::NoAuthorities => "there are no authorities",
        ChainError::UnknownIssuer => {
            "no authority issued it, directly or through the certificates that follow it in the file"
        }
        ChainError::Expired => "it, or a certificate in its chain, has expired",
        ChainError::NotYetValid => "it, or a certificate in its chain, is not valid yet",
        ChainError::OtherUsage => "`extendedKeyUsage` of a certificate does not include clientAuth",
        ChainError::Invalid => {
            "a certificate in its chain is not usable: a signature does not verify, or the certificate \
                violates RFC 5280"
        }
    }
}
