//! All commands: their arguments, and the module that runs each.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;

use crate::account;
use crate::admin::{self, AdminCommand};
use crate::admin_client::AdminCommandArguments;
use crate::advise::{self, AdviseArguments};
use crate::api_key;
use crate::arguments::PlanOutput;
use crate::audit::{self, AuditCommand};
use crate::backup::{self, BackupArguments};
use crate::client;
use crate::console::{self, ConsoleArguments};
use crate::dev::{self, DevArguments};
use crate::examples::example;
use crate::explain::{self, ExplainArguments};
use crate::import::{self, ImportCommand};
use crate::inspect::{self, InspectArguments};
use crate::key::{self, KeyCommand};
use crate::mail::{self, MailCommand};
use crate::process::print;
use crate::profiles::commands::call::{self, CallArguments};
use crate::profiles::commands::list::{self, ProfilesArguments, UseArguments};
use crate::profiles::commands::login::{self, LoginArguments};
use crate::profiles::commands::logout::{self, LogoutArguments};
use crate::profiles::commands::token::{self, TokenArguments};
use crate::profiles::commands::whoami::{self, WhoamiArguments};
use crate::prove::{self, ProveCommand};
use crate::refusals::{self, RefusalsArguments};
use crate::report::report;
use crate::restore::{self, RestoreArguments};
use crate::runner::Runner;
use crate::secret;
use crate::store::{self, StoreCommand};
use crate::tenant::{self, TenantCommand};
use crate::upgrade::{self, UpgradeCommand};
use crate::usage::{self, UsageArguments};
use crate::{apply, check, completion, dev_cert, doctor, health, init, man, migrate, plan, rollback, serve};
use server::apply::ApplyOptions;

/// docs/command-line.md explains them in detail.
const EXIT_CODES: &str = "Exit codes: 0 success, 1 error, 2 changes pending (plan, drift, import --dry-run, key reseal --dry-run, upgrade check), 3 not \
     found, 4 conflict, 5 not allowed, 6 not available, 7 refused (inspect, explain).";

/// Multi-tenant identity platform for services and people.
#[derive(Parser)]
#[command(name = "latchkey", version, about, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Arguments {
    /// Settings file. Paths in the settings are relative to this file.
    #[arg(long, global = true, default_value = "config.yaml", value_name = "FILE")]
    config: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Runs the command that the arguments of this process name. `--help` explains the exit codes.
pub fn run() -> ExitCode {
    let Arguments { config, command } = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            // Not clap's exit code 2, because `plan` uses 2 to report changes. Help and version are not
            // errors.
            return if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    let command = command.unwrap_or(Command::Serve { addresses: Vec::new(), require_store: false });
    command.run(&config).unwrap_or_else(|error| report(&error))
}

