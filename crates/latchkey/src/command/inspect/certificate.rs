//! `latchkey inspect` of a client certificate: what it says of itself, in the words of a registration, and each check that needs no
//! registration. Whether it is a client's, `latchkey explain` says.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use gateway::PresentedCertificates;
use keys::DescribedCheck;
use protocol::{ClientCertificate, Timestamp};
use registry::{CertificateCheck, CertificateFacts, CertificateInspection, CertificateOutcome, SubjectKind};
use serde::Serialize;
use settings::files;

use super::explain::{Line, Status};
use super::input::without_secrets;
use super::report::{Verdict, not_checked, rows, wrapped};
use super::times::instant;
use super::{InspectArguments, NOT_VALID};
use crate::command::output::json;
use crate::command::print;

/// All that is shown.
#[derive(Debug, Serialize)]
struct CertificateReport {
    verdict: Verdict,
    /// As in the log line of a refused request.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// The check that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<&'static str>,
    kind: &'static str,
    at: String,
    checks: Vec<Line>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<CertificateView>,
    /// What comes beside the client's own certificate.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    chain: Vec<LinkView>,
    #[serde(skip)]
    now: Timestamp,
}

/// The client's own certificate.
#[derive(Debug, Serialize)]
struct CertificateView {
    subject_dn: String,
    issuer_dn: String,
    alternative_names: Vec<NameView>,
    #[serde(rename = "x5t#S256")]
    thumbprint: String,
    public_key: String,
    not_before: String,
    not_after: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_usage: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extended_key_usage: Option<Vec<String>>,
    #[serde(skip)]
    validity: protocol::Validity,
}

/// An alternative name, with the member that registers it.
#[derive(Debug, Serialize)]
struct NameView {
    kind: &'static str,
    value: String,
}

/// A certificate between the client's and an authority.
#[derive(Debug, Serialize)]
struct LinkView {
    subject_dn: String,
    issuer_dn: String,
    not_after: String,
}

/// Prints each check with what it found. Exit 0 for a certificate that passes all, and 7 for another one, and for one of an authority whose
/// chain is not checked.
pub(super) fn run(arguments: &InspectArguments, bytes: &[u8], now: Timestamp) -> anyhow::Result<ExitCode> {
    let file = arguments.file.display();
    if let Some(option) = option_of_tokens(arguments) {
        bail!(
            "{option} is for tokens, and {file} holds a certificate; to check it against a client, run \
             `latchkey explain TENANT CLIENT --auth-method tls_client_auth --certificate-file FILE`"
        );
    }
    let presented = PresentedCertificates::read(bytes).with_context(|| format!("{file} cannot be used"))?;
    let client_ca = arguments.client_ca.as_deref();
    let certificate = presented
        .examine(client_ca, files::read_public, now)
        .context("--client-ca: the chain cannot be checked")?;
    let report = CertificateReport::new(&presented, &certificate, client_ca.is_some(), now);
    print(&if arguments.admin.json { report.json() } else { report.lines() })?;
    Ok(if report.verdict == Verdict::Valid { ExitCode::SUCCESS } else { ExitCode::from(NOT_VALID) })
}

/// An option that says nothing of a certificate.
fn option_of_tokens(arguments: &InspectArguments) -> Option<&'static str> {
    let InspectArguments { jwks, tenant, issuer, audience, typ, method, url, access_token, .. } = arguments;
    let options = [
        ("--jwks", jwks.is_some()),
        ("--tenant", tenant.is_some()),
        ("--issuer", issuer.is_some()),
        ("--audience", audience.is_some()),
        ("--typ", typ.is_some()),
        ("--method", method.is_some()),
        ("--url", url.is_some()),
        ("--access-token", access_token.is_some()),
    ];
    options.into_iter().find(|(_, is_given)| *is_given).map(|(option, _)| option)
}

impl CertificateReport {
    fn new(
        presented: &PresentedCertificates,
        certificate: &ClientCertificate,
        has_authorities: bool,
        now: Timestamp,
    ) -> Self {
        let inspection = CertificateInspection::of(certificate, has_authorities, now);
        let facts = inspection.facts.as_ref();
        let failed = inspection.failed();
        let checks = inspection.checks.iter();
        let checks = checks.map(|(check, outcome)| line(*check, *outcome, facts, now));
        let checks = checks.chain([possession()]).collect();
        // A self-signed certificate authenticates without a chain.
        let needs_chain = facts.is_none_or(|facts| !facts.is_self_issued());
        let verdict = match failed {
            Some(_) => Verdict::Refused,
            None if needs_chain && !has_authorities => Verdict::Unverified,
            None => Verdict::Valid,
        };
        let link = |der| {
            let facts = CertificateFacts::read(der);
            let unreadable = || "this is no X.509 certificate".to_owned();
            LinkView {
                subject_dn: facts.as_ref().map_or_else(unreadable, |facts| facts.subject.clone()),
                issuer_dn: facts.as_ref().map(|facts| facts.issuer.clone()).unwrap_or_default(),
                not_after: facts.map(|facts| facts.validity.not_after.to_rfc3339()).unwrap_or_default(),
            }
        };
        Self {
            verdict,
            reason: failed.map(|check| check.reason().code),
            failed: failed.map(DescribedCheck::name),
            kind: "a client certificate",
            at: now.to_rfc3339(),
            checks,
            chain: presented.der().skip(1).map(link).collect(),
            certificate: inspection.facts.map(|facts| CertificateView::new(facts, certificate)),
            now,
        }
    }

