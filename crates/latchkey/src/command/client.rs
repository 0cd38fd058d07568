//! `latchkey client …`.

use std::path::Path;
use std::process::ExitCode;

use administration::{ClientSettings, ClientView, CreatedClient, NewClient};
use clap::{Args, Subcommand};
use registry::ClientId;
use tenancy::TenantId;

use super::output::{ListArguments, SecretArguments, SecretSink, all_pages, confirm, details, table};
use super::parse::parse_span;
use super::session::with_session;
use super::tenant::ChangeArguments;
use crate::admin_client::{AdminClientError, AdminCommandArguments, ClientStep, parse_tenant};
use crate::start_error::StartError;

/// What can be done to clients.
#[derive(Subcommand)]
pub(crate) enum ClientCommand {
    /// Register a client and print its secret, once.
    Add(Box<AddArguments>),
    /// List a tenant's clients.
    List {
        #[arg(value_parser = parse_tenant)]
        tenant: TenantId,
        /// Only clients with this in their id or name.
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Show a client.
    Show(ClientArguments),
    /// Change settings: name=value, or a merge patch.
    Set {
        #[command(flatten)]
        of: ClientArguments,
        #[command(flatten)]
        changes: ChangeArguments,
    },
    /// Stop it from authenticating.
    Suspend(ClientArguments),
    /// Let it authenticate again.
    Resume(ClientArguments),
    /// Delete it with its secrets; its id stays reserved.
    Delete {
        #[command(flatten)]
        of: ClientArguments,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

/// Which client.
#[derive(Args)]
pub(crate) struct ClientArguments {
    #[arg(value_parser = parse_tenant)]
    pub(super) tenant: TenantId,
    #[arg(value_parser = parse_client)]
    pub(super) client: ClientId,
}

/// Of `client add`.
#[derive(Args)]
pub(crate) struct AddArguments {
    #[arg(value_parser = parse_tenant)]
    tenant: TenantId,
    /// Its id. Default: one is made.
    client: Option<String>,
    /// For people. Default: the id.
    #[arg(long)]
    name: Option<String>,
    /// What it may be granted; may be given several times.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// Put in `aud` when a request names no resource; may be given several times.
    #[arg(long = "audience", value_name = "AUDIENCE")]
    audiences: Vec<String>,
    /// May be asked for with `resource`; may be given several times.
    #[arg(long = "resource", value_name = "URI")]
    resources: Vec<String>,
    /// any, client_secret_basic or client_secret_post.
    #[arg(long, value_name = "METHOD")]
    auth_method: Option<String>,
    /// Whose tokens it may introspect: own, audience or tenant.
    #[arg(long, value_name = "WHOSE")]
    introspection: Option<String>,
    /// How long its tokens live, such as 30m. Default: the tenant's.
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    lifetime: Option<protocol::Lifetime>,
    #[command(flatten)]
    secret: SecretArguments,
}

/// Runs the command.
pub(crate) fn client(
    config: &Path,
    request: AdminCommandArguments<ClientCommand>,
) -> Result<ExitCode, StartError> {
    let step = |of: ClientArguments, step: ClientStep| {
        with_session(config, &request.backend, async move |session| {
            let view = session.backend().step_client(&of.tenant, &of.client, step).await?;
            session.show(&view, || format!("Client {}/{} is {}.\n", of.tenant, view.client_id, view.status))
        })
    };
    match request.command {
        ClientCommand::Add(arguments) => {
            let mut sink = SecretSink::open(&arguments.secret)?;
            let tenant = arguments.tenant.clone();
            with_session(config, &request.backend, async |session| {
                let created = session.backend().create_client(&tenant, new(*arguments)).await?;
                let lines = welcome(&tenant, &created, &mut sink)?;
                session.show(&sink.document(&created), || lines)
            })
        }
        ClientCommand::List { tenant, search, list } => {
            with_session(config, &request.backend, async |session| {
                let backend = session.backend();
                let page =
                    all_pages(&list, search.as_deref(), async |request| -> Result<_, AdminClientError> {
                        backend.clients(&tenant, &request).await
                    });
                let page = page.await?;
                session.show(&page, || rows(&page.items))
            })
        }
        ClientCommand::Show(of) => with_session(config, &request.backend, async |session| {
            let view = session.backend().client(&of.tenant, &of.client).await?;
            session.show(&view, || shown(&view))
        }),
        ClientCommand::Set { of, changes } => {
            let patch = changes.patch(&ClientSettings::default())?;
            with_session(config, &request.backend, async |session| {
                let view = session.backend().patch_client(&of.tenant, &of.client, patch).await?;
                session.show(&view, || shown(&view))
            })
        }
        ClientCommand::Suspend(of) => step(of, ClientStep::Suspend),
        ClientCommand::Resume(of) => step(of, ClientStep::Resume),
        ClientCommand::Delete { of, yes } => {
            let name = format!("{}/{}", of.tenant, of.client);
            confirm(&format!("Delete client {name} for ever? Its secrets are destroyed."), yes)?;
            with_session(config, &request.backend, async |session| {
                session.backend().delete_client(&of.tenant, &of.client).await?;
                session.say(&format!("Client {name} is deleted."))
            })
        }
    }
}

fn parse_client(text: &str) -> Result<ClientId, String> {
    ClientId::parse(text).map_err(|error| error.to_string())
}

fn new(arguments: AddArguments) -> NewClient {
    let AddArguments { client, name, scopes, audiences, resources, .. } = arguments;
    let defaults = ClientSettings::default();
    let settings = ClientSettings {
        name,
        scopes,
        audiences,
        resources,
        token_endpoint_auth_method: arguments.auth_method.unwrap_or(defaults.token_endpoint_auth_method),
        introspection: arguments.introspection.unwrap_or(defaults.introspection),
        access_token_lifetime: arguments.lifetime,
        ..ClientSettings::default()
    };
    NewClient { client_id: client, client_secret: None, settings }
}

/// Also of the first administrator, who is a client.
pub(super) fn welcome(
    tenant: &TenantId,
    created: &CreatedClient,
    sink: &mut SecretSink,
) -> Result<String, StartError> {
    let id = &created.client.client_id;
    let mut text = format!("Client {tenant}/{id} is registered.\n\nclient id      {id}\n");
    if let Some(secret) = &created.secret {
        text.push_str(&format!(
            "client secret  {}\n\nThe secret is shown this once.\n",
            sink.take(&secret.client_secret)?
        ));
    }
    Ok(text)
}

fn rows(clients: &[ClientView]) -> String {
    let row = |view: &ClientView| {
        let name = view.settings.name.clone().unwrap_or_default();
        let (scopes, secrets) = (view.settings.scopes.join(" "), view.live_secrets.to_string());
        vec![view.client_id.clone(), name, view.status.clone(), view.managed_by.clone(), secrets, scopes]
    };
    let head = ["ID", "NAME", "STATUS", "MANAGED BY", "LIVE SECRETS", "SCOPES"];
    table("No clients.", &head, clients.iter().map(row).collect())
}

fn shown(view: &ClientView) -> String {
    details(&serde_json::to_value(view).expect("documents are plain JSON"))
}
