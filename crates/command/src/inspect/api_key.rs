//! `latchkey inspect` of an API key: the parts of its text and, with a tenant, the answer of that tenant's
//! server. The key is never shown.

use std::path::Path;

use administration::documents;
use anyhow::bail;
use registry::methods::api_key;
use secrets::has_checksum;
use serde_json::json;
use tenancy::TenantId;
use values::Timestamp;

use super::arguments::InspectArguments;
use super::checks::CheckStatus;
use super::content::Content;
use super::explained::{CheckReason, RuledCheck, first_failure};
use super::report::InspectionReport;
use crate::admin_client::{AdminApi, ApiRequest, with_query};
use crate::paths::client_path;
use crate::runner::Runner;

/// The only check that needs no server.
const CHECKSUM: &str = "checksum";
/// The checks of a server, with the names that an explanation uses, and their rules.
const CHECKS: [RuledCheck; 4] = [
    RuledCheck { name: "api_key", rule: "the key belongs to a client of the tenant and is valid" },
    RuledCheck { name: "tenant", rule: "the tenant is active and serves OAuth" },
    RuledCheck { name: "client", rule: "the client is active" },
    RuledCheck { name: "method", rule: "the client may authenticate with a secret" },
];

/// The report of a text that looks like an API key with this brand and name.
pub(super) fn inspect(
    config: &Path,
    arguments: &InspectArguments,
    text: &str,
    brand: &str,
    id: &str,
    now: Timestamp,
) -> anyhow::Result<InspectionReport> {
    let InspectArguments { tenant, at, client, .. } = arguments;
    let others = [("--at", at.is_some()), ("--client", !client.is_empty())];
    let others = others.into_iter().filter(|(_, is_given)| *is_given).map(|(option, _)| option);
    if let Some(option) = arguments.options_of_tokens().chain(others).find(|option| *option != "--tenant") {
        bail!("{option} does not apply to an API key. Only --tenant does");
    }
    let checksum = has_checksum(text);
    let mut checked = vec![checksum_line(checksum)];
    let mut row = None;
    match tenant.as_ref().filter(|_| checksum) {
        Some(tenant) => {
            let runner = Runner { config, arguments: &arguments.admin };
            let (found, explained) = runner.run(async |admin| ask(admin, tenant, id, text).await)?;
            checked.extend(CHECKS.map(|check| server_line(check, explained.as_ref())));
            row = found;
        }
        None if checksum => {
            checked.extend(
                CHECKS.map(|check| check.line(CheckStatus::NotChecked, Some("pass --tenant".into()))),
            );
        }
        None => checked.extend(CHECKS.map(|check| check.line(CheckStatus::NotReached, None))),
    }
    let (failed, checks) = first_failure(checked);
    let is_verified = checks.iter().any(|line| line.check == "api_key" && line.status == CheckStatus::Passed);
    let content = Content::ApiKey { brand: brand.to_owned(), id: id.to_owned(), api_key: row };
    Ok(InspectionReport::new("an API key", failed, is_verified, checks, content, now))
}

/// Reads the tenant's key with this name, and asks what its token endpoint would answer to the text.
async fn ask(
    admin: &AdminApi,
    tenant: &TenantId,
    id: &str,
    text: &str,
) -> anyhow::Result<(Option<documents::ApiKeyView>, Option<documents::ExplanationView>)> {
    let path = with_query(&format!("/api/v1/tenant/{tenant}/api-keys"), &[("key", Some(id.to_owned()))]);
    let mut page: documents::Page<documents::ApiKeyView> = admin.send(ApiRequest::get(path)).await?;
    let Some(row) = page.items.pop() else { return Ok((None, None)) };
    let body = documents::Wiped::new(json!({ "client_secret": text }));
    let request = ApiRequest::question(format!("{}/explain", client_path(tenant, &row.client_id)), &*body);
    let explained = admin.send(request).await?;
    Ok((Some(row), Some(explained)))
}

fn checksum_line(is_right: bool) -> CheckReason {
    let rule = "the last 6 characters are the checksum of the other characters";
    let check = RuledCheck { name: CHECKSUM, rule };
    if is_right {
        return check.line(CheckStatus::Passed, None);
    }
    check.refused(None, api_key::MALFORMED.code, Some("copy the whole key again".into()))
}

/// The line of the explanation for a check. If the check is missing, the tenant does not have the key.
fn server_line(check: RuledCheck, explained: Option<&documents::ExplanationView>) -> CheckReason {
    let Some(explained) = explained else {
        let fix = "check that the caller uses this tenant. Expired keys are deleted after 30 days";
        return match check.name {
            "api_key" => {
                check.refused(Some(api_key::UNKNOWN.detail.into()), api_key::UNKNOWN.code, Some(fix.into()))
            }
            _ => check.line(CheckStatus::NotReached, None),
        };
    };
    check.explained(explained.credential.checks.iter().chain(&explained.checks))
}
