//! `latchkey inspect` of an opaque access token: the key that it names and, with a tenant and a client, the
//! checks of that tenant's server. Only the server can read the token.

use std::path::Path;

use administration::documents;
use anyhow::bail;
use keys::KeyId;
use serde_json::json;
use values::Timestamp;

use super::arguments::InspectArguments;
use super::checks::CheckStatus;
use super::content::Content;
use super::explained::{RuledCheck, first_failure};
use super::report::InspectionReport;
use crate::admin_client::ApiRequest;
use crate::paths::client_path;
use crate::runner::Runner;

/// The checks of a server, with the names that an explanation uses.
const CHECKS: [RuledCheck; 4] = [
    RuledCheck { name: "token", rule: "the tenant's server can read it, and it has not expired" },
    RuledCheck { name: "client", rule: "it was issued to this client" },
    RuledCheck {
        name: "revoked",
        rule: "not revoked, neither by `jti` nor through its tenant, client, secret or key",
    },
    RuledCheck { name: "cnf", rule: "not bound to a key of its sender" },
];

pub(super) fn inspect(
    config: &Path,
    arguments: &InspectArguments,
    token: &str,
    key: KeyId,
    now: Timestamp,
) -> anyhow::Result<InspectionReport> {
    if let Some(option) = arguments.options_of_tokens().next() {
        bail!("{option} does not apply to an opaque token. Only --client TENANT CLIENT does");
    }
    let client = arguments.client_with_rules()?;
    let checked = match &client {
        Some((tenant, client)) => {
            let runner = Runner { config, arguments: &arguments.admin };
            let body = documents::Wiped::new(json!({ "access_token": token }));
            let path = format!("{}/explain", client_path(tenant, client.as_str()));
            let explained: documents::ExplanationView =
                runner.run(async |admin| admin.send(ApiRequest::question(path, &*body)).await)?;
            CHECKS.map(|check| check.explained(explained.access_token.iter()))
        }
        None => {
            let lacks = || Some("pass --client TENANT CLIENT".to_owned());
            CHECKS.map(|check| check.line(CheckStatus::NotChecked, lacks()))
        }
    };
    let (failed, checks) = first_failure(checked);
    let content = Content::Opaque { key: key.to_string() };
    Ok(InspectionReport::new("an opaque access token", failed, client.is_some(), checks, content, now))
}
