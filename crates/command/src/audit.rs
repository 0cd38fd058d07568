//! `latchkey audit …`.

mod verify;

use std::process::ExitCode;

use administration::AuditView;
use clap::{Args, Subcommand};
use serde::Serialize;
use tenancy::TenantId;
use values::Timestamp;

use crate::examples::example;
use crate::output::{DocumentTable, ListArguments};
use crate::parse::parse_since;
use crate::runner::Runner;
use verify::VerifyArguments;

/// What can be asked of the audit.
#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// List who changed what, the newest first.
    #[command(after_help = example!("audit list --tenant globex --since 24h"))]
    List(AuditArguments),
    /// Verify lines of the audit stream without a store, and print the last line of each chain, as `--head`
    /// reads it. Exit 0, or 1 where a line was changed, is missing or stands in another place.
    #[command(after_help = example!("audit verify audit.jsonl.1 audit.jsonl --head heads.jsonl"))]
    Verify(VerifyArguments),
}

/// Which records.
#[derive(Args)]
pub(crate) struct AuditArguments {
    /// Only of this tenant.
    #[arg(long)]
    tenant: Option<TenantId>,
    /// Only by this actor, such as client:platform/ops.
    #[arg(long)]
    actor: Option<String>,
    /// Only this action, such as client.changed, or all that begin so, such as `client.`.
    #[arg(long)]
    action: Option<String>,
    /// Only about this row, or about rows below it: svc is also svc/s1.
    #[arg(long)]
    subject: Option<String>,
    /// From then on: an instant, or a span back from now such as 24h.
    #[arg(long, value_name = "WHEN", value_parser = parse_since)]
    since: Option<Timestamp>,
    /// Before then.
    #[arg(long, value_name = "WHEN", value_parser = parse_since)]
    until: Option<Timestamp>,
    #[command(flatten)]
    list: ListArguments,
}

const COLUMNS: DocumentTable = DocumentTable {
    none: "No records.",
    columns: "at, actor, source as FROM, action, tenant, subject, changed",
};

/// A record for people.
#[derive(Serialize)]
struct AuditRow<'a> {
    #[serde(flatten)]
    view: &'a AuditView,
    changed: String,
}

impl<'a> AuditRow<'a> {
    fn from_view(view: &'a AuditView) -> Self {
        Self { view, changed: view.record.changes() }
    }
}

/// Runs the command.
pub(crate) fn run(runner: Runner<'_>, command: AuditCommand) -> anyhow::Result<ExitCode> {
    match command {
        AuditCommand::List(arguments) => list(runner, arguments),
        AuditCommand::Verify(arguments) => verify::run(&arguments),
    }
}

fn list(runner: Runner<'_>, arguments: AuditArguments) -> anyhow::Result<ExitCode> {
    let AuditArguments { tenant, actor, action, subject, since, until, list } = arguments;
    let path = match tenant {
        Some(tenant) => format!("/api/v1/tenant/{tenant}/audit"),
        None => "/api/v1/admin/audit".to_owned(),
    };
    let [since, until] = [since, until].map(|at| at.map(Timestamp::to_rfc3339));
    let filters =
        vec![("actor", actor), ("action", action), ("subject", subject), ("since", since), ("until", until)];
    runner.list_in_words(&path, filters, &list, |records: &[AuditView]| {
        COLUMNS.table(&records.iter().map(AuditRow::from_view).collect::<Vec<_>>())
    })
}
