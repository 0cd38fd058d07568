//! `latchkey inspect` of a client certificate: its statements in the terms of a registration, and each check
//! that needs no registration. `latchkey explain` shows whether it is a client's.

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

/// The report of the certificates of a file. A certificate of an authority is valid only if its chain is
/// checked.
pub(super) fn inspect(
    arguments: &InspectArguments,
    bytes: &[u8],
    now: Timestamp,
) -> anyhow::Result<InspectionReport> {
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
    let inspection = CertificateInspection::new(&certificate, has_authorities, now);
    let failed = inspection.failed();
    let facts = inspection.facts;
    let say = |check: CertificateCheck| CheckText {
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
    let chain = presented.der().skip(1).map(ChainLink::from_der).collect();
    let content = Content::Certificate { certificate: facts, chain };
    Ok(InspectionReport::new("a client certificate", failed, is_verified, checks, content, now))
}

/// No file proves possession of the private key.
fn possession() -> CheckLine {
    CheckLine {
        check: "private_key",
        status: CheckStatus::NotChecked,
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
