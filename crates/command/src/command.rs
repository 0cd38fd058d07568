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
const EXIT_CODES: &str = "Exit codes: 0 done, 1 error, 2 something to do (plan, drift, import --dry-run, key reseal --dry-run, upgrade check), \
    3 not found, 4 conflict, 5 not allowed, 6 not available, 7 refused (inspect, explain).";

/// Multi-tenant identity platform for services and people.
#[derive(Parser)]
#[command(name = "latchkey", version, about, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Arguments {
    /// The settings; paths in them are relative to this file.
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
    /// Serve all tenants (the default).
    #[command(after_help = example!("serve --config /etc/latchkey/config.yaml"))]
    Serve {
        /// Listen here instead of at the addresses of the file: one for each listener, in their order;
        /// repeated, or with commas [variable: LATCHKEY_LISTEN].
        #[arg(long = "listen", value_name = "ADDRESS", value_delimiter = ',')]
        addresses: Vec<SocketAddr>,
        /// Refuse to begin on an empty store: for an installation that was set up before.
        #[arg(long)]
        require_store: bool,
    },
    /// Serve for development, on this machine alone: a new store that ends with the program, a tenant
    /// with a service, an application and a person, and what to paste to use them. A change of the
    /// printed settings is applied.
    #[command(after_help = example!("dev --listen 127.0.0.1:4000"))]
    Dev(DevArguments),
    /// Write settings for a first start, with one tenant, and a secret for its client. Nothing is written
    /// over.
    #[command(after_help = example!("init"))]
    Init,
    /// Ask a server on this machine whether it is ready. Exit 0 if it is, else 1.
    #[command(after_help = example!("health --address 127.0.0.1:3000"))]
    Health {
        /// Where it listens.
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
        address: SocketAddr,
    },
    /// Read the settings, and report what a start would refuse and what has no effect. Exit 0, or 1 for a
    /// mistake.
    #[command(after_help = example!("check --config config.yaml"))]
    Check {
        /// Open the store for reading, and list its rows that are beyond a limit, too.
        #[arg(long)]
        rows: bool,
        /// Exit 1 for a warning, too.
        #[arg(long)]
        strict: bool,
        /// Print a JSON document instead.
        #[arg(long)]
        json: bool,
    },
    /// Examine the machine that the server runs on: settings, store, keys, Redis, clock, certificates,
    /// listeners, issuers, files. Creates and changes nothing. Exit 0, or 1 for an error.
    #[command(after_help = example!("doctor --json"))]
    Doctor {
        /// Print a JSON document instead.
        #[arg(long)]
        json: bool,
    },
    /// Explain a token check by check, with the checks of a request. Exit 0 if it passes, 7 if it fails one
    /// or its signature is not checked, 1 for an error.
    #[command(
        mut_arg("json", |json| json.help("Print a JSON document instead")),
        mut_arg("token_file", |file| file.help("Read the token for the server from this file")),
    )]
    #[command(after_help = example!("inspect token.json --tenant globex --audience orders-api"))]
    Inspect(InspectArguments),
    /// Show what applying the settings would change, and write nothing. Exit 0 for nothing, 2 for something,
    /// 1 for an error or a tenant that would be left out.
    #[command(after_help = example!("plan --json"))]
    Plan(PlanOutput),
    /// Show how the store differs from the settings, also in what applying leaves alone. Exit 0 for not at
    /// all, 2 else, 1 for an error or a tenant that would be left out.
    #[command(after_help = example!("drift"))]
    Drift(PlanOutput),
    /// Apply the settings to the store. Exit 0, or 1 for an error or a tenant that was left out.
    #[command(after_help = example!("apply --prune"))]
    Apply {
        /// Also retire more of what is no longer declared than `reconcile.max_retired` allows.
        #[arg(long)]
        prune: bool,
        /// End at once what `previous_for` keeps of the values of secrets that were replaced.
        #[arg(long)]
        now: bool,
        #[command(flatten)]
        output: PlanOutput,
    },
    /// Apply again what an earlier generation was read from, after showing what changes and asking.
    #[command(after_help = example!("rollback 12"))]
    Rollback {
        /// Which generation.
        #[arg(required_unless_present = "list")]
        generation: Option<u64>,
        /// Show the generations that can be rolled back to.
        #[arg(long, conflicts_with = "generation")]
        list: bool,
        /// Print every line, however many.
        #[arg(long)]
        full: bool,
        /// Print a JSON document instead.
        #[arg(long)]
        json: bool,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Manage tenants.
    Tenant(AdminCommandArguments<TenantCommand>),
    /// Manage clients.
    Client(AdminCommandArguments<client::Command>),
    /// Manage accounts of people, and end their sessions.
    Account(AdminCommandArguments<account::Command>),
    /// Make a tenant of what another identity platform has exported.
    Import(AdminCommandArguments<ImportCommand>),
    /// Manage the secrets of clients.
    Secret(AdminCommandArguments<secret::Command>),
    /// Manage the API keys of clients, which their customers hold.
    ApiKey(AdminCommandArguments<api_key::Command>),
    /// Explain what the token endpoint would answer to a request of a client, check by check, and how to fix
    /// a refusal. Issues no token and changes nothing. Exit 0 for a token, 7 for a refusal, 1 for an error.
    #[command(after_help = example!("explain globex billing --scope orders:read --secret-file billing.secret"))]
    Explain(Box<ExplainArguments>),
    /// Manage signing keys, and the key that seals them.
    Key(AdminCommandArguments<KeyCommand>),
    /// See who changed what.
    Audit(AdminCommandArguments<AuditCommand>),
    /// See how often tokens were issued, refused, asked about and revoked, by hour or day.
    #[command(after_help = example!("usage globex billing --since 30d"))]
    Usage(UsageArguments),
    /// See the last refused requests of a tenant, and why they were refused.
    #[command(after_help = example!("refusals globex --client billing --follow"))]
    Refusals(Box<RefusalsArguments>),
    /// Print a link that opens the console in a browser, for who this command line acts
    /// for. To a terminal only.
    #[command(after_help = example!("console globex"))]
    Console(ConsoleArguments),
    /// See what the administrators of a tenant could do better, with the facts that say so. Changes nothing.
    #[command(after_help = example!("advise globex --patch globex-patches.json"))]
    Advise(AdviseArguments),
    /// Prove something about a running server, in a report that it signs.
    Prove(AdminCommandArguments<ProveCommand>),
    /// Store a client's credential as a profile, after fetching a token with it. No option takes the secret
    /// itself.
    #[command(after_help = example!("login --server https://id.example.com --tenant globex --client-id billing --client-secret-file billing.secret"))]
    Login(Box<LoginArguments>),
    /// Remove a profile with its secret and its tokens, and revoke them if you want that.
    #[command(after_help = example!("logout --profile default"))]
    Logout(LogoutArguments),
    /// Print a token of a profile: the one that commands share, or one that is fetched.
    #[command(after_help = example!("token --format header"))]
    Token(TokenArguments),
    /// Show a profile: server, client, where the secret is kept, and how long the token is still valid. Exit
    /// 5 for a token that is not active.
    #[command(after_help = example!("whoami"))]
    Whoami(WhoamiArguments),
    /// Send a request with a token of a profile, and print the body of the answer. The exit code follows the
    /// status.
    #[command(after_help = example!("call -i https://orders.example.com/v1/orders"))]
    Call(Box<CallArguments>),
    /// List the profiles.
    #[command(after_help = example!("profiles"))]
    Profiles(ProfilesArguments),
    /// Make a profile the current one.
    #[command(after_help = example!("use production"))]
    Use(UseArguments),
    /// Make the first administrator.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Make a self-signed certificate for an https listener of this machine. Nothing is written over.
    #[command(after_help = example!("dev-cert --name id.localhost"))]
    DevCert {
        /// Where the certificate goes.
        #[arg(long, value_name = "FILE", default_value = "data/dev-cert.pem")]
        certificate: PathBuf,
        /// Where its private key goes.
        #[arg(long, value_name = "FILE", default_value = "data/dev-key.pem")]
        key: PathBuf,
        /// A name or address beside localhost, 127.0.0.1 and ::1; repeated, or with commas.
        #[arg(long = "name", value_name = "NAME", value_delimiter = ',')]
        names: Vec<String>,
    },
    /// Print what a shell needs to complete commands.
    #[command(after_help = example!("completion bash > /etc/bash_completion.d/latchkey"))]
    Completion {
        /// For which shell.
        shell: Shell,
    },
    /// Write the manual pages.
    #[command(after_help = example!("man man1"))]
    Man {
        /// Into this folder, such as /usr/local/share/man/man1.
        folder: PathBuf,
    },
    /// Bring the store's schema up to date, and nothing else.
    #[command(after_help = example!("migrate"))]
    Migrate {
        /// Print a JSON document instead.
        #[arg(long)]
        json: bool,
    },
    /// See what a start of this program would change in the store
    Upgrade {
        /// What to do.
        #[command(subcommand)]
        command: UpgradeCommand,
    },
    /// Write a consistent copy of the store to a file, while it is served. What seals its keys is not in it.
    #[command(after_help = example!("backup latchkey.backup"))]
    Backup(BackupArguments),
    /// Write a backup into an empty store, in which no token and no session from before is valid, or verify
    /// it without a store.
    #[command(after_help = example!("restore latchkey.backup --verify"))]
    Restore(RestoreArguments),
    /// Copy the store into another one
    Store {
        /// What to do.
        #[command(subcommand)]
        command: StoreCommand,
    },
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
            Self::Upgrade { command } => upgrade::run(config, &command),
            Self::Store { command } => store::run(config, command),
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
