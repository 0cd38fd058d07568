//! The signature of a report. The platform signs the digest of the report. Verifying needs only a key set, no
//! server.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use gateway::{ReportStatement, SignatureReading};
use keys::{PublicKeys, SignedJwt};
use serde_json::{Value, json};
use settings::files;
use values::Timestamp;

use super::report::ProofReport;
use crate::admin_client::{AdminApi, ApiRequest};
use crate::runner::Runner;

pub(super) const FILES: [&str; 3] = ["isolation.json", "isolation.md", "isolation.jws"];

/// Which report.
#[derive(Args)]
pub(crate) struct ReportArguments {
    /// Folder of the report.
    folder: PathBuf,
    /// Key set of the tenant `platform`, from its jwks_uri. Save a copy when you create the report, because
    /// later key sets do not contain removed keys.
    #[arg(long, value_name = "FILE")]
    jwks: PathBuf,
}

/// Lets the server sign a report, and returns the JWS.
pub(super) async fn sign(admin: &AdminApi, report: &[u8]) -> anyhow::Result<String> {
    let digest = json!({ "sha256": digest(report) });
    let path = "/api/v1/admin/report-signatures".to_owned();
    let SignatureReading { jws } = admin.send(ApiRequest::question(path, &digest)).await?;
    Ok(jws)
}

/// Verifies a report, and prints its Markdown and the signer.
pub(super) fn run(
    runner: Runner<'_>,
    ReportArguments { folder, jwks }: &ReportArguments,
) -> anyhow::Result<ExitCode> {
    let [json, markdown, jws] = FILES.map(|file| folder.join(file));
    let (json, jws, jwks) = (read(&json)?, read(&jws)?, read(jwks)?);
    let statement = verify(json.as_bytes(), jws.trim(), &jwks)?;
    let report: ProofReport = serde_json::from_str(&json).context("the report has an unexpected format")?;
    refuse_changed(&markdown, &report, &statement.version)?;
    let document: Value = serde_json::to_value(&statement)?;
    runner.print(&document, || {
        let ReportStatement { iss, iat, version, .. } = &statement;
        let at = Timestamp::from_seconds(*iat).to_rfc3339();
        format!(
            "The report is unchanged. {iss} signed it at {at}, version {version}.\n\n{}",
            report.markdown()
        )
    })
}

/// The signature covers the JSON, but people read the Markdown. So Markdown that differs from the JSON is
/// refused.
fn refuse_changed(markdown: &Path, report: &ProofReport, version: &str) -> anyhow::Result<()> {
    ensure!(
        !markdown.exists() || read(markdown)? == report.markdown(),
        "{} differs from the signed report. Delete the file, or verify it with version {version}, which wrote it",
        markdown.display()
    );
    Ok(())
}

fn read(file: &Path) -> anyhow::Result<String> {
    let text = files::open(file).and_then(io::read_to_string);
    text.with_context(|| format!("cannot read {}", file.display()))
}

fn digest(report: &[u8]) -> String {
    keys::sha256(report).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Verifies the signature of these bytes with the key set.
fn verify(report: &[u8], jws: &str, jwks: &str) -> anyhow::Result<ReportStatement> {
    let keys = PublicKeys::read(jwks)?;
    let statement = SignedJwt::parse(jws, &[ReportStatement::TYP])?;
    let (statement, _) = match statement.verify::<ReportStatement>(&keys) {
        Ok(verified) => verified,
        Err(error) => bail!("no key in the key set signed the report: {error}"),
    };
    ensure!(statement.sha256 == digest(report), "the report was changed after it was signed");
    Ok(statement)
}

#[cfg(test)]
mod tests {
    use super::super::side::generate_key;
    use super::*;

    #[test]
    fn changed_report_signature_or_key_is_refused() {
        let (key, report) = (generate_key().unwrap(), b"{\"report\":\"isolation\"}");
        let statement = ReportStatement {
            iss: "https://id.example.com".to_owned(),
            iat: 1,
            version: "1.2.3".to_owned(),
            sha256: digest(report),
        };
        let jwks = json!({ "keys": [key.jwk] }).to_string();
        let jws = key.sign(ReportStatement::TYP, &statement).unwrap();
        assert_eq!(verify(report, &jws, &jwks).unwrap().version, "1.2.3");
        for at in 0..report.len() {
            let mut changed = report.to_vec();
            changed[at] ^= 1;
            assert!(verify(&changed, &jws, &jwks).is_err(), "{at}");
        }
        for at in [3, jws.find('.').unwrap() + 3, jws.rfind('.').unwrap() + 3] {
            let other = if jws.as_bytes()[at] == b'A' { "B" } else { "A" };
            let changed = format!("{}{other}{}", &jws[..at], &jws[at + 1..]);
            assert!(verify(report, &changed, &jwks).is_err(), "{at}");
        }
        let other = json!({ "keys": [generate_key().unwrap().jwk] }).to_string();
        assert!(verify(report, &jws, &other).unwrap_err().to_string().contains("no key in the key set"));
        let token = key.sign("at+jwt", &statement).unwrap();
        assert!(verify(report, &token, &jwks).is_err(), "a token is no statement");
    }
}
