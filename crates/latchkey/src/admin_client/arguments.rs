//! The arguments that choose a server and the credentials for it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use tenancy::TenantId;

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
    /// Print the API's JSON documents instead of tables.
    #[arg(long, global = true, help_heading = None::<&'static str>)]
    pub(crate) json: bool,
    /// Ask a running server instead of opening the store. The token comes from LATCHKEY_TOKEN, or as below.
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) server: Option<url::Url>,
    /// Read the token from this file.
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "as_client")]
    pub(crate) token_file: Option<PathBuf>,
    /// Fetch a token as this client.
    #[arg(long, global = true, value_name = "CLIENT")]
    pub(crate) as_client: Option<String>,
    /// Read that client's secret from this file.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) as_client_secret_file: Option<PathBuf>,
    /// Whose client it is.
    #[arg(long, global = true, value_name = "TENANT", default_value = TenantId::PLATFORM)]
    pub(crate) as_tenant: TenantId,
    /// Trust the certificates in this PEM file, too.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Check no certificate, and send the token in clear where the URL says http. For tries only.
    #[arg(long, global = true)]
    pub(crate) insecure: bool,
}
