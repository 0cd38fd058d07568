//! `latchkey client …`.

use std::path::Path;
use std::process::ExitCode;

use administration::{ClientSettings, ClientView, CreatedClient, Page, SecretView};
use clap::{Args, Subcommand};
use protocol::{ClientAuthenticationMethod, SubjectType};
use registry::ClientPurpose;
use serde::Serialize;
use serde_json::Value;
use settings::files;
use tenancy::{TenantId, UserinfoTokens};
use values::Lifetime;

use crate::admin_client::ApiRequest;
use crate::arguments::{ConfirmArguments, RowArguments};
use crate::client_credentials::ClientChange;
use crate::client_migration::Migration;
use crate::ended_credentials;
use crate::examples::example;
use crate::output::{DocumentTable, ListArguments, SecretArguments, SecretSink, confirm, details};
use crate::paths::{ClientArguments, clients_path};
use crate::runner::Runner;
use crate::suggested::suggested;
use server::clock;

/// What can be done to clients.
#[derive(Subcommand)]
pub(crate) enum ClientCommand {
    /// Register a client and print its secret, once.
    #[command(after_help = example!("client add globex billing --audience orders-api --scope orders:read"))]
    Add(Box<AddArguments>),
    /// List a tenant's clients.
    #[command(after_help = example!("client list globex --search bill"))]
    List {
        /// The tenant's id.
        tenant: TenantId,
        /// Only clients with this in their id or name.
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Show a client, and its ended secrets and API keys that are still presented.
    #[command(after_help = example!("client show globex billing"))]
    Show(ClientArguments),
    /// Change settings: name=value, or a merge patch.
    #[command(after_help = example!("client set globex billing scopes=orders:read,orders:write"))]
    Set(RowArguments<ClientArguments, ClientChange>),
    /// Stop it from authenticating.
    #[command(after_help = example!("client suspend globex billing"))]
    Suspend(ClientArguments),
    /// Let it authenticate again.
    #[command(after_help = example!("client resume globex billing"))]
    Resume(ClientArguments),
    /// Show which credentials it has, who still uses a secret, and the next step from secrets to keys.
    #[command(after_help = example!("client migrate globex billing"))]
    Migrate(ClientArguments),
    /// Revoke all tokens that it was issued until now.
    #[command(after_help = example!("client revoke-tokens globex billing"))]
    RevokeTokens(ClientArguments),
    /// Delete it with its secrets; its id stays reserved.
    #[command(after_help = example!("client delete globex billing --yes"))]
    Delete(RowArguments<ClientArguments, ConfirmArguments>),
}

/// Of `client add`: the members of the document by their names.
#[derive(Args, Serialize)]
pub(crate) struct AddArguments {
    /// The id of its tenant.
    #[serde(skip)]
    tenant: TenantId,
    /// Its id. Default: one is made.
    #[serde(rename = "client_id")]
    client: Option<String>,
    /// For people. Default: the id.
    #[arg(long)]
    name: Option<String>,
    /// What it is for, in one line.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// What kind of client it is, as a label for people.
    #[arg(long, value_name = "KIND", value_parser = suggested(ClientPurpose::NAMES))]
    purpose: Option<String>,
    /// What it may be granted; repeated, or with commas.
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',')]
    scopes: Vec<String>,
    /// Put in `aud` when a request names no resource; repeated, or with commas.
    #[arg(long = "audience", value_name = "AUDIENCE", value_delimiter = ',')]
    audiences: Vec<String>,
    /// May be requested with `resource`; repeated, or with commas.
    #[arg(long = "resource", value_name = "URI", value_delimiter = ',')]
    resources: Vec<String>,
    /// How it authenticates at the token endpoint.
    #[arg(long, value_name = "METHOD", value_parser = suggested(ClientAuthenticationMethod::NAMES))]
    #[serde(rename = "token_endpoint_auth_method")]
    auth_method: Option<String>,
    /// The grants that it may use; repeated, or with commas. Default: client_credentials.
    #[arg(long = "grant-type", value_name = "GRANT", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    grant_types: Vec<String>,
    /// The file with the public keys that it signs its assertions with, a JWK set.
    #[arg(long, value_name = "FILE", conflicts_with = "jwks_uri", value_parser = read_jwks)]
    jwks: Option<Value>,
    /// The https URL where it publishes those keys.
    #[arg(long, value_name = "URL")]
    jwks_uri: Option<String>,
    /// A rule over assertions of another issuer, in JSON: {"issuer": "ci", "subject": "repo:a/b"}; repeated.
    /// The client then has no secret.
    #[arg(long, value_name = "RULE", value_parser = read_rule)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    federated: Vec<Value>,
    /// Where it gets codes; repeated, or with commas.
    #[arg(long = "redirect-uri", value_name = "URI", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    redirect_uris: Vec<String>,
    /// Where people go after they have signed out; repeated, or with commas.
    #[arg(long = "post-logout-redirect-uri", value_name = "URI", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    post_logout_redirect_uris: Vec<String>,
    /// Do not ask people for consent.
    #[arg(long)]
    first_party: bool,
    /// Where it is told that a person's session has ended.
    #[arg(long, value_name = "URI")]
    backchannel_logout_uri: Option<String>,
    /// Whether other clients know a person by the same `sub`. Default: as the tenant says.
    #[arg(long, value_name = "TYPE", value_parser = suggested(SubjectType::NAMES))]
    subject_type: Option<String>,
    /// The https URI whose host is its sector. Default: the host of its redirect URIs.
    #[arg(long, value_name = "URI")]
    sector_identifier_uri: Option<String>,
    /// Put the claims of its scopes into ID tokens, too.
    #[arg(long)]
    claims_in_id_token: bool,
    /// Whether its tokens for userinfo are for its audiences, too. Default: as the tenant says.
    #[arg(long, value_name = "TOKENS", value_parser = suggested(UserinfoTokens::NAMES))]
    userinfo: Option<String>,
    /// How long ago a person may have signed in for a request without `max_age`, such
    /// as 1h. Default: any time.
    #[arg(long, value_name = "SPAN")]
    default_max_age: Option<Lifetime>,
    /// It signs people in within a popup.
    #[arg(long)]
    popup: bool,
    /// Whose tokens it may introspect.
    #[arg(long, value_name = "WHOSE", value_parser = suggested(["own", "audience", "tenant"]))]
    introspection: Option<String>,
    /// How long its tokens live, such as 30m. Default: the tenant's.
    #[arg(long, value_name = "SPAN")]
    #[serde(rename = "access_token_lifetime")]
    lifetime: Option<Lifetime>,
    /// Bind each of its tokens to the key of a DPoP proof.
    #[arg(long)]
    dpop_bound_access_tokens: bool,
    #[command(flatten)]
    #[serde(flatten)]
    subject: SubjectArguments,
    #[command(flatten)]
    #[serde(skip)]
    secret: SecretArguments,
}

