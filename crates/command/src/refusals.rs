//! `latchkey refusals`: the last refused requests of a tenant.

use std::collections::HashSet;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use administration::{Page, RefusalView};
use clap::Args;
use tenancy::TenantId;
use values::Timestamp;

use crate::admin_client::{AdminArguments, AdminClient, ApiRequest, with_query};
use crate::output::{DocumentTable, ListArguments, details};
use crate::parse::parse_since;
use crate::process::print;
use crate::runner::Runner;
use server::clock;

/// Which refusals.
#[derive(Args)]
pub(crate) struct RefusalsArguments {
    /// Of this tenant.
    tenant: TenantId,
    /// Only of this client, proven or not.
    #[arg(long)]
    client: Option<String>,
    /// Only for this reason, such as wrong_secret.
    #[arg(long)]
    reason: Option<String>,
    /// Only the request whose answer had this x-request-id, which error pages show.
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    /// From then on: an instant, or a span back from now such as 24h.
    #[arg(long, value_name = "WHEN", value_parser = parse_since)]
    since: Option<Timestamp>,
    /// Go on with those that come, and print each as a line: of JSON with --json. It asks every two seconds.
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
/// Replicas write what they have refused some seconds late.
const LATE: u64 = 15;

/// Prints the refusals. A single requested one is explained.
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

/// Prints what comes, until the program is stopped.
async fn follow_all(
    client: &AdminClient,
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
