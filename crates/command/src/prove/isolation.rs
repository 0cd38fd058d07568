//! `latchkey prove isolation`: creates two tenants, runs the matrix, deletes the tenants, and writes the
//! report.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use uuid::Uuid;
use values::{Timestamp, with_commands};

use super::kinds::KINDS;
use super::matrix::{IDEMPOTENCY, Matrix, OWN_READS};
use super::platform::ProvenPlatform;
use super::report::{NotTried, ProofReport, TrialOutcome, never_tried};
use super::side::{Side, SideParts, generate_key};
use super::signature::{self, FILES};
use super::throw_away;
use crate::admin_client::AdminApi;
use crate::output::json;
use crate::runner::Runner;
use server::clock;

/// What is tried, and where the report goes.
#[derive(Args)]
pub(crate) struct IsolationArguments {
    /// Folder for isolation.json, isolation.md and isolation.jws. Existing files are replaced.
    #[arg(long, value_name = "FOLDER", default_value = "isolation-report")]
    out: PathBuf,
    /// Try only this kind of credential, named as in the report (repeatable).
    #[arg(long, value_name = "KIND")]
    only: Vec<String>,
}

fn kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name).chain([OWN_READS, IDEMPOTENCY])
}

pub(super) fn run(runner: Runner<'_>, arguments: &IsolationArguments) -> anyhow::Result<ExitCode> {
    if let Some(unknown) = arguments.only.iter().find(|only| kinds().all(|kind| kind != **only)) {
        bail!("there is no kind `{unknown}`. Choose from {}", kinds().collect::<Vec<_>>().join(", "));
    }
    runner.run_patiently(async |admin| {
        ensure!(
            admin.server().is_some(),
            "this command needs a running server. Pass --server or set LATCHKEY_SERVER"
        );
        let begun = clock::now();
        throw_away::delete_old(admin, begun).await?;
        let ids = throw_away::ids(begun);
        let proven = tokio::select! {
            proven = prove(admin, &ids, &arguments.only) => proven,
            _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
        };
        let mut deleted = Ok(());
        for id in &ids {
            let left = || {
                let message =
                    "cannot delete the throw-away tenant {id}. Run `latchkey tenant delete ID --final`";
                with_commands(message, &[("ID", id)])
            };
            deleted = deleted.and(throw_away::delete(admin, id).await.with_context(left));
        }
        deleted?;
        let (platform, outcome) = proven?;
        let report = report(admin, &platform, outcome, (ids, begun), &arguments.only);
        let document = json(&report);
        let jws = signature::sign(admin, document.as_bytes()).await.context("cannot sign the report")?;
        fs::create_dir_all(&arguments.out)
            .with_context(|| format!("cannot create {}", arguments.out.display()))?;
        for (file, text) in FILES.into_iter().zip([&document, &report.markdown(), &format!("{jws}\n")]) {
            let file = arguments.out.join(file);
            fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        }
        let printed = runner.print(&report, || lines(&report, arguments))?;
        Ok(if report.findings.is_empty() { printed } else { ExitCode::FAILURE })
    })
}

async fn prove(
    admin: &AdminApi,
    ids: &[String; 2],
    only: &[String],
) -> anyhow::Result<(ProvenPlatform, TrialOutcome)> {
    let (http, server) = admin.server().context("no server to test")?;
    let (shared, idempotency) = (generate_key()?, Uuid::new_v4().to_string());
    let mut made = Vec::new();
    for id in ids {
        let marker = format!("m{}", &Uuid::new_v4().simple().to_string()[..15]);
        let tenant = throw_away::make(admin, id, &marker).await?;
        made.push((id, marker, tenant));
    }
    let endpoint = made[0].2["token_endpoint"].as_str().context("the tenant has no token endpoint")?;
    let platform = ProvenPlatform::open(http.clone(), server, &ids[0], endpoint).await?;
    let mut sides = Vec::new();
    for (id, marker, tenant) in &made {
        let issuer = tenant["issuer"].as_str().context("the tenant has no issuer")?;
        let parts = SideParts { id, issuer, marker, shared: &shared, idempotency: &idempotency };
        sides.push(Side::make(admin, &platform, &parts).await?);
    }
    let mut sides = <[Side; 2]>::try_from(sides).ok().context("the two tenants were not created")?;
    let matrix = Matrix { platform: &platform, shared: &shared, only };
    let outcome = matrix.run(&mut sides).await?;
    Ok((platform, outcome))
}

fn report(
    admin: &AdminApi,
    platform: &ProvenPlatform,
    TrialOutcome { kinds: counts, findings }: TrialOutcome,
    (tenants, begun): ([String; 2], Timestamp),
    only: &[String],
) -> ProofReport {
    let mut not_tried = never_tried();
    let left_out = kinds().filter(|kind| !only.is_empty() && only.iter().all(|only| only != kind));
    not_tried.extend(
        left_out.map(|kind| NotTried { what: kind.to_owned(), reason: "left out by --only".to_owned() }),
    );
    ProofReport {
        report: ProofReport::ISOLATION.to_owned(),
        server: admin.server().map(|(_, base)| base.to_owned()).unwrap_or_default(),
        public_url: platform.public_url.clone(),
        version: platform.version.clone(),
        begun_at: begun.to_rfc3339(),
        seconds: clock::now().seconds().saturating_sub(begun.seconds()),
        tenants,
        routes: platform.routes.len(),
        cells: counts.iter().map(|count| count.cells).sum(),
        kinds: counts,
        findings,
        not_tried,
    }
}

fn lines(report: &ProofReport, arguments: &IsolationArguments) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        text.push_str(&format!(
            "{}: {} at {}: {}\n",
            finding.kind, finding.request, finding.to, finding.found
        ));
    }
    text.push_str(&format!("{}\nThe signed report is in {}.\n", report.summary(), arguments.out.display()));
    text
}
