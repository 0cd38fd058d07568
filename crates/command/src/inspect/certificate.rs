//! `latchkey inspect` of a client certificate: its values in the words of a registration, and each check that
//! needs no registration. `latchkey explain` shows whether the certificate belongs to a client.

use anyhow::{Context as _, bail};
use gateway::PresentedCertificates;
use keys::DescribedCheck as _;
use protocol::Validity;
use registry::{CertificateCheck, CertificateFacts, CertificateInspection};
use settings::files;
use values::Timestamp;

use super::arguments::InspectArguments;
use super::checks::{CheckLine, CheckStatus, CheckText, lines};
use super::content::{ChainLink, Content};
use super::report::InspectionReport;
use super::times::instant;

/// The report of the certificates in a file. A certificate of an authority is only valid if its chain was
/// checked.
pub(super) fn inspect(
    arguments: &InspectArguments,
    bytes: &[u8],
    now: Timestamp,
) -> anyhow::Result<InspectionReport> {
    let file = arguments.file().display();
    if let Some(option) = arguments.options_of_tokens().next() {
        bail!(
            "{file} contains a certificate, and {option} is for tokens. To check the certificate of a client, run `latchkey \
                 explain TENANT CLIENT --auth-method tls_client_auth --certificate-file FILE`"
        );
    }
    let presented = PresentedCertificates::read(bytes).with_context(|| format!("cannot use {file}"))?;
    let client_ca = arguments.client_ca.as_deref();
    let has_authorities = client_ca.is_some();
    let certificate = presented
        .examine(client_ca, files::read_public, now)
        .context("--client-ca: cannot check the chain")?;
    let inspection = CertificateInspection::new(&certificate, has_authorities, now);
    let failed = inspection.failed();
    let facts = inspection.facts;
    let say = |check: CertificateCheck| CheckText {
        lacks: match check {
            CertificateCheck::Registration => Some("run `latchkey explain` to compare it with a client"),
            CertificateCheck::Usage | CertificateCheck::Chain if !has_authorities => Some("pass --client-ca"),
            _ => None,
        },
        found: facts.as_ref().and_then(|facts| found(check, facts, now)),
        expected: check.rule().to_owned(),
    };
    // A failed check shows the fix for the error that a request would get.
    let refusals = inspection.checks.map(|(check, outcome)| (outcome.failed().unwrap_or(check), outcome));
    let mut checks = lines(refusals, say);
    checks.push(possession());
    // A self-signed certificate needs no chain.
    let is_verified = has_authorities || facts.as_ref().is_some_and(CertificateFacts::is_self_issued);
    let failed = failed.map(|check| (check.name(), check.reason().code.into()));
    let chain = presented.der().skip(1).map(ChainLink::from_der).collect();
    let content = Content::Certificate { certificate: facts, chain };
    Ok(InspectionReport::new("a client certificate", failed, is_verified, checks, content, now))
}

/// A file cannot prove possession of the private key.
fn possession() -> CheckLine {
    CheckLine {
        check: "private_key",
        status: CheckStatus::NotChecked,
        found: Some("shown by the TLS handshake".to_owned()),
        expected: "the client proves in the TLS handshake that it has the private key".to_owned(),
        fix: None,
    }
}

/// The value that a check examined.
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
