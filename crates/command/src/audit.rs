//! `latchkey audit …`.

mod names;
mod verify;

use std::process::ExitCode;

use administration::documents::AuditView;
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
    /// List who changed what, newest first.
    #[command(after_help = example!("audit list --tenant globex --since 24h"))]
    List(AuditArguments),
    /// Verify lines of the audit stream without a store, and print the last line of each chain for
    /// `--head`.
    ///
    /// Exits with 0 if all lines are valid, or 1 if a line was changed, moved or removed.
    #[command(after_help = example!("audit verify audit.jsonl.1 audit.jsonl --head heads.jsonl"))]
    Verify(VerifyArguments),
}

/// Which records.
#[derive(Args)]
pub(crate) struct AuditArguments {
    /// List only the changes in this tenant.
    #[arg(long)]
    tenant: Option<TenantId>,
    /// List only changes by this actor, for example client:platform/ops.
    #[arg(long)]
    actor: Option<String>,
    /// List only this action, for example client.changed; `client.` lists all actions that start with it.
    #[arg(long)]
    action: Option<String>,
    /// List only changes of this row and of rows below it: svc also lists svc/s1.
    #[arg(long)]
    subject: Option<String>,
    /// Start of the period: a time, or a duration before now such as 24h.
    #[arg(long, value_name = "WHEN", value_parser = parse_since)]
    since: Option<Timestamp>,
    /// End of the period.
    #[arg(long, value_name = "WHEN", value_parser = parse_since)]
    until: Option<Timestamp>,
    #[command(flatten)]
    list: ListArguments,
}

const COLUMNS: DocumentTable = DocumentTable {
    none: "No records.",
    columns: "at, actor, source as FROM, action, tenant, subject, changed",
};

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
    runner.list_in_words(&path, filters, &list, async |admin, records: &[AuditView]| {
        let mut shown = records.to_vec();
        names::show(admin, &mut shown).await;
        COLUMNS.table(&shown.iter().map(AuditRow::from_view).collect::<Vec<_>>())
    })
}
