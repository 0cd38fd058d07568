//! `latchkey tenant …`.

use std::process::ExitCode;
use values::with_commands;

use administration::{ClientView, CreatedTenant, TenantSettings, TenantView};
use clap::{Args, Subcommand};
use gateway::snippets::curl_line;
use serde_json::{Value, json};
use tenancy::TenantId;

use crate::admin_client::ApiRequest;
use crate::arguments::{ChangeArguments, RowArguments, TenantArguments};
use crate::examples::example;
use crate::output::{
    self, DocumentTable, ListArguments, SecretArguments, SecretSink, SnippetLanguage, VerifierSettings,
    confirm, details, table,
};
use crate::runner::Runner;
use crate::tenant_move::{self, ExportArguments, TenantImportArguments};

/// What can be done to tenants.
#[derive(Subcommand)]
pub(crate) enum TenantCommand {
    /// Make a tenant and its first client, and print what its service needs.
    #[command(after_help = example!("tenant add globex --audience orders-api --scope orders:read,orders:write"))]
    Add(Box<AddArguments>),
    /// List tenants.
    #[command(after_help = example!("tenant list --search glob --all"))]
    List {
        /// Only tenants whose id or name has words that begin so.
        #[arg(long, value_name = "WORDS")]
        search: Option<String>,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Show a tenant.
    #[command(after_help = example!("tenant show globex"))]
    Show(TenantArguments),
    /// Change settings: name=value, or a merge patch.
    #[command(after_help = example!("tenant set globex access_token.lifetime=30m"))]
    Set(RowArguments<TenantArguments, ChangeArguments>),
    /// Stop it from serving.
    #[command(after_help = example!("tenant suspend globex"))]
    Suspend(TenantArguments),
    /// Let it serve again.
    #[command(after_help = example!("tenant resume globex"))]
    Resume(TenantArguments),
    /// Revoke all tokens that it has issued until now.
    #[command(after_help = example!("tenant revoke-tokens globex"))]
    RevokeTokens(TenantArguments),
    /// Schedule its deletion, which `restore` takes back; with --final, delete it at once and for ever.
    #[command(after_help = example!("tenant delete globex --yes"))]
    Delete {
        /// The tenant's id.
        tenant: TenantId,
        /// The second step: its secrets and keys are destroyed, its id stays reserved.
        #[arg(long = "final")]
        is_final: bool,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Take its deletion back.
    #[command(after_help = example!("tenant restore globex"))]
    Restore(TenantArguments),
    /// Suspend it, and write it to a file that another installation alone can open: keys, clients,
    /// secrets, people and revocations.
    #[command(after_help = example!("tenant export globex globex.tenant --to lkr_hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo"))]
    Export(ExportArguments),
    /// Let a tenant that was exported for this installation serve here, with its issuer,
    /// keys, secrets and tokens.
    #[command(after_help = example!("tenant import globex.tenant"))]
    Import(TenantImportArguments),
    /// Print the key of this installation, for which others export tenants.
    #[command(after_help = example!("tenant recipient"))]
    Recipient,
}

/// Of `tenant add`.
#[derive(Args)]
pub(crate) struct AddArguments {
    /// Its id: a-z, 0-9 and -.
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
    /// What the first client may be granted; repeated, or with commas.
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',')]
    scopes: Vec<String>,
    /// The id of its first client. Default: one is made.
    #[arg(long, value_name = "ID")]
    client: Option<String>,
    /// Make no client.
    #[arg(long, conflicts_with_all = ["client", "audience", "scopes", "secret_file"])]
    no_client: bool,
    /// In which language to print how a token is fetched and checked. Default: one line of
    /// curl that fetches a token.
    #[arg(long, value_enum)]
    snippet: Option<SnippetLanguage>,
    #[command(flatten)]
    secret: SecretArguments,
}

pub(super) const TENANTS: &str = "/api/v1/admin/tenants";

const COLUMNS: DocumentTable =
    DocumentTable { none: "No tenants.", columns: "id, name, status, managed_by, issuer" };

/// A tenant's document.
pub(crate) fn path(tenant: &TenantId) -> String {
    format!("{TENANTS}/{tenant}")
}

