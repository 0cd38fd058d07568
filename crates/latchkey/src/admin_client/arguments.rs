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
pub(crate) struct AdminArguments {
    /// Print the API's JSON documents instead of tables.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Ask a running server instead of opening the store. The token comes from LATCHKEY_TOKEN, or as below.
    #[arg(long, global = true, value_name = "URL", help_heading = "Server")]
    pub(crate) server: Option<url::Url>,
    /// Read the token from this file.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Server", conflicts_with = "client_id")]
    pub(crate) token_file: Option<PathBuf>,
    /// Fetch a token as this client.
    #[arg(
        long = "as-client",
        id = "client_id",
        global = true,
        value_name = "CLIENT",
        help_heading = "Server"
    )]
    pub(crate) client_id: Option<String>,
    /// Read that client's secret from this file.
    #[arg(
        long = "as-client-secret-file",
        id = "client_secret_file",
        global = true,
        value_name = "FILE",
        help_heading = "Server"
    )]
    pub(crate) client_secret_file: Option<PathBuf>,
    /// Whose client it is.
    #[arg(
        long = "as-tenant",
        global = true,
        value_name = "TENANT",
        default_value = TenantId::PLATFORM,
        help_heading = "Server"
    )]
    pub(crate) client_tenant: TenantId,
    /// Trust the certificates in this PEM file, too.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Server")]
    pub(crate) ca: Option<PathBuf>,
    /// Check no certificate, and send the token in clear where the URL says http. For tries only.
    #[arg(long, global = true, help_heading = "Server")]
    pub(crate) insecure: bool,
}
