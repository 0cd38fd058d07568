//! The arguments that choose a server and the credentials for it.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use settings::Environment;
use tenancy::TenantId;
use url::Url;

/// A group of commands with the arguments of their admin client.
#[derive(Args)]
pub(crate) struct AdminCommandArguments<C: Subcommand> {
    #[command(flatten)]
    pub(crate) admin: AdminArguments,
    #[command(subcommand)]
    pub(crate) command: C,
}

/// Without `--server` the store of the settings is used.
#[derive(Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct AdminArguments {
    /// Print the JSON documents of the API.
    #[arg(long, global = true, help_heading = None::<&'static str>)]
    pub(crate) json: bool,
    /// Send requests to a running server instead of opening the store [variable: LATCHKEY_SERVER]. The access
    /// token comes from LATCHKEY_TOKEN or from the options below.
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) server: Option<Url>,
    /// Read the access token from this file.
    #[arg(long, global = true, value_name = "FILE", conflicts_with_all = ["as_client", "as_client_secret_file"])]
    pub(crate) token_file: Option<PathBuf>,
    /// Fetch the access token as this client [variable: LATCHKEY_CLIENT_ID].
    #[arg(long, global = true, value_name = "CLIENT")]
    pub(crate) as_client: Option<String>,
    /// Read the secret of that client from this file [variable: LATCHKEY_CLIENT_SECRET_FILE].
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) as_client_secret_file: Option<PathBuf>,
    /// Tenant of that client.
    #[arg(long, global = true, value_name = "TENANT", default_value = TenantId::PLATFORM)]
    pub(crate) as_tenant: TenantId,
    /// Also trust the certificates in this PEM file.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Skip certificate checks, and send the token unencrypted if the URL is http. For testing only.
    #[arg(long, global = true)]
    pub(crate) insecure: bool,
}

impl AdminArguments {
    /// The server from the option, or else from the environment variable.
    pub(crate) fn server(&self, environment: &Environment) -> anyhow::Result<Option<Url>> {
        let of_variable = || {
            let url = variable(environment, "LATCHKEY_SERVER")?;
            Some(url.parse().with_context(|| format!("LATCHKEY_SERVER: `{url}` is not a URL")))
        };
        match &self.server {
            Some(server) => Ok(Some(server.clone())),
            None => of_variable().transpose(),
        }
    }
}

/// The text of an environment variable. An empty variable counts as unset.
pub(super) fn variable<'a>(environment: &'a Environment, name: &str) -> Option<&'a str> {
    environment.text(name).map(str::trim).filter(|text| !text.is_empty())
}