/// All commands.
#[derive(Subcommand)]
enum Command {
    /// Start the server for all tenants (the default).
    #[command(after_help = example!("serve --config /etc/latchkey/config.yaml"))]
    Serve {
        /// Listen on this address instead of the addresses in the settings. Pass one address for each
        /// listener, in the same order (repeatable or comma-separated) [variable: LATCHKEY_LISTEN].
        #[arg(long = "listen", value_name = "ADDRESS", value_delimiter = ',')]
        addresses: Vec<SocketAddr>,
        /// Refuse to start with an empty store. Use this option after the first installation.
        #[arg(long)]
        require_store: bool,
    },
    /// Start a throw-away development server on this machine.
    ///
    /// The server has a temporary store with a tenant, a service, an application and a person. The command
    /// prints commands to try, and applies changes of the printed settings.
    #[command(after_help = example!("dev --listen 127.0.0.1:4000"))]
    Dev(DevArguments),
    /// Write a first settings file with one tenant, and the secret of its client.
    ///
    /// Existing files are never overwritten.
    #[command(after_help = example!("init"))]
    Init,
    /// Check whether a server on this machine is ready.
    ///
    /// Exits with 0 if the server is ready, and otherwise with 1.
    #[command(after_help = example!("health --address 127.0.0.1:3000"))]
    Health {
        /// Address of the server.
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
        address: SocketAddr,
    },
    /// Validate the settings, and warn about settings without effect.
    ///
    /// Exits with 0 if the settings are valid, and otherwise with 1.
    #[command(after_help = example!("check --config config.yaml"))]
    Check {
        /// Also open the store for reading, and list the rows that exceed a limit.
        #[arg(long)]
        rows: bool,
        /// Also exit with 1 if there are warnings.
        #[arg(long)]
        strict: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Check this machine: settings, store, keys, Redis, clock, certificates, listeners, issuers and files
    /// (read-only).
    ///
    /// Exits with 0, or with 1 if a check reports an error.
    #[command(after_help = example!("doctor --json"))]
    Doctor {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Explain why a token is valid or not, check by check.
    ///
    /// Exits with 0 if all checks pass, with 7 if a check fails or the signature was not checked, and with
    /// 1 after an error.
    #[command(
        mut_arg("json", |json| json.help("Print JSON")),
        mut_arg("token_file", |file| file.help("Read the access token for the server from this file")),
    )]
    #[command(after_help = example!("inspect token.json --tenant globex --audience orders-api"))]
    Inspect(InspectArguments),
    /// Preview what applying the settings would change (read-only).
    ///
    /// Exits with 0 if there are no changes, with 2 if there are changes, and with 1 after an error or if a
    /// tenant would be left out.
    #[command(after_help = example!("plan --json"))]
    Plan(PlanOutput),
    /// Compare the store with the settings, including rows that applying leaves alone (read-only).
    ///
    /// Exits with 0 if there are no differences, with 2 if there are differences, and with 1 after an error
    /// or if a tenant would be left out.
    #[command(after_help = example!("drift"))]
    Drift(PlanOutput),
    /// Apply the settings to the store.
    ///
    /// Exits with 0, or with 1 after an error or if a tenant was left out.
    #[command(after_help = example!("apply --prune"))]
    Apply {
        /// Retire undeclared rows even if there are more than `reconcile.max_retired` allows.
        #[arg(long)]
        prune: bool,
        /// Immediately revoke replaced secrets that `previous_for` would keep.
        #[arg(long)]
        now: bool,
        #[command(flatten)]
        output: PlanOutput,
    },
    /// Apply the settings of an earlier generation again.
    ///
    /// Shows the changes and asks for confirmation first.
    #[command(after_help = example!("rollback 12"))]
    Rollback {
        /// Generation to roll back to.
        #[arg(required_unless_present = "list")]
        generation: Option<u64>,
        /// List the generations that you can roll back to.
        #[arg(long, conflicts_with = "generation")]
        list: bool,
        /// Print all lines.
        #[arg(long)]
        full: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
        /// Do not ask for confirmation.
        #[arg(long)]
        yes: bool,
    },
    /// Manage tenants.
    Tenant(AdminCommandArguments<TenantCommand>),
    /// Manage clients.
    Client(AdminCommandArguments<client::Command>),
    /// Manage the accounts and sessions of people.
    Account(AdminCommandArguments<account::Command>),
    /// Import a tenant from another identity platform.
    Import(AdminCommandArguments<ImportCommand>),
    /// Manage client secrets.
    Secret(AdminCommandArguments<secret::Command>),
    /// Manage the API keys that clients issue to their customers.
    ApiKey(AdminCommandArguments<api_key::Command>),
    /// Explain how the token endpoint would respond to a client's request, check by check.
    ///
    /// The command issues no token and changes nothing. It exits with 0 if the client would get a token,
    /// with 7 if the request would be refused, and with 1 after an error.
    #[command(after_help = example!("explain globex billing --scope orders:read --secret-file billing.secret"))]
    Explain(Box<ExplainArguments>),
    /// Manage signing keys and the sealing key.
    Key(AdminCommandArguments<KeyCommand>),
    /// Test the mail servers of the settings.
    #[command(subcommand)]
    Mail(MailCommand),
    /// Show who changed what.
    Audit(AdminCommandArguments<AuditCommand>),
    /// Count issued, refused, introspected and revoked tokens by hour or day.
    #[command(after_help = example!("usage globex billing --since 30d"))]
    Usage(UsageArguments),
    /// Show the latest refused requests of a tenant, with the reasons.
    #[command(after_help = example!("refusals globex --client billing --follow"))]
    Refusals(Box<RefusalsArguments>),
    /// Print a one-time sign-in link for the console.
    ///
    /// The link signs you in with the permissions of this command. It is only printed to a terminal.
    #[command(after_help = example!("console globex"))]
    Console(ConsoleArguments),
    /// Suggest improvements for a tenant (read-only).
    #[command(after_help = example!("advise globex --patch globex-patches.json"))]
    Advise(AdviseArguments),
    /// Test a running server and write a report that the server signs.
    Prove(AdminCommandArguments<ProveCommand>),
    /// Log in as a client, and save its credential as a profile.
    ///
    /// The command fetches a token to test the credential. No option takes the secret itself.
    #[command(after_help = example!("login --server https://id.example.com --tenant globex --client-id billing --client-secret-file billing.secret"))]
    Login(Box<LoginArguments>),
    /// Remove a profile with its secret and tokens.
    #[command(after_help = example!("logout --profile default"))]
    Logout(LogoutArguments),
    /// Print an access token of a profile.
    ///
    /// The token is shared with other commands until it is about to expire.
    #[command(after_help = example!("token --format header"))]
    Token(TokenArguments),
    /// Show a profile: server, client, where the secret is stored, and how long the token is valid.
    ///
    /// Exits with 5 if the token is not active.
    #[command(after_help = example!("whoami"))]
    Whoami(WhoamiArguments),
    /// Send a request with an access token of a profile, and print the response body.
    ///
    /// The exit code follows the HTTP status.
    #[command(after_help = example!("call -i https://orders.example.com/v1/orders"))]
    Call(Box<CallArguments>),
    /// List the profiles.
    #[command(after_help = example!("profiles"))]
    Profiles(ProfilesArguments),
    /// Select the current profile.
    #[command(after_help = example!("use production"))]
    Use(UseArguments),
    /// Create administrators.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Create a self-signed certificate for an https listener on this machine.
    ///
    /// Existing files are never overwritten.
    #[command(after_help = example!("dev-cert --name id.localhost"))]
    DevCert {
        /// Path of the new certificate.
        #[arg(long, value_name = "FILE", default_value = "data/dev-cert.pem")]
        certificate: PathBuf,
        /// Path of the new private key.
        #[arg(long, value_name = "FILE", default_value = "data/dev-key.pem")]
        key: PathBuf,
        /// Additional name or address; localhost, 127.0.0.1 and ::1 are always included (repeatable or
        /// comma-separated).
        #[arg(long = "name", value_name = "NAME", value_delimiter = ',')]
        names: Vec<String>,
    },
    /// Print the completion script for a shell.
    #[command(after_help = example!("completion bash > /etc/bash_completion.d/latchkey"))]
    Completion {
        /// Shell to complete commands in.
        shell: Shell,
    },
    /// Write the manual pages.
    #[command(after_help = example!("man man1"))]
    Man {
        /// Folder for the pages, for example /usr/local/share/man/man1.
        folder: PathBuf,
    },
    /// Migrate the store to the schema of this version.
    #[command(after_help = example!("migrate"))]
    Migrate {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Preview what starting this version would change in the store.
    #[command(subcommand)]
    Upgrade(UpgradeCommand),
    /// Back up the store to a file while servers use the store.
    ///
    /// The backup does not contain the sealing key.
    #[command(after_help = example!("backup latchkey.backup"))]
    Backup(BackupArguments),
    /// Restore a backup into an empty store, or verify a backup without a store.
    ///
    /// Tokens and sessions from before the restore are no longer valid.
    #[command(after_help = example!("restore latchkey.backup --verify"))]
    Restore(RestoreArguments),
    /// Copy the store into another store.
    #[command(subcommand)]
    Store(StoreCommand),
    /// Print the JSON Schema of the settings, for editors.
    #[command(after_help = example!("schema > config.schema.json"))]
    Schema,
    /// Print the OpenAPI document.
    #[command(after_help = example!("openapi > openapi.json"))]
    Openapi,
}

impl Command {
    fn run(self, config: &Path) -> anyhow::Result<ExitCode> {
        match self {
            Self::Serve { addresses, require_store } => serve::run(config, &addresses, require_store),
            Self::Dev(arguments) => dev::run(config, &arguments),
            Self::Init => init::run(config),
            Self::Health { address } => health::run(address),
            Self::Check { rows, strict, json } => check::run(config, rows, strict, json),
            Self::Doctor { json } => doctor::run(config, json),
            Self::Inspect(arguments) => inspect::run(config, arguments),
            Self::Plan(output) => plan::run(config, &output, false),
            Self::Drift(output) => plan::run(config, &output, true),
            Self::Apply { prune, now, output } => {
                apply::run(config, ApplyOptions { prune, force: true, now }, &output)
            }
            Self::Rollback { generation: Some(number), full, json, yes, .. } => {
                rollback::run(config, number, json, full, yes)
            }
            Self::Rollback { json, .. } => rollback::list(config, json),
            Self::Tenant(arguments) => arguments.run(config, tenant::run),
            Self::Client(arguments) => arguments.run(config, client::run),
            Self::Account(arguments) => arguments.run(config, account::run),
            Self::Import(arguments) => arguments.run(config, import::run),
            Self::Secret(arguments) => arguments.run(config, secret::run),
            Self::ApiKey(arguments) => arguments.run(config, api_key::run),
            Self::Explain(arguments) => explain::run(config, &arguments),
            Self::Key(arguments) => arguments.run(config, key::run),
            Self::Mail(command) => mail::run(config, command),
            Self::Audit(arguments) => arguments.run(config, audit::run),
            Self::Usage(arguments) => usage::run(config, &arguments),
            Self::Refusals(arguments) => refusals::run(config, &arguments),
            Self::Advise(arguments) => advise::run(config, &arguments),
            Self::Prove(arguments) => arguments.run(config, prove::run),
            Self::Console(arguments) => console::run(config, &arguments),
            Self::Login(arguments) => login::run(&arguments),
            Self::Logout(arguments) => logout::run(&arguments),
            Self::Token(arguments) => token::run(&arguments),
            Self::Whoami(arguments) => whoami::run(&arguments),
            Self::Call(arguments) => call::run(&arguments),
            Self::Profiles(arguments) => list::run(&arguments),
            Self::Use(arguments) => list::switch(&arguments),
            Self::Admin(arguments) => admin::run(config, arguments),
            Self::DevCert { certificate, key, names } => dev_cert::run(&certificate, &key, &names),
            Self::Completion { shell } => completion::run(shell, Arguments::command()),
            Self::Man { folder } => man::run(&folder, Arguments::command()),
            Self::Migrate { json } => migrate::run(config, json),
            Self::Backup(arguments) => backup::run(config, &arguments),
            Self::Restore(arguments) => restore::run(config, &arguments),
            Self::Upgrade(command) => upgrade::run(config, &command),
            Self::Store(command) => store::run(config, command),
            Self::Schema => print(&gateway::settings_schema()),
            Self::Openapi => print(&gateway::openapi_document()),
        }
    }
}

impl<C: Subcommand> AdminCommandArguments<C> {
    fn run(
        self,
        config: &Path,
        command: fn(Runner<'_>, C) -> anyhow::Result<ExitCode>,
    ) -> anyhow::Result<ExitCode> {
        command(Runner { config, arguments: &self.admin }, self.command)
    }
}
