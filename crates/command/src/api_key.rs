//! `latchkey api-key …`.

use std::process::ExitCode;

use administration::documents::{ApiKeyView, CreatedApiKey};
use clap::{Args, Subcommand};
use registry::{ApiKeyId, ClientId};
use serde::Serialize;
use serde_json::json;
use tenancy::TenantId;
use values::{Lifetime, Timestamp};

use crate::admin_client::ApiRequest;
use crate::arguments::{ChangeArguments, ConfirmArguments, RowArguments};
use crate::examples::example;
use crate::output::{DocumentTable, ListArguments, OneTimeOutput, OutputArguments, confirm, details};
use crate::parse::{When, parse_since};
use crate::paths::{ClientArguments, client_path};
use crate::runner::Runner;

/// What can be done to the API keys of a client.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Create an API key and print it once.
    #[command(after_help = example!("api-key add globex billing --name nightly-export --owner cus_1815 --expires 90d --secret-file export.key"))]
    Add(Box<AddArguments>),
    /// List API keys and when each key was last used. The keys themselves are not shown.
    #[command(after_help = example!("api-key list globex billing --unused-since 90d"))]
    List {
        /// Tenant ID.
        tenant: TenantId,
        /// List only the keys of this client.
        client: Option<ClientId>,
        /// List only the key with this ID.
        #[arg(long, value_name = "ID")]
        key: Option<ApiKeyId>,
        /// List only keys whose name contains this text.
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,
        /// List only keys with this label.
        #[arg(long, value_name = "LABEL")]
        label: Option<String>,
        /// List only keys of this owner.
        #[arg(long, value_name = "ID")]
        owner: Option<String>,
        /// List only keys that expire before this time, or within this duration, or have expired.
        #[arg(long, value_name = "WHEN")]
        ends_before: Option<When>,
        /// List only keys that were not used since this time, or for this duration.
        #[arg(long, value_name = "WHEN", value_parser = parse_since)]
        unused_since: Option<Timestamp>,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Show an API key.
    #[command(after_help = example!("api-key show globex billing 4fT9xQ2bV7mK"))]
    Show(Arguments),
    /// Change the name, labels or owner of a key, reduce its scopes, or shorten its life.
    ///
    /// Write name=value or a JSON merge patch.
    #[command(after_help = example!("api-key set globex billing 4fT9xQ2bV7mK expires_at=2030-03-01T08:00:00Z"))]
    Set(RowArguments<Arguments, ChangeArguments>),
    /// Create a replacement for a key. The old key expires after a grace period.
    #[command(after_help = example!("api-key rotate globex billing 4fT9xQ2bV7mK --grace 24h --secret-file export.key"))]
    Rotate {
        #[command(flatten)]
        of: Arguments,
        /// How long the old key stays valid, unless it expires earlier; 0s revokes it immediately.
        #[arg(long, value_name = "SPAN", default_value = "24h")]
        grace: Lifetime,
        #[command(flatten)]
        secret: OutputArguments,
    },
    /// Revoke a key and its tokens immediately and permanently.
    #[command(after_help = example!("api-key revoke globex billing 4fT9xQ2bV7mK --yes"))]
    Revoke(RowArguments<Arguments, ConfirmArguments>),
}

/// Of `api-key add`: the members of the document by their names.
#[derive(Args, Serialize)]
pub(crate) struct AddArguments {
    #[command(flatten)]
    #[serde(skip)]
    of: ClientArguments,
    /// Display name of the key.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Label (repeatable or comma-separated).
    #[arg(long = "label", value_name = "LABEL", value_delimiter = ',')]
    labels: Vec<String>,
    /// Owner of the key: the ID of the customer in the client's own system.
    #[arg(long, value_name = "ID")]
    owner: Option<String>,
    /// Scopes of the client that the key gets (repeatable or comma-separated). By default, all scopes.
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',')]
    scopes: Option<Vec<String>>,
    /// Audiences or resources of the client that the key gets (repeatable or comma-separated). By default,
    /// all audiences.
    #[arg(long = "audience", value_name = "AUDIENCE", value_delimiter = ',')]
    audiences: Option<Vec<String>>,
    /// When the key expires: a time, or a duration such as 90d. The default is a tenant setting.
    #[arg(long, value_name = "WHEN")]
    #[serde(skip)]
    expires: Option<When>,
    #[command(flatten)]
    #[serde(skip)]
    secret: OutputArguments,
}

/// Which key.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    of: ClientArguments,
    /// Key ID: the 12 characters after lkk_ in the key.
    key: ApiKeyId,
}

const COLUMNS: DocumentTable = DocumentTable {
    none: "No API keys.",
    columns: "id, client_id as CLIENT, name, owner, hint, status, scopes, expires_at as EXPIRES, last_used_at as LAST USED (up to 10 s \
         late) or -, presented_after_end_at as USED AFTER EXPIRY or -",
};

pub(crate) fn run(runner: Runner<'_>, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Add(arguments) => {
            let mut document = json!(arguments);
            if let Some(expires) = arguments.expires {
                let end = expires
                    .0
                    .ok_or_else(|| anyhow::anyhow!("an API key must expire. Write a time or a duration"))?;
                document["expires_at"] = end.to_rfc3339().into();
            }
            let path = format!("{}/api-keys", arguments.of.path());
            runner.show_secret(ApiRequest::post(path, &document), &arguments.secret, created)
        }
        Command::List { tenant, client, key, name, label, owner, ends_before, unused_since, list } => {
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
        Command::Show(of) => runner.show(ApiRequest::get(of.path()), details::<ApiKeyView>),
        Command::Set(RowArguments { of, more: changes }) => {
            let patch = changes.patch::<administration::documents::ApiKeySettings>()?;
            runner.show(ApiRequest::patch(of.path(), patch), details::<ApiKeyView>)
        }
        Command::Rotate { of, grace, secret } => {
            let grace = administration::documents::RotateApiKeySettings { grace: Some(grace) };
            let request = ApiRequest::post(format!("{}/rotate", of.path()), &grace);
            runner.show_secret(request, &secret, created)
        }
        Command::Revoke(RowArguments { of, more: ConfirmArguments { yes } }) => {
            confirm(
                &format!("Revoke API key {} of {}/{} permanently?", of.key, of.of.tenant, of.of.client),
                yes,
            )?;
            runner.show(ApiRequest::delete(of.path()), |view: &ApiKeyView| {
                format!("API key {} is {}.\n", view.id, view.status)
            })
        }
    }
}

fn created(created: &CreatedApiKey, sink: &mut OneTimeOutput) -> anyhow::Result<String> {
    let shown = sink.take(&created.api_key)?;
    let end = created.key.settings.expires_at.map_or_else(String::new, String::from);
    Ok(format!("id       {}\nAPI key  {shown}\nexpires  {end}\n{}", created.key.id, sink.once()))
}

impl Arguments {
    fn path(&self) -> String {
        format!("{}/api-keys/{}", self.of.path(), self.key)
    }
}
