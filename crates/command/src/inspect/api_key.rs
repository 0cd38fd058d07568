//! `latchkey inspect` of an API key: the parts of its text and, with a tenant, the answer of that tenant's
//! server. The key is never shown.

use std::borrow::Cow;
use std::path::Path;

use administration::documents;
use anyhow::bail;
use registry::methods::api_key;
use secrets::has_checksum;
use serde_json::json;
use tenancy::TenantId;
use values::Timestamp;

use super::arguments::InspectArguments;
use super::checks::{CheckLine, CheckStatus};
use super::content::Content;
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

/// A check of a server and its rule.
#[derive(Clone, Copy)]
pub(super) struct RuledCheck {
    pub(super) name: &'static str,
    pub(super) rule: &'static str,
}

/// A check, and the reason that a refusal would have.
pub(super) type CheckReason = (CheckLine, Option<Cow<'static, str>>);

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
                CHECKS.map(|check| line(check, CheckStatus::NotChecked, Some("pass --tenant".into()))),
            );
        }
        None => checked.extend(CHECKS.map(|check| line(check, CheckStatus::NotReached, None))),
    }
    let failed = checked.iter().find_map(|(line, reason)| Some((line.check, reason.clone()?)));
    let checks: Vec<_> = checked.into_iter().map(|(line, _)| line).collect();
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
        return line(check, CheckStatus::Passed, None);
    }
    refused(check, None, api_key::MALFORMED.code, Some("copy the whole key again".into()))
}

/// The line of the explanation for a check. If the check is missing, the tenant does not have the key.
fn server_line(check: RuledCheck, explained: Option<&documents::ExplanationView>) -> CheckReason {
    let Some(explained) = explained else {
        let fix = "check that the caller uses this tenant. Expired keys are deleted after 30 days";
        return match check.name {
            "api_key" => {
                refused(check, Some(api_key::UNKNOWN.detail.into()), api_key::UNKNOWN.code, Some(fix.into()))
            }
            _ => line(check, CheckStatus::NotReached, None),
        };
    };
    explained_line(check, explained.credential.checks.iter().chain(&explained.checks))
}

/// The line for a check of an explanation.
pub(super) fn explained_line<'a>(
    check: RuledCheck,
    mut all: impl Iterator<Item = &'a documents::ExplainedCheck>,
) -> CheckReason {
    match all.find(|made| made.name == check.name) {
        Some(made) if made.result == "passed" => line(check, CheckStatus::Passed, Some(made.detail.clone())),
        Some(made) if made.result == "refused" => {
            let reason = made.reason.clone().unwrap_or_default();
            refused(check, Some(made.detail.clone()), reason, made.fix.clone().map(Cow::from))
        }
        Some(made) => line(check, CheckStatus::NotChecked, Some(made.detail.clone())),
        None => line(check, CheckStatus::NotReached, None),
    }
}

pub(super) fn line(check: RuledCheck, status: CheckStatus, found: Option<String>) -> CheckReason {
    (CheckLine { check: check.name, status, found, expected: check.rule.to_owned(), fix: None }, None)
}

fn refused(
    check: RuledCheck,
    found: Option<String>,
    reason: impl Into<Cow<'static, str>>,
    fix: Option<Cow<'static, str>>,
) -> CheckReason {
    let (failed, _) = line(check, CheckStatus::Failed, found);
    (CheckLine { fix, ..failed }, Some(reason.into()))
}
