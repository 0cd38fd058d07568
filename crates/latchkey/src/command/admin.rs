//! `latchkey admin …`: creates the first administrator, on the store only.

use std::path::Path;
use std::process::ExitCode;

use administration::CreatedClient;
use clap::{Args, Subcommand};
use tenancy::TenantId;

use super::client::welcome;
use super::examples::example;
use super::output::{SecretArguments, SecretSink, json};
use super::{block_on, print};
use crate::admin_client::{InProcess, actor};
use settings::{Environment, read_platform};

/// What can be done about administrators.
#[derive(Subcommand)]
pub(crate) enum AdminCommand {
    /// Make the first administrator, a client of the tenant `platform`, and print its secret, once. Refused while there is one.
    #[command(after_help = example!("admin init --secret-file admin.secret"))]
    Init(InitArguments),
}

/// Of `admin init`.
#[derive(Args)]
pub(crate) struct InitArguments {
    /// The client's id.
    #[arg(long, default_value = "admin")]
    name: String,
    /// Print the API's JSON document instead.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    secret: SecretArguments,
}

/// Runs the command.
pub(crate) fn run(config: &Path, AdminCommand::Init(request): AdminCommand) -> anyhow::Result<ExitCode> {
    let mut sink = SecretSink::open(&request.secret)?;
    let created = block_on(async {
        let environment = Environment::of_process();
        let store = InProcess::open(&read_platform(config, &environment)?, &actor(&environment)).await?;
        let created = store.init_admin(&request.name).await;
        store.close().await;
        created.document::<CreatedClient>()
    })?;
    let platform = TenantId::parse(TenantId::PLATFORM).expect("the reserved tenant's id has the right shape");
    let mut lines = welcome(&platform, &created, &mut sink)?;
    let (before, file) = match &request.secret.secret_file {
        Some(file) => ("Manage", file.display().to_string()),
        None => ("Put it into a file, and manage", "FILE".to_owned()),
    };
    lines.push_str(&format!(
        "\n{before} a running server with it:\n\n  \
         latchkey tenant list --server URL --as-client {} --as-client-secret-file {file}\n",
        created.client.client_id
    ));
    print(&if request.json { json(&sink.document(&created)) } else { lines })
}
