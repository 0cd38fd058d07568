//! `latchkey tenant …`.

use std::path::Path;
use std::process::ExitCode;

use administration::{
    ClientSettings, CreatedTenant, Interface, NewClient, NewTenant, ResourceServerSettings, TenantSettings,
    TenantView,
};
use clap::{Args, Subcommand};
use serde_json::Value;
use tenancy::TenantId;

use super::output::{
    Language, ListArguments, SecretArguments, SecretSink, Snippets, all_pages, confirm, details, table,
};
use super::parse::{Assignment, parse_assignment, patch};
use super::session::with_session;
use crate::admin_client::{AdminCommandArguments, TenantStep, parse_tenant};
use crate::start_error::StartError;

/// What can be done to tenants.
#[derive(Subcommand)]
pub(crate) enum TenantCommand {
    /// Make a tenant and its first client, and print what its service needs.
    Add(Box<AddArguments>),
    /// List tenants.
    List {
        /// Only tenants whose id or name has words that begin so.
        #[arg(long, value_name = "WORDS")]
        search: Option<String>,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Show a tenant.
    Show {
        #[arg(value_parser = parse_tenant)]
        tenant: TenantId,
    },
    /// Change settings: name=value, or a merge patch.
    Set {
        #[arg(value_parser = parse_tenant)]
        tenant: TenantId,
        #[command(flatten)]
        changes: ChangeArguments,
    },
    /// Stop it from serving.
    Suspend {
        #[arg(value_parser = parse_tenant)]
        tenant: TenantId,
    },
    /// Let it serve again.
    Resume {
        #[arg(value_parser = parse_tenant)]
        tenant: TenantId,
    },
    /// Schedule its deletion, which `restore` takes back; with --final, delete it at once and for ever.
    Delete {
        #[arg(value_parser = parse_tenant)]
        tenant: TenantId,
        /// The second step: its secrets and keys are destroyed, its id stays reserved.
        #[arg(long = "final")]
        is_final: bool,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Take its deletion back.
    Restore {
        #[arg(value_parser = parse_tenant)]
        tenant: TenantId,
    },
}

/// Of `tenant add`.
#[derive(Args)]
pub(crate) struct AddArguments {
    /// Its id: a-z, 0-9 and -.
    #[arg(value_parser = parse_tenant)]
    tenant: TenantId,
    /// For people. Default: the id.
    #[arg(long)]
    name: Option<String>,
    /// `iss` of its tokens. Default: its own path under the public URL.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// The audience of its first client's tokens, which becomes a resource server of the tenant.
    #[arg(long)]
    audience: Option<String>,
    /// What the first client may be granted; may be given several times.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// The id of its first client. Default: one is made.
    #[arg(long, value_name = "ID")]
    client: Option<String>,
    /// Make no client.
    #[arg(long, conflicts_with_all = ["client", "audience", "scopes", "secret_file"])]
    no_client: bool,
    /// In which language to print how a token is fetched.
    #[arg(long, value_enum, default_value_t = Language::All)]
    snippet: Language,
    #[command(flatten)]
    secret: SecretArguments,
}

/// Of `tenant set` and `client set`.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct ChangeArguments {
    /// A setting and its new value, such as access_token.lifetime=30m; `null` is the default.
    #[arg(value_name = "NAME=VALUE", value_parser = parse_assignment)]
    assignments: Vec<Assignment>,
    /// A JSON merge patch (RFC 7396) of the settings.
    #[arg(long = "patch", value_name = "JSON", value_parser = parse_json)]
    merge_patch: Option<Value>,
}

/// Runs the command.
pub(crate) fn tenant(
    config: &Path,
    request: AdminCommandArguments<TenantCommand>,
) -> Result<ExitCode, StartError> {
    let step = |tenant: TenantId, step: TenantStep| {
        with_session(config, &request.backend, async move |session| {
            let view = session.backend().step_tenant(&tenant, step).await?;
            session.show(&view, || said(&view))
        })
    };
    match request.command {
        TenantCommand::Add(arguments) => {
            let mut sink = SecretSink::open(&arguments.secret)?;
            let language = arguments.snippet;
            with_session(config, &request.backend, async |session| {
                let created = session.backend().create_tenant(new(*arguments)).await?;
                let lines = welcome(&created, &mut sink, language)?;
                session.show(&sink.document(&created), || lines)
            })
        }
        TenantCommand::List { search, list } => with_session(config, &request.backend, async |session| {
            let page = all_pages(&list, search.as_deref(), async |request| {
                session.backend().tenants(&request).await
            });
            let page = page.await?;
            session.show(&page, || rows(&page.items))
        }),
        TenantCommand::Show { tenant } => with_session(config, &request.backend, async |session| {
            let view = session.backend().tenant(&tenant).await?;
            session.show(&view, || shown(&view))
        }),
        TenantCommand::Set { tenant, changes } => {
            let patch = changes.patch(&TenantSettings::default().with_defaults(Interface::Api))?;
            with_session(config, &request.backend, async |session| {
                let view = session.backend().patch_tenant(&tenant, patch).await?;
                session.show(&view, || shown(&view))
            })
        }
        TenantCommand::Suspend { tenant } => step(tenant, TenantStep::Suspend),
        TenantCommand::Resume { tenant } => step(tenant, TenantStep::Resume),
        TenantCommand::Restore { tenant } => step(tenant, TenantStep::Restore),
        TenantCommand::Delete { tenant, is_final: false, yes } => {
            confirm(&format!("Delete tenant {tenant}? It stops serving at once."), yes)?;
            step(tenant, TenantStep::Delete)
        }
        TenantCommand::Delete { tenant, is_final: true, yes } => {
            let question = format!(
                "Delete tenant {tenant} for ever? Its secrets and keys are destroyed, its id stays reserved."
            );
            confirm(&question, yes)?;
            with_session(config, &request.backend, async |session| {
                session.backend().delete_tenant(&tenant).await?;
                session.say(&format!("Tenant {tenant} is deleted."))
            })
        }
    }
}

impl ChangeArguments {
    /// The merge patch that is asked for.
    pub(crate) fn patch(self, defaults: &impl serde::Serialize) -> Result<Value, StartError> {
        if let Some(patch) = self.merge_patch {
            return Ok(patch);
        }
        let defaults = serde_json::to_value(defaults).expect("settings are plain JSON");
        patch(&self.assignments, &defaults).map_err(StartError::Unusable)
    }
}

pub(super) fn parse_json(text: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if value.is_object() { Ok(value) } else { Err("a merge patch is an object".to_owned()) }
}

fn new(arguments: AddArguments) -> NewTenant {
    let AddArguments { tenant, name, issuer, audience, scopes, client, no_client, .. } = arguments;
    let mut settings = TenantSettings { name, issuer, ..TenantSettings::default() };
    if let Some(audience) = &audience {
        let server = ResourceServerSettings { scopes: scopes.clone(), clients: Vec::new() };
        settings.resource_servers.insert(audience.clone(), server);
    }
    let first = NewClient {
        client_id: client,
        client_secret: None,
        settings: ClientSettings {
            audiences: audience.into_iter().collect(),
            scopes,
            ..ClientSettings::default()
        },
    };
    NewTenant { id: tenant.to_string(), client: (!no_client).then_some(first), settings }
}

/// All that the tenant's service and those who check its tokens need.
fn welcome(created: &CreatedTenant, sink: &mut SecretSink, language: Language) -> Result<String, StartError> {
    let TenantView { id, settings, jwks_uri, token_endpoint, .. } = &created.tenant;
    let mut lines = vec![
        ("issuer", settings.issuer.clone().unwrap_or_default()),
        ("JWKS", jwks_uri.clone()),
        ("token endpoint", token_endpoint.clone()),
    ];
    let mut snippets = String::new();
    if let Some(client) = &created.client {
        let id = &client.client.client_id;
        lines.push(("client id", id.clone()));
        if let Some(secret) = &client.secret {
            lines.push(("client secret", sink.take(&secret.client_secret)?));
            snippets = Snippets { token_endpoint, client_id: id }.print(language);
        }
    }
    let rows = lines.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    let mut text =
        format!("Tenant {id} is ready.\n\n{}", table("", &["", ""], rows).trim_start_matches('\n'));
    if !snippets.is_empty() {
        text.push_str("\nThe secret is shown this once. Put it into CLIENT_SECRET, and fetch a token:\n");
        text.push_str(&snippets);
    }
    Ok(text)
}

fn rows(tenants: &[TenantView]) -> String {
    let row = |view: &TenantView| {
        let (name, issuer) = (&view.settings.name, &view.settings.issuer);
        let texts =
            [Some(&view.id), name.as_ref(), Some(&status(view)), Some(&view.managed_by), issuer.as_ref()];
        texts.map(|text| text.cloned().unwrap_or_default()).to_vec()
    };
    let rows = tenants.iter().map(row).collect();
    table("No tenants.", &["ID", "NAME", "STATUS", "MANAGED BY", "ISSUER"], rows)
}

fn said(view: &TenantView) -> String {
    match view.deletion_due_at {
        Some(due_at) => format!(
            "Tenant {} is to be deleted at {}; until then `latchkey tenant restore {}` takes it back.\n",
            view.id,
            due_at.to_rfc3339(),
            view.id
        ),
        None => format!("Tenant {} is {}.\n", view.id, status(view)),
    }
}

fn shown(view: &TenantView) -> String {
    details(&serde_json::to_value(view).expect("documents are plain JSON"))
}

fn status(view: &TenantView) -> String {
    serde_json::to_value(view.status)
        .ok()
        .and_then(|status| status.as_str().map(str::to_owned))
        .unwrap_or_default()
}