/// Runs the command.
pub(crate) fn run(runner: Runner<'_>, command: TenantCommand) -> anyhow::Result<ExitCode> {
    let step = |tenant: &TenantId, verb: &str| {
        runner.show(ApiRequest::post(format!("{}/{verb}", path(tenant)), &()), state)
    };
    match command {
        TenantCommand::Export(arguments) => tenant_move::export(runner.config, &arguments),
        TenantCommand::Import(arguments) => tenant_move::import(runner.config, &arguments),
        TenantCommand::Recipient => tenant_move::recipient(runner.config),
        TenantCommand::Add(arguments) => {
            let request = ApiRequest::post(TENANTS.to_owned(), &arguments.document());
            runner.show_secret(request, &arguments.secret, |created, sink| {
                welcome(created, sink, arguments.snippet)
            })
        }
        TenantCommand::List { search, list } => {
            runner.list::<TenantView>(TENANTS, vec![("search", search)], &list, &COLUMNS)
        }
        TenantCommand::Show(of) => runner.show(ApiRequest::get(path(&of.tenant)), details::<TenantView>),
        TenantCommand::Set(RowArguments { of, more: changes }) => {
            let patch = changes.patch::<TenantSettings>()?;
            runner.show(ApiRequest::patch(path(&of.tenant), patch), details::<TenantView>)
        }
        TenantCommand::Suspend(of) => step(&of.tenant, "suspend"),
        TenantCommand::Resume(of) => step(&of.tenant, "resume"),
        TenantCommand::Restore(of) => step(&of.tenant, "restore"),
        TenantCommand::RevokeTokens(of) => {
            let request = ApiRequest::post(format!("{}/tokens/revoke", path(&of.tenant)), &());
            runner.show(request, |view: &TenantView| {
                format!("All tokens of tenant {} until now are revoked.\n", view.id)
            })
        }
        TenantCommand::Delete { tenant, is_final: false, yes } => {
            confirm(&format!("Delete tenant {tenant}? It stops serving at once."), yes)?;
            runner.show(ApiRequest::delete(path(&tenant)), state)
        }
        TenantCommand::Delete { tenant, is_final: true, yes } => {
            let question = format!(
                "Delete tenant {tenant} for ever? Its secrets and keys are destroyed, its id stays reserved."
            );
            confirm(&question, yes)?;
            let request = ApiRequest::delete(format!("{}?final=true", path(&tenant)));
            runner.done(request, &format!("Tenant {tenant} is deleted."))
        }
    }
}

impl AddArguments {
    /// The tenant and its first client as the API takes them.
    fn document(&self) -> Value {
        let Self { tenant, name, issuer, audience, scopes, client, no_client, .. } = self;
        let mut document = json!({ "id": tenant.as_str(), "name": name, "issuer": issuer });
        if let Some(audience) = audience {
            document["resource_servers"] = json!({ audience: { "scopes": scopes } });
        }
        if !no_client {
            let audiences: Vec<_> = audience.iter().collect();
            document["client"] = json!({ "client_id": client, "audiences": audiences, "scopes": scopes });
        }
        document
    }
}

/// Everything that the tenant's service and its verifiers need.
fn welcome(
    created: &CreatedTenant,
    sink: &mut SecretSink,
    language: Option<SnippetLanguage>,
) -> anyhow::Result<String> {
    let TenantView { id, settings, jwks_uri, token_endpoint, .. } = &created.tenant;
    let mut lines = vec![
        ("issuer", settings.issuer.clone().unwrap_or_default()),
        ("JWKS", jwks_uri.clone()),
        ("token endpoint", token_endpoint.clone()),
    ];
    let mut code = String::new();
    if let Some(client) = &created.client {
        let id = &client.client.client_id;
        lines.push(("client id", id.clone()));
        if let Some(secret) = &client.secret {
            lines.push(("client secret", sink.take(&secret.client_secret)?));
            code = match language {
                None => format!("\n{}", curl_line(token_endpoint, id)),
                Some(SnippetLanguage::None) => String::new(),
                Some(language) => snippets(&created.tenant, &client.client, language),
            };
        }
    }
    let rows = lines.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    let mut text =
        format!("Tenant {id} is ready.\n\n{}", table("", &["", ""], rows).trim_start_matches('\n'));
    if !code.is_empty() {
        text.push_str(match sink.once() {
            "" => "\nRead the secret into CLIENT_SECRET, and fetch a token:\n",
            _ => "\nThe secret is shown this once. Put it into CLIENT_SECRET, and fetch a token:\n",
        });
        text.push_str(&code);
    }
    Ok(text)
}

/// How the client fetches a token, and how an API checks it.
fn snippets(tenant: &TenantView, client: &ClientView, language: SnippetLanguage) -> String {
    let TenantView { settings, jwks_uri, token_endpoint, .. } = tenant;
    let id = &client.client_id;
    let expected = VerifierSettings {
        issuer: settings.issuer.as_deref().unwrap_or_default(),
        jwks: jwks_uri,
        token_endpoint,
        // Without an audience, tokens are for the client itself.
        audience: client.settings.audiences.first().unwrap_or(id),
        algorithm: &settings.signing.algorithm,
        typ: &settings.access_token.typ,
        client_id: id,
    };
    let mut text = output::snippets(token_endpoint, id, language);
    let verifiers = output::verifiers(&expected, language);
    text.push_str("\nAn API checks the tokens that it gets");
    text.push_str(if verifiers.is_empty() {
        ", with a library of JSON Web Tokens, as docs/protect-an-api.md says.\n"
    } else {
        " (docs/protect-an-api.md):\n"
    });
    text + &verifiers
}

fn state(view: &TenantView) -> String {
    match view.deletion_due_at {
        Some(due_at) => with_commands(
            "Tenant {id} will be deleted at {due}; until then `latchkey tenant restore ID` cancels the deletion.\n",
            &[("ID", &view.id), ("DUE", &due_at.0.to_rfc3339())],
        ),
        None => format!("Tenant {} is {}.\n", view.id, view.status),
    }
}