/// The subject of a client's certificates (RFC 8705 §2.1.2).
#[derive(Args, Serialize)]
#[group(multiple = false)]
struct SubjectArguments {
    /// The subject of its certificates, such as CN=client,O=Example.
    #[arg(long, value_name = "NAME")]
    tls_client_auth_subject_dn: Option<String>,
    /// A DNS name of its certificates.
    #[arg(long, value_name = "NAME")]
    tls_client_auth_san_dns: Option<String>,
    /// A URI of its certificates.
    #[arg(long, value_name = "URI")]
    tls_client_auth_san_uri: Option<String>,
    /// An IP address of its certificates.
    #[arg(long, value_name = "ADDRESS")]
    tls_client_auth_san_ip: Option<String>,
    /// An e-mail address of its certificates.
    #[arg(long, value_name = "ADDRESS")]
    tls_client_auth_san_email: Option<String>,
}

const COLUMNS: DocumentTable = DocumentTable {
    none: "No clients.",
    columns: "client_id as ID, name, status, managed_by, live_secrets, scopes",
};

/// Runs the command.
pub(crate) fn run(runner: Runner<'_>, command: ClientCommand) -> anyhow::Result<ExitCode> {
    let step = |of: ClientArguments, verb: &str| {
        let request = ApiRequest::post(format!("{}/{verb}", of.path()), &());
        runner.show(request, |view: &ClientView| {
            format!("Client {}/{} is {}.\n", of.tenant, view.client_id, view.status)
        })
    };
    match command {
        ClientCommand::Add(arguments) => {
            let request = ApiRequest::post(clients_path(&arguments.tenant), &arguments);
            runner.show_secret(request, &arguments.secret, |created: &CreatedClient, sink| {
                welcome(&arguments.tenant, created, sink)
            })
        }
        ClientCommand::List { tenant, search, list } => {
            runner.list::<ClientView>(&clients_path(&tenant), vec![("search", search)], &list, &COLUMNS)
        }
        ClientCommand::Show(of) => runner.run(async |admin| {
            let client: ClientView = admin.send(ApiRequest::get(of.path())).await?;
            let presented = ended_credentials::still_presented(admin, &of).await?;
            runner.print(&client, || details(&client) + &presented)
        }),
        ClientCommand::Set(RowArguments { of, more: ClientChange { changes, credentials } }) => {
            let patch = changes.patch::<ClientSettings>()?;
            runner.run(async |admin| {
                let client = credentials.send(admin, of.path(), patch).await?;
                runner.print(&client, || details(&client))
            })
        }
        ClientCommand::Suspend(of) => step(of, "suspend"),
        ClientCommand::Resume(of) => step(of, "resume"),
        ClientCommand::Migrate(of) => runner.run(async |admin| {
            let client: ClientView = admin.send(ApiRequest::get(of.path())).await?;
            let secrets: Page<SecretView> =
                admin.send(ApiRequest::get(format!("{}/secrets", of.path()))).await?;
            let migration = Migration::new(&of, &client, secrets.items, clock::now());
            runner.print(&migration, || migration.lines(&of))
        }),
        ClientCommand::RevokeTokens(of) => {
            let request = ApiRequest::post(format!("{}/tokens/revoke", of.path()), &());
            runner.show(request, |view: &ClientView| {
                format!("All tokens of client {}/{} until now are revoked.\n", of.tenant, view.client_id)
            })
        }
        ClientCommand::Delete(RowArguments { of, more: ConfirmArguments { yes } }) => {
            let name = format!("{}/{}", of.tenant, of.client);
            confirm(&format!("Delete client {name} for ever? Its secrets are destroyed."), yes)?;
            runner.done(ApiRequest::delete(of.path()), &format!("Client {name} is deleted."))
        }
    }
}