    fn json(&self) -> String {
        without_secrets(&json(self))
    }

    /// At most 80 columns wide.
    fn lines(&self) -> String {
        let mut shown = wrapped(self.summary().into_iter().map(|line| vec![line]));
        shown.push_str("\nCHECKS\n");
        shown.push_str(&wrapped(self.checks.iter().flat_map(rows)));
        if let Some(certificate) = &self.certificate {
            shown.push_str("\nCERTIFICATE\n");
            shown.push_str(&wrapped(certificate.rows(self.now).into_iter()));
        }
        if !self.chain.is_empty() {
            shown.push_str("\nCERTIFICATES BESIDE IT\n");
            let row = |LinkView { subject_dn, issuer_dn, not_after }: &LinkView| {
                vec![subject_dn.clone(), format!("issued by {issuer_dn}, valid until {not_after}")]
            };
            shown.push_str(&wrapped(self.chain.iter().map(row)));
        }
        shown
    }

    fn summary(&self) -> Vec<String> {
        let verdict = match (self.verdict, self.failed, self.reason) {
            (Verdict::Refused, Some(failed), Some(reason)) => {
                format!("REFUSED by the check `{failed}` ({reason}).")
            }
            (Verdict::Valid, ..) => {
                format!("VALID: every check that was made has passed.{}", not_checked(&self.checks))
            }
            (Verdict::Unverified | Verdict::Refused, ..) => {
                "NOT VERIFIED: the chain is not checked, so any sender can have made this. Give --client-ca."
                    .to_owned()
            }
        };
        vec![verdict, format!("This is {}, checked for {}.", self.kind, self.at)]
    }
}

impl CertificateView {
    fn new(facts: CertificateFacts, certificate: &ClientCertificate) -> Self {
        let name = |(kind, value)| NameView { kind, value };
        Self {
            subject_dn: facts.subject,
            issuer_dn: facts.issuer,
            alternative_names: facts.alternative_names.into_iter().map(name).collect(),
            thumbprint: certificate.thumbprint.to_string(),
            public_key: facts.public_key,
            not_before: facts.validity.not_before.to_rfc3339(),
            not_after: facts.validity.not_after.to_rfc3339(),
            key_usage: facts.key_usage,
            extended_key_usage: facts.extended_key_usage,
            validity: facts.validity,
        }
    }

    /// A name comes after the member that registers it, so that both can be copied.
    fn rows(&self, now: Timestamp) -> Vec<Vec<String>> {
        let mut rows = vec![(SubjectKind::Dn.member(), self.subject_dn.clone())];
        rows.extend(self.alternative_names.iter().map(|name| (name.kind, name.value.clone())));
        rows.push(("issuer", self.issuer_dn.clone()));
        rows.push(("x5t#S256", self.thumbprint.clone()));
        rows.push(("public key", self.public_key.clone()));
        rows.push(("not before", instant(self.validity.not_before, now)));
        rows.push(("not after", instant(self.validity.not_after, now)));
        rows.extend(self.key_usage.as_ref().map(|usage| ("key usage", usage.join(", "))));
        let purposes = self.extended_key_usage.as_ref();
        rows.extend(purposes.map(|purposes| ("extended key usage", purposes.join(", "))));
        let shown = |text: String| if text.is_empty() { "(none)".to_owned() } else { text };
        rows.into_iter().map(|(name, value)| vec![name.to_owned(), shown(value)]).collect()
    }
}

fn line(
    check: CertificateCheck,
    outcome: CertificateOutcome,
    facts: Option<&CertificateFacts>,
    now: Timestamp,
) -> Line {
    let (status, fix) = match outcome {
        CertificateOutcome::Passed => (Status::Passed, None),
        CertificateOutcome::Failed(failed) => (Status::Failed, Some(failed.fix())),
        CertificateOutcome::NotReached => (Status::NotReached, None),
        CertificateOutcome::NotChecked => (Status::NotChecked, None),
    };
    let found = match status {
        Status::Passed | Status::Failed => facts.and_then(|facts| found(check, facts, now)),
        Status::NotChecked => Some(lacks(check).to_owned()),
        Status::NotReached => None,
    };
    Line { check: check.name(), status, found, expected: check.rule().to_owned(), fix }
}

/// What no file shows.
fn possession() -> Line {
    Line {
        check: "private_key",
        status: Status::NotChecked,
        found: Some("the handshake of TLS shows it".to_owned()),
        expected: "the handshake of TLS shows that the client has the private key".to_owned(),
        fix: None,
    }
}

/// The value that a check looked at.
fn found(check: CertificateCheck, facts: &CertificateFacts, now: Timestamp) -> Option<String> {
    match check {
        CertificateCheck::Dates => {
            let validity = facts.validity;
            Some(format!(
                "from {} to {}",
                instant(validity.not_before, now),
                instant(validity.not_after, now)
            ))
        }
        CertificateCheck::Usage => Some(match &facts.extended_key_usage {
            Some(purposes) => purposes.join(", "),
            None => "no `extendedKeyUsage`".to_owned(),
        }),
        CertificateCheck::Chain => Some(format!("issued by {}", facts.issuer)),
        _ => None,
    }
}

/// Why a check says nothing.
const fn lacks(check: CertificateCheck) -> &'static str {
    match check {
        CertificateCheck::Registration => "`latchkey explain` compares it with a client",
        _ => "give --client-ca",
    }
}
