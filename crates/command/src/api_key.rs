//! `latchkey api-key …`.

use std::process::ExitCode;

use administration::{ApiKeyView, CreatedApiKey};
use clap::{Args, Subcommand};
use registry::{ApiKeyId, ClientId};
use serde::Serialize;
use serde_json::json;
use tenancy::TenantId;
use values::{Lifetime, Timestamp};

use crate::admin_client::ApiRequest;
use crate::arguments::{ChangeArguments, ConfirmArguments, RowArguments};
use crate::examples::example;
use crate::output::{DocumentTable, ListArguments, SecretArguments, SecretSink, confirm, details};
use crate::parse::{When, parse_since};
use crate::paths::{ClientArguments, client_path};
use crate::runner::Runner;

/// What can be done to the API keys of a client.
#[derive(Subcommand)]
pub(crate) enum ApiKeyCommand {
    /// Make an API key and print it, once.
    #[command(after_help = example!("api-key add globex billing --name nightly-export --owner cus_1815 --expires 90d --secret-file export.key"))]
    Add(Box<AddArguments>),
    /// List API keys, of one client or of all, with when each was last used. Never the keys themselves.
    #[command(after_help = example!("api-key list globex billing --unused-since 90d"))]
    List {
        /// The tenant's id.
        tenant: TenantId,
        /// Only keys of this client.
        client: Option<ClientId>,
        /// Only the key of this id.
        #[arg(long, value_name = "ID")]
        key: Option<ApiKeyId>,
        /// Only keys with this in their name.
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,
        /// Only keys with this label.
        #[arg(long, value_name = "LABEL")]
        label: Option<String>,
        /// Only keys of this owner.
        #[arg(long, value_name = "ID")]
        owner: Option<String>,
        /// Only keys that end before this instant or within this span, or have ended.
        #[arg(long, value_name = "WHEN")]
        ends_before: Option<When>,
        /// Only keys that were not used since this instant, or for this span.
        #[arg(long, value_name = "WHEN", value_parser = parse_since)]
        unused_since: Option<Timestamp>,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Show an API key.
    #[command(after_help = example!("api-key show globex billing 4fT9xQ2bV7mK"))]
    Show(ApiKeyArguments),
    /// Change name, labels or owner, or let it allow less or end earlier: name=value, or a merge patch.
    #[command(after_help = example!("api-key set globex billing 4fT9xQ2bV7mK expires_at=2030-03-01T08:00:00Z"))]
    Set(RowArguments<ApiKeyArguments, ChangeArguments>),
    /// Make a key in the place of another one, which ends after a time of grace.
    #[command(after_help = example!("api-key rotate globex billing 4fT9xQ2bV7mK --grace 24h --secret-file export.key"))]
    Rotate {
        #[command(flatten)]
        of: ApiKeyArguments,
        /// For how long the other one still counts, unless it ends before; 0s revokes it at once.
        #[arg(long, value_name = "SPAN", default_value = "24h")]
        grace: Lifetime,
        #[command(flatten)]
        secret: SecretArguments,
    },
    /// End a key at once and for ever, with its tokens.
    #[command(after_help = example!("api-key revoke globex billing 4fT9xQ2bV7mK --yes"))]
    Revoke(RowArguments<ApiKeyArguments, ConfirmArguments>),
}

/// Of `api-key add`: the members of the document by their names.
#[derive(Args, Serialize)]
pub(crate) struct AddArguments {
    #[command(flatten)]
    #[serde(skip)]
    of: ClientArguments,
    /// What people call it.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// A label; repeated, or with commas.
    #[arg(long = "label", value_name = "LABEL", value_delimiter = ',')]
    labels: Vec<String>,
    /// For whom the client makes it: the id that its customer has there.
    #[arg(long, value_name = "ID")]
    owner: Option<String>,
    /// A scope of the client; repeated, or with commas. Default: all of them.
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',')]
    scopes: Option<Vec<String>>,
    /// An audience or a resource of the client; repeated, or with commas. Default: its audiences.
    #[arg(long = "audience", value_name = "AUDIENCE", value_delimiter = ',')]
    audiences: Option<Vec<String>>,
    /// When it ends: an instant, or a span such as 90d. Default: as the tenant says.
    #[arg(long, value_name = "WHEN")]
    #[serde(skip)]
    expires: Option<When>,
    #[command(flatten)]
    #[serde(skip)]
    secret: SecretArguments,
}

