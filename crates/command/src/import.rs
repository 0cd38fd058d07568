//! `latchkey import keycloak`: creates a tenant from a realm that Keycloak has exported. It first shows the
//! planned rows, and what it leaves out.

mod client_grants;
mod client_proof;
mod clients;
mod left_out;
mod making;
mod password_hash;
mod people;
mod plan;
mod realm;
mod scopes;
mod shape;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use administration::documents::Wiped;
use anstream::stderr;
use anyhow::{Context as _, anyhow, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tenancy::TenantId;
use zeroize::Zeroizing;

use self::making::CreatedRows;
use self::plan::ImportPlan;
use self::realm::Realm;
use crate::examples::example;
use crate::output::confirm;
use crate::plan::SOMETHING;
use crate::process::{OUTPUT, print};
use crate::runner::Runner;
use crate::tenant::path as tenant_path;
use settings::files::without_mark;

/// From where something is imported.
#[derive(Subcommand)]
pub(crate) enum ImportCommand {
    /// Import a Keycloak realm as a tenant: scopes, clients with their secrets, and people with their
    /// password hashes.
    ///
    /// The command first shows what it will import and what it will leave out, and asks for confirmation.
    #[command(after_help = example!("import keycloak acme-realm.json --tenant acme --dry-run"))]
    Keycloak(KeycloakArguments),
}

/// Of `import keycloak`.
#[derive(Args)]
pub(crate) struct KeycloakArguments {
    /// File written by `kc.sh export --realm REALM --file FILE`.
    file: PathBuf,
    /// Tenant ID. Defaults to the realm's name in lower case.
    #[arg(long, value_name = "ID")]
    tenant: Option<TenantId>,
    /// Audience of the scopes to which the realm gives no audience. Defaults to the tenant ID followed by
    /// `-api`.
    #[arg(long)]
    audience: Option<String>,
    /// Show the import plan from the file only, and exit with 2.
    #[arg(long, conflicts_with_all = ["resume", "yes"])]
    dry_run: bool,
    /// Continue an import that stopped, or add people from more files. Existing rows are not changed.
    #[arg(long)]
    resume: bool,
    /// Do not ask for confirmation.
    #[arg(long)]
    yes: bool,
}

const WHOLE_REALM: &str = "Export the whole realm with `kc.sh export --realm REALM --file FILE`";

/// Fails if the server refused a client or a person.
pub(crate) fn run(runner: Runner<'_>, command: ImportCommand) -> anyhow::Result<ExitCode> {
    let ImportCommand::Keycloak(arguments) = command;
    let KeycloakArguments { file, tenant, audience, dry_run, resume, yes } = &arguments;
    let plan = ImportPlan::new(read(file)?, tenant.clone(), audience.clone())?;
    if *dry_run {
        runner.print(&plan.document(), || plan.lines())?;
        return Ok(ExitCode::from(SOMETHING));
    }
    runner.run(async |admin| {
        let exists = making::exists(admin, tenant_path(&plan.tenant)).await?;
        if exists && !resume {
            return Err(making::taken(&plan.tenant).into());
        }
        show(runner, &plan)?;
        confirm(&plan.question(exists), *yes)?;
        let mut made = CreatedRows::of_tenant(admin, &plan, exists).await?;
        let done = made.add_rest(admin, &plan, exists).await;
        // Also shows the rows that were created before an error, because new secrets are only shown now.
        let of_plan = plan.document();
        runner.print(&json!({ "plan": of_plan, "made": &made }), || made.lines(&plan.tenant))?;
        done.context("the import stopped; rows that were created remain. To continue, run the same command with --resume")?;
        Ok(if made.is_whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// With `--json`, the standard output only contains the document.
fn show(runner: Runner<'_>, plan: &ImportPlan) -> anyhow::Result<()> {
    let lines = format!("{}\n", plan.lines());
    if runner.arguments.json {
        return stderr().write_all(lines.as_bytes()).context(OUTPUT);
    }
    print(&lines).map(drop)
}

fn read(path: &Path) -> anyhow::Result<Realm> {
    let named = path.display();
    let unreadable = || format!("cannot read {named}");
    let mut file = File::open(path).with_context(unreadable)?;
    let length = usize::try_from(file.metadata().with_context(unreadable)?.len()).unwrap_or_default();
    // Allocates the whole buffer first: a buffer that grows leaves copies of secrets in memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length + 1));
    file.read_to_end(&mut bytes).with_context(unreadable)?;
    realm_in(without_mark(&bytes), &named.to_string())
}

fn realm_in(text: &[u8], named: &str) -> anyhow::Result<Realm> {
    let foreign = |error: &serde_json::Error| {
        // The text of the error is left out, because it may repeat a value of the file.
        let (line, column) = (error.line(), error.column());
        anyhow!("{named} is not an exported Keycloak realm: unexpected JSON at line {line}, column {column}")
    };
    // On Windows, shells write UTF-16.
    let text = str::from_utf8(text).map_err(|_| anyhow!("{named} is not UTF-8. Save the file as UTF-8"))?;
    let json = Wiped::new(serde_json::from_str(text).map_err(|error| foreign(&error))?);
    let is_client = |json: &Value| json.get("clientId").is_some() && json.get("clients").is_none();
    match &*json {
        Value::Array(items) if items.first().is_some_and(is_client) => {
            bail!("{named} contains clients instead of a realm. {WHOLE_REALM}")
        }
        Value::Array(items) if items.iter().any(|item| item.get("realm").is_some()) => bail!(
            "{named} contains several realms. Write one realm to its own file: jq '.[] | select(.realm == \"NAME\")' {named}"
        ),
        json if is_client(json) => bail!("{named} contains a client instead of a realm. {WHOLE_REALM}"),
        json if json.get("auth-server-url").is_some() => {
            bail!("{named} contains an adapter configuration instead of a realm. {WHOLE_REALM}")
        }
        _ if ["realm", "clients", "users"].iter().any(|name| json.get(name).is_some()) => {
            Realm::from_json(json).map_err(|error| foreign(&error))
        }
        _ => bail!("{named} is not an exported Keycloak realm. {WHOLE_REALM}"),
    }
}
