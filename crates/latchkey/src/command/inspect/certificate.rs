//! `latchkey inspect` of a client certificate: what it says of itself, in the words of a registration, and each check that needs no
//! registration. Whether it is a client's, `latchkey explain` says.

use anyhow::{Context as _, bail};
use gateway::PresentedCertificates;
use keys::DescribedCheck as _;
use protocol::{Timestamp, Validity};
use registry::{CertificateCheck, CertificateFacts, CertificateInspection, SubjectKind};
use serde::Serialize;
use settings::files;

use super::InspectArguments;
use super::checks::{Line, Said, Status, lines};
use super::report::{Content, Report};
use super::times::instant;

/// A certificate between the client's and an authority.
#[derive(Debug, Serialize)]
pub(super) struct Link {
    subject_dn: String,
    issuer_dn: String,
    not_after: String,
}

/// The report of the certificates of a file. One of an authority is valid only where its chain is checked.
pub(super) fn inspect(arguments: &InspectArguments, bytes: &[u8], now: Timestamp) -> anyhow::Result<Report> {
    let file = arguments.file().display();
    if let Some(option) = arguments.options_of_tokens().next() {
        bail!(
            "{option} is for tokens, and {file} holds a certificate; to check it against a client, run \
             `latchkey explain TENANT CLIENT --auth-method tls_client_auth --certificate-file FILE`"
        );
    }
    let presented = PresentedCertificates::read(bytes).with_context(|| format!("{file} cannot be used"))?;
    let client_ca = arguments.client_ca.as_deref();
    let has_authorities = client_ca.is_some();
    let certificate = presented
        .examine(client_ca, files::read_public, now)
        .context("--client-ca: the chain cannot be checked")?;
    let inspection = CertificateInspection::of(&certificate, has_authorities, now);
    let failed = inspection.failed();
    let facts = inspection.facts;
    let say = |check: CertificateCheck| Said {
        lacks: match check {
            CertificateCheck::Registration => Some("`latchkey explain` compares it with a client"),
            CertificateCheck::Usage | CertificateCheck::Chain if !has_authorities => Some("give --client-ca"),
            _ => None,
        },
        found: facts.as_ref().and_then(|facts| found(check, facts, now)),
        expected: check.rule().to_owned(),
    };
    // A check shows the fix of the refusal by it.
    let refusals = inspection.checks.map(|(check, outcome)| (outcome.failed().unwrap_or(check), outcome));
    let mut checks = lines(refusals, say);
    checks.push(possession());
    // A self-signed certificate authenticates without a chain.
    let is_verified = has_authorities || facts.as_ref().is_some_and(CertificateFacts::is_self_issued);
    let failed = failed.map(|check| (check.name(), check.reason().code.into()));
    let chain = presented.der().skip(1).map(Link::of).collect();
    let content = Content::Certificate { certificate: facts, chain };
    Ok(Report::new("a client certificate", failed, is_verified, checks, content, now))
}

impl Link {
    fn of(der: &[u8]) -> Self {
        let facts = CertificateFacts::read(der);
        let (subject_dn, issuer_dn, not_after) = match facts {
            Some(facts) => (facts.subject, facts.issuer, facts.validity.not_after.to_rfc3339()),
            None => ("this is no X.509 certificate".to_owned(), String::new(), String::new()),
        };
        Self { subject_dn, issuer_dn, not_after }
    }

    pub(super) fn row(&self) -> Vec<String> {
        let Self { subject_dn, issuer_dn, not_after } = self;
        vec![subject_dn.clone(), format!("issued by {issuer_dn}, valid until {not_after}")]
    }
}

/// What a certificate says of itself. A name comes after the member that registers it, so that both can be
/// copied.
pub(super) fn rows(facts: &CertificateFacts, now: Timestamp) -> Vec<Vec<String>> {
    let CertificateFacts { subject, issuer, thumbprint, public_key, validity, .. } = facts;
    let mut rows = vec![(SubjectKind::Dn.member(), subject.clone())];
    rows.extend(facts.alternative_names.iter().map(|name| (name.kind, name.value.clone())));
    rows.extend([
        ("issuer", issuer.clone()),
        ("x5t#S256", thumbprint.to_string()),
        ("public key", public_key.clone()),
        ("not before", instant(validity.not_before, now)),
        ("not after", instant(validity.not_after, now)),
    ]);
    rows.extend(facts.key_usage.as_ref().map(|usage| ("key usage", usage.join(", "))));
    let purposes = facts.extended_key_usage.as_ref();
    rows.extend(purposes.map(|purposes| ("extended key usage", purposes.join(", "))));
    let shown = |text: String| if text.is_empty() { "(none)".to_owned() } else { text };
    rows.into_iter().map(|(name, value)| vec![name.to_owned(), shown(value)]).collect()
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
    let Validity { not_before, not_after } = facts.validity;
    match check.name() {
        "dates" => Some(format!("from {} to {}", instant(not_before, now), instant(not_after, now))),
        "extended_key_usage" => Some(match &facts.extended_key_usage {
            Some(purposes) => purposes.join(", "),
            None => "no `extendedKeyUsage`".to_owned(),
        }),
        "chain" => Some(format!("issued by {}", facts.issuer)),
        _ => None,
    }
}
