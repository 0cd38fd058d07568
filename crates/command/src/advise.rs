//! `latchkey advise`: advice for the administrators of a tenant.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use administration::documents::{AdviceList, AdviceView};
use anyhow::Context as _;
use clap::Args;
use tenancy::TenantId;

use crate::admin_client::{AdminApi, AdminArguments, ApiRequest, with_query};
use crate::output::json;
use crate::runner::Runner;

/// On which tenant.
#[derive(Args)]
pub(crate) struct AdviseArguments {
    /// Tenant ID.
    tenant: TenantId,
    /// Write the merge patches for the advice to this file, as a JSON list of client_id and body.
    #[arg(long, value_name = "FILE")]
    patch: Option<PathBuf>,
    #[command(flatten)]
    admin: AdminArguments,
}

/// Prints the advice. Changes nothing.
pub(crate) fn run(config: &Path, arguments: &AdviseArguments) -> anyhow::Result<ExitCode> {
    let AdviseArguments { tenant, patch, admin } = arguments;
    let runner = Runner { config, arguments: admin };
    runner.run(async |client| {
        let list = read(client, tenant).await?;
        if let Some(file) = patch {
            let patches: Vec<_> = list.items.iter().filter_map(|advice| advice.patch.as_ref()).collect();
            fs::write(file, json(&patches)).with_context(|| format!("cannot write {}", file.display()))?;
        }
        runner.print(&list, || lines(&list))
    })
}

async fn read(client: &AdminApi, tenant: &TenantId) -> anyhow::Result<AdviceList> {
    let path = format!("/api/v1/tenant/{tenant}/advice");
    let (mut items, mut cursor) = (Vec::new(), None);
    loop {
        let page = with_query(&path, &[("cursor", cursor), ("limit", Some("200".to_owned()))]);
        let mut list: AdviceList = client.send(ApiRequest::get(page)).await?;
        items.append(&mut list.items);
        cursor = list.next_cursor.take();
        if cursor.is_none() {
            return Ok(AdviceList { items, ..list });
        }
    }
}

fn lines(list: &AdviceList) -> String {
    let mut text = String::new();
    for AdviceView { rule, subject, evidence, action, .. } in &list.items {
        let subject = if subject.is_empty() { "the tenant" } else { subject };
        text.push_str(&format!("{rule}: {subject}\n  {evidence}\n  {action}\n"));
    }
    if list.items.is_empty() {
        text.push_str("No advice.\n");
    }
    if list.is_too_early_for_usage {
        text.push_str("Latchkey has counted usage for less than 30 days, so there is no advice about unused rows yet.\n");
    }
    text
}
