//! The credentials that a client keeps while `client set` grants it a permission.

use std::io::{Write as _, stderr};

use crate::process::OUTPUT;
use administration::documents::ClientView;
use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::{Value, json};

use crate::admin_client::{AdminApi, AdminApiError, ApiProblem, ApiRequest};
use crate::arguments::ChangeArguments;
use crate::output::{DocumentTable, ask};

/// Of `client set`.
#[derive(Args)]
pub(crate) struct CredentialChange {
    #[command(flatten)]
    pub(super) changes: ChangeArguments,
    #[command(flatten)]
    pub(super) credentials: KeptCredentials,
}

/// The decision about the credentials of a client that gains a `latchkey:` scope.
#[derive(Args)]
#[group(skip)]
pub(crate) struct KeptCredentials {
    /// Keep this credential when the client gains a `latchkey:` scope, and revoke the others (repeatable or
    /// comma-separated).
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    keep: Vec<String>,
    /// Revoke the credentials that `--keep` does not name. Without --keep, revoke all of them.
    #[arg(long)]
    revoke_others: bool,
}

const MEMBER: &str = "keep_credentials";
const INSTEAD: &str = "Pass --keep ID for each credential to keep, or --revoke-others";

const COLUMNS: DocumentTable =
    DocumentTable { none: "No credentials.", columns: "id, kind, value, created_by" };

impl KeptCredentials {
    /// Sends the change. If the client would keep credentials without a decision, shows them and asks which
    /// to keep.
    pub(super) async fn send(
        self,
        admin: &AdminApi,
        path: String,
        mut patch: Value,
    ) -> anyhow::Result<ClientView> {
        if self.revoke_others || !self.keep.is_empty() {
            patch[MEMBER] = json!(self.keep);
        }
        let error = match admin.send(ApiRequest::patch(path.clone(), patch.clone())).await {
            Ok(view) => return Ok(view),
            Err(error) => error,
        };
        let credentials = match error.downcast()? {
            AdminApiError::Refused(ApiProblem { credentials: Some(credentials), .. }) => credentials,
            error => return Err(error.into()),
        };
        let shown = COLUMNS.table(&credentials);
        writeln!(stderr(), "These credentials of the client would gain the new permission:\n\n{shown}")
            .context(OUTPUT)?;
        let question =
            "Which credentials do you want to keep? Type their IDs or `none`. All others are revoked:";
        patch[MEMBER] = json!(chosen(&ask(question, INSTEAD)?)?);
        admin.send(ApiRequest::patch(path, patch)).await
    }
}

/// Parses the ids of an answer.
fn chosen(answer: &str) -> anyhow::Result<Vec<&str>> {
    let ids: Vec<_> = answer.split([' ', ',', '\t']).filter(|id| !id.is_empty()).collect();
    match ids[..] {
        [] => bail!("nothing was changed"),
        ["none"] => Ok(Vec::new()),
        _ => Ok(ids),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [third 22]
    #[test]
    fn empty_answer_is_an_error() {
        assert_eq!(chosen("s1, public_key:a").unwrap(), ["s1", "public_key:a"]);
        assert_eq!(chosen("none").unwrap(), Vec::<&str>::new());
        assert!(chosen(" ").is_err());
    }
}