/// Which key.
#[derive(Args)]
pub(crate) struct ApiKeyArguments {
    #[command(flatten)]
    of: ClientArguments,
    /// Its id, the 12 characters after lkk_ in it.
    key: ApiKeyId,
}

const COLUMNS: DocumentTable = DocumentTable {
    none: "No API keys.",
    columns: "id, client_id as CLIENT, name, owner, hint, status, scopes, expires_at as ENDS, \
              last_used_at as LAST USED (up to 10 s late) or -, \
              presented_after_end_at as AFTER ITS END or -",
};

/// Runs the command.
pub(crate) fn run(runner: Runner<'_>, command: ApiKeyCommand) -> anyhow::Result<ExitCode> {
    match command {
        ApiKeyCommand::Add(arguments) => {
            let mut document = json!(arguments);
            if let Some(expires) = arguments.expires {
                let end = expires.0.ok_or_else(|| anyhow::anyhow!("an API key ends; write when"))?;
                document["expires_at"] = end.to_rfc3339().into();
            }
            let path = format!("{}/api-keys", arguments.of.path());
            runner.show_secret(ApiRequest::post(path, &document), &arguments.secret, created)
        }
        ApiKeyCommand::List { tenant, client, key, name, label, owner, ends_before, unused_since, list } => {
            let path = match client {
                Some(client) => format!("{}/api-keys", client_path(&tenant, client.as_str())),
                None => format!("/api/v1/tenant/{tenant}/api-keys"),
            };
            let filters = vec![
                ("key", key.map(|key| key.to_string())),
                ("name", name),
                ("label", label),
                ("owner", owner),
                ("ends_before", ends_before.and_then(|when| when.0).map(Timestamp::to_rfc3339)),
                ("unused_since", unused_since.map(Timestamp::to_rfc3339)),
            ];
            runner.list::<ApiKeyView>(&path, filters, &list, &COLUMNS)
        }
        ApiKeyCommand::Show(of) => runner.show(ApiRequest::get(of.path()), details::<ApiKeyView>),
        ApiKeyCommand::Set(RowArguments { of, more: changes }) => {
            let patch = changes.patch::<administration::ApiKeySettings>()?;
            runner.show(ApiRequest::patch(of.path(), patch), details::<ApiKeyView>)
        }
        ApiKeyCommand::Rotate { of, grace, secret } => {
            let grace = administration::RotateApiKeySettings { grace: Some(grace) };
            let request = ApiRequest::post(format!("{}/rotate", of.path()), &grace);
            runner.show_secret(request, &secret, created)
        }
        ApiKeyCommand::Revoke(RowArguments { of, more: ConfirmArguments { yes } }) => {
            confirm(
                &format!("Revoke API key {} of {}/{} for ever?", of.key, of.of.tenant, of.of.client),
                yes,
            )?;
            runner.show(ApiRequest::delete(of.path()), |view: &ApiKeyView| {
                format!("API key {} is {}.\n", view.id, view.status)
            })
        }
    }
}

fn created(created: &CreatedApiKey, sink: &mut SecretSink) -> anyhow::Result<String> {
    let shown = sink.take(&created.api_key)?;
    let end = created.key.settings.expires_at.map_or_else(String::new, String::from);
    Ok(format!("id       {}\nAPI key  {shown}\nexpires  {end}\n{}", created.key.id, sink.once()))
}

impl ApiKeyArguments {
    fn path(&self) -> String {
        format!("{}/api-keys/{}", self.of.path(), self.key)
    }
}
