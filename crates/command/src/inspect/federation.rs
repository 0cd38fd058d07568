//! `latchkey inspect` of another issuer's assertion: shows each trust rule of a client, and each check of the
//! rule that comes closest. The server of the tenant verifies the signature with the issuer's keys and
//! decides.

use std::path::Path;

use administration::{documents, rules};
use anyhow::bail;
use keys::{Inspection, JwtKind, outcomes_until};
use registry::{Client, ClientId, FederationCheck, JudgedRule, judge_rules};
use serde_json::json;
use tenancy::{Tenant, TenantId};
use values::{Timestamp, with_commands};

use super::arguments::InspectArguments;
use super::checks::{CheckLine, CheckStatus, CheckText, lines, member, text, time};
use super::expected::{ExpectedToken, presented};
use super::report::InspectionReport;
use crate::admin_client::{AdminApi, ApiRequest};
use crate::paths::client_path;
use crate::runner::Runner;
use crate::tenant;
use keys::DescribedCheck as _;

struct KnownAtServer {
    tenant: Tenant,
    client: Client,
    /// Why the server refuses the assertion.
    reason: Option<String>,
}

/// The report of another issuer's assertion against the trust rules of this client.
pub(super) fn inspect(
    config: &Path,
    arguments: &InspectArguments,
    tenant: &TenantId,
    client: &ClientId,
    assertion: &str,
    now: Timestamp,
) -> anyhow::Result<InspectionReport> {
    let expected = ExpectedToken::load(config, arguments, assertion, now)?;
    let runner = Runner { config, arguments: &arguments.admin };
    let known = runner.run(async |admin| ask(admin, tenant, client, assertion).await)?;
    if known.client.federated.0.is_empty() {
        bail!("client {client} of tenant {tenant} has no rule for other issuers. Add rules in `federated`");
    }
    let inspection = presented(assertion);
    let judged = judge_rules(&known.tenant, &known.client, assertion, now).unwrap_or_default();
    // The server decides. It may refuse for a reason other than a rule, so all rules can match nevertheless.
    let refused = known.reason.as_deref();
    let failed = refused.and_then(FederationCheck::of_code);
    let place = |judged: &&JudgedRule<'_>| {
        let last = FederationCheck::ALL.len();
        judged
            .failed
            .map_or(last, |failed| FederationCheck::ALL.iter().position(|one| *one == failed).unwrap_or(0))
    };
    let furthest = judged.iter().rev().max_by_key(place);
    let say = |check: FederationCheck| said(check, furthest, &known, &inspection, now);
    let mut checks = lines(outcomes_until(FederationCheck::ALL, failed), say);
    checks.extend(judged.iter().enumerate().map(rule_line));
    let failed = match (failed, refused) {
        (Some(check), _) => Some((check.name(), check.reason().code)),
        (None, Some(_)) => bail!(with_commands(
            "the server refuses the assertion before it checks the rules: run `latchkey explain TENANT CLIENT \
                 --auth-method=private_key_jwt --assertion-file=FILE`",
            &[("TENANT", tenant.as_str()), ("CLIENT", client.as_str())],
        )),
        (None, None) => None,
    };
    let mut report =
        InspectionReport::of_jwt(JwtKind::ClientAssertion, failed, true, checks, inspection, &expected);
    report.keys = furthest
        .and_then(|judged| judged.issuer.as_ref())
        .map(|issuer| format!("the keys of {}", issuer.issuer));
    Ok(report)
}

async fn ask(
    admin: &AdminApi,
    tenant_id: &TenantId,
    client_id: &ClientId,
    assertion: &str,
) -> anyhow::Result<KnownAtServer> {
    let path = client_path(tenant_id, client_id.as_str());
    let of_tenant: documents::TenantView = admin.send(ApiRequest::get(tenant::path(tenant_id))).await?;
    let of_client: documents::ClientView = admin.send(ApiRequest::get(path.clone())).await?;
    let body = documents::Wiped::new(
        json!({ "token_endpoint_auth_method": "private_key_jwt", "client_assertion": assertion }),
    );
    let explained: documents::ExplanationView =
        admin.send(ApiRequest::question(format!("{path}/explain"), &*body)).await?;
    // The server has already checked its own rows.
    let mut errors = rules::FieldErrors::default();
    let context = rules::TenantContext {
        public_url: "",
        l1_lifetime: values::Lifetime::from_seconds(0),
        branding: None,
    };
    let tenant = rules::check_tenant(&mut errors, context, tenant_id, &of_tenant.settings);
    let client = rules::check_client(&mut errors, &tenant, client_id, &of_client.settings);
    let refused = explained.credential.checks.iter().any(|check| check.result == "refused");
    let reason = explained.result.reason.filter(|_| refused);
    Ok(KnownAtServer { tenant, client, reason })
}

/// The value in the assertion for a check, and the value in the rule.
fn said(
    check: FederationCheck,
    judged: Option<&JudgedRule<'_>>,
    known: &KnownAtServer,
    inspection: &Inspection,
    now: Timestamp,
) -> CheckText {
    let issuer = judged.and_then(|judged| judged.issuer.as_ref());
    let by_rule = judged.and_then(|judged| {
        Some(match check {
            FederationCheck::Issuer => issuer?.issuer.clone(),
            FederationCheck::Algorithm if !issuer?.algorithms.is_empty() => issuer?.algorithms.join(" or "),
            FederationCheck::Subject => judged.rule.subject.as_str().to_owned(),
            FederationCheck::Audience => {
                judged.rule.audience.clone().unwrap_or_else(|| known.tenant.issuer.to_string())
            }
            FederationCheck::Age => format!("issued at most {} ago", judged.rule.max_age),
            FederationCheck::Conditions => {
                let rules = judged.rule.claims.iter();
                rules
                    .map(|(name, accepted)| format!("{name} is {}", text(&accepted.written())))
                    .collect::<Vec<_>>()
                    .join(", ")
            }
            _ => return None,
        })
    });
    let differing = |judged: &JudgedRule<'_>| {
        let differing = judged.differing.iter().map(|(name, value)| match value {
            Some(value) => format!("{name} is {}", text(value)),
            None => format!("{name} is missing"),
        });
        Some(differing.collect::<Vec<_>>().join(", ")).filter(|found| !found.is_empty())
    };
    let found = match check {
        FederationCheck::Conditions => judged.and_then(differing),
        FederationCheck::Age => time(inspection.claims.as_ref(), "iat", now),
        _ => member(check.name(), inspection, now),
    };
    let is_once = judged.is_some_and(|judged| judged.rule.once);
    let lacks = match check {
        FederationCheck::Restore if is_once => Some("only the server knows when it was restored"),
        FederationCheck::Replay if is_once => Some("only the server knows which IDs were used"),
        _ => None,
    };
    CheckText { lacks, found, expected: by_rule.unwrap_or_else(|| check.rule().to_owned()) }
}

/// How many checks the rule passes.
fn rule_line((index, judged): (usize, &JudgedRule<'_>)) -> CheckLine {
    let found = format!("{}: {} at {}", index + 1, judged.rule.subject.as_str(), judged.rule.issuer);
    let (status, fix) = match judged.failed {
        None => (CheckStatus::Passed, None),
        Some(failed) => (CheckStatus::Failed, Some(failed.fix().into())),
    };
    let expected =
        judged.failed.map_or_else(String::new, |failed| format!("{}: {}", failed.name(), failed.rule()));
    CheckLine { check: "rule", status, found: Some(found), expected, fix }
}
