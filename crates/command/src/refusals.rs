//! `latchkey refusals`: the last refused requests of a tenant.

use std::collections::HashSet;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use administration::documents::{Page, RefusalView};
use clap::Args;
use tenancy::TenantId;
use values::Timestamp;

use crate::admin_client::{AdminApi, AdminArguments, ApiRequest, with_query};
use crate::output::{DocumentTable, ListArguments, details};
use crate::parse::parse_since;
use crate::process::print;
use crate::runner::Runner;
use server::clock;

/// Which refusals.
#[derive(Args)]
pub(crate) struct RefusalsArguments {
    /// Tenant ID.
    tenant: TenantId,
    /// List only requests that named this client, whether or not they proved to be from the client.
    #[arg(long)]
    client: Option<String>,
    /// List only requests with this reason, for example wrong_secret.
    #[arg(long)]
    reason: Option<String>,
    /// Show the request with this ID, which error pages show and responses carry in x-request-id.
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    /// Start of the period: a time, or a duration before now such as 24h.
    #[arg(long, value_name = "WHEN", value_parser = parse_since)]
    since: Option<Timestamp>,
    /// Keep running, and print each new refusal as a line (of JSON with --json). The command polls every
    /// two seconds.
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    list: ListArguments,
    #[command(flatten)]
    admin: AdminArguments,
}

const COLUMNS: DocumentTable = DocumentTable {
    none: "No refusals.",
    columns: "at, reason, client_id as CLIENT or -, client_is_proven as PROVEN, source as FROM, status, \
              request_id as REQUEST",
};

const EVERY: Duration = Duration::from_secs(2);
/// Replicas write refused requests with a delay of some seconds.
const LATE: u64 = 15;

/// Prints the refusals. A single requested refusal is explained.
pub(crate) fn run(config: &Path, arguments: &RefusalsArguments) -> anyhow::Result<ExitCode> {
    let RefusalsArguments { tenant, client, reason, request_id, since, follow, list, admin } = arguments;
    let path = format!("/api/v1/tenant/{tenant}/refusals");
    let filters = |since: Option<Timestamp>| {
        vec![
            ("client", client.clone()),
            ("reason", reason.clone()),
            ("request_id", request_id.clone()),
            ("since", since.map(Timestamp::to_rfc3339)),
        ]
    };
    let runner = Runner { config, arguments: admin };
    if *follow {
        let since = since.unwrap_or_else(clock::now);
        return runner.run(async |client| {
            follow_all(client, admin.json, since, &|since| {
                with_query(&path, &[filters(Some(since)), vec![("limit", Some("200".to_owned()))]].concat())
            })
            .await
        });
    }
    if request_id.is_some() {
        return runner.run(async |client| {
            let page: Page<RefusalView> =
                client.send(ApiRequest::get(with_query(&path, &filters(*since)))).await?;
            runner.print(&page, || page.items.first().map_or_else(|| COLUMNS.table(&page.items), details))
        });
    }
    runner.list::<RefusalView>(&path, filters(*since), list, &COLUMNS)
}

/// Prints new refusals until the program is stopped.
async fn follow_all(
    client: &AdminApi,
    is_json: bool,
    mut since: Timestamp,
    path: &dyn Fn(Timestamp) -> String,
) -> anyhow::Result<ExitCode> {
    let mut seen = HashSet::new();
    loop {
        let mut page: Page<RefusalView> = client.send(ApiRequest::get(path(since))).await?;
        page.items.retain(|refusal| seen.insert(refusal.request_id.clone()));
        page.items.reverse();
        for refusal in &page.items {
            let line = if is_json { serde_json::to_string(refusal)? } else { line(refusal) };
            print(&format!("{line}\n"))?;
        }
        let late = Timestamp::from_seconds(clock::now().seconds().saturating_sub(LATE));
        since = late.max(since);
        tokio::time::sleep(EVERY).await;
    }
}

fn line(refusal: &RefusalView) -> String {
    let RefusalView { at, reason, client_id, source, status, request_id, detail, .. } = refusal;
    let client = client_id.as_deref().unwrap_or("-");
    format!("{} {status} {reason} {client} {source} {request_id} {detail}", at.0.to_rfc3339())
}
