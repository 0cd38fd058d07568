//! `latchkey audit …`.

use std::path::Path;
use std::process::ExitCode;

use administration::{AuditQuery, AuditView};
use clap::{Args, Subcommand};
use protocol::Timestamp;
use tenancy::TenantId;

use super::output::{ListArguments, all_pages, table};
use super::parse::parse_since;
use super::session::with_session;
use crate::admin_client::{AdminCommandArguments, parse_tenant};
use crate::start_error::StartError;

/// What can be asked of the audit.
#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// List who changed what, the newest first.
    List(AuditArguments),
}

/// Which records.
#[derive(Args)]
pub(crate) struct AuditArguments {
    /// Only of this tenant.
    #[arg(long, value_parser = parse_tenant)]
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

/// Runs the command.
pub(crate) fn audit(
    config: &Path,
    request: AdminCommandArguments<AuditCommand>,
) -> Result<ExitCode, StartError> {
    let AuditCommand::List(arguments) = request.command;
    let AuditArguments { tenant, actor, action, subject, since, until, list } = arguments;
    with_session(config, &request.backend, async |session| {
        let query = AuditQuery { tenant, actor, action, subject, since, until, before: None, limit: 0 };
        let page = all_pages(&list, None, async |request| {
            let query = AuditQuery { limit: request.limit, ..query.clone() };
            session.backend().audit(query, request.cursor.as_deref()).await
        });
        let page = page.await?;
        session.show(&page, || rows(&page.items))
    })
}

fn rows(records: &[AuditView]) -> String {
    let row = |record: &AuditView| {
        let AuditView { at, actor, source, action, tenant, subject, detail, .. } = record;
        let from = source.clone().unwrap_or_default();
        let changed = detail.as_object().map(|fields| fields.keys().cloned().collect::<Vec<_>>().join(" "));
        let row = [&at.to_rfc3339(), actor, &from, action, tenant, subject, &changed.unwrap_or_default()];
        row.map(Clone::clone).to_vec()
    };
    let head = ["AT", "ACTOR", "FROM", "ACTION", "TENANT", "SUBJECT", "FIELDS"];
    table("No records.", &head, records.iter().map(row).collect())
}