/// A JWK set in a file. The server checks the keys, but a private one is not even sent.
fn read_jwks(path: &str) -> Result<Value, String> {
    const FORM: &str = "write {\"keys\": […]} as in RFC 7517 section 5";
    let bytes = files::read_public(Path::new(path)).map_err(|error| format!("it cannot be read: {error}"))?;
    let set: Value =
        serde_json::from_slice(&bytes).map_err(|error| format!("it is not JSON ({error}); {FORM}"))?;
    let keys = set["keys"].as_array().ok_or_else(|| format!("it has no list of keys; {FORM}"))?;
    let is_secret = |key: &Value| ["d", "k", "p", "q"].iter().any(|member| key.get(*member).is_some());
    if keys.iter().any(is_secret) {
        return Err("it holds a private key; write a file with the public keys alone".to_owned());
    }
    Ok(set)
}

/// The server judges the rule.
fn read_rule(text: &str) -> Result<Value, String> {
    let rule: Value = serde_json::from_str(text).map_err(|error| format!("this is not JSON: {error}"))?;
    if rule.is_object() { Ok(rule) } else { Err("write an object with `issuer` and `subject`".to_owned()) }
}

/// This is also for the first administrator, which is a client.
pub(super) fn welcome(
    tenant: &TenantId,
    created: &CreatedClient,
    sink: &mut SecretSink,
) -> anyhow::Result<String> {
    let id = &created.client.client_id;
    let mut text = format!("Client {tenant}/{id} is registered.\n\nclient id      {id}\n");
    if let Some(secret) = &created.secret {
        text.push_str(&format!("client secret  {}\n{}", sink.take(&secret.client_secret)?, sink.once()));
    }
    Ok(text)
}
