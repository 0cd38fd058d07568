//! The program: settings, composition, command line. Without a command it serves.

mod admin_client;
mod apply;
mod batch_writer;
mod clock;
mod command;
mod conflict_messages;
mod database;
mod drain;
mod fetch_log;
mod file_access;
mod health;
mod housekeeping;
mod json_lines;
mod jwks_fetcher;
mod left_out;
mod log_lines;
mod logging;
mod logout_delivery;
mod names;
mod platform;
mod profiles;
mod reload;
mod reseal;
mod rotation;
mod sealing;
mod secret_usage;
mod service_manager;
mod terminal_input;
mod terminal_lines;
mod tls;
mod trust;
mod watch;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use admin_client::AdminCommandArguments;
use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use command::account::AccountCommand;
use command::admin::AdminCommand;
use command::audit::AuditCommand;
use command::call::CallArguments;
use command::client::ClientCommand;
use command::examples::example;
use command::explain::ExplainArguments;
use command::inspect::InspectArguments;
use command::key::KeyCommand;
use command::login::LoginArguments;
use command::logout::LogoutArguments;
use command::profiles::{ProfilesArguments, UseArguments};
use command::runner::Runner;
use command::secret::SecretCommand;
use command::tenant::TenantCommand;
use command::token::TokenArguments;
use command::whoami::WhoamiArguments;

/// Multi-tenant identity platform for services and people.
#[derive(Parser)]
#[command(version, about, after_help = EXIT_CODES, max_term_width = 100)]
struct Arguments {
    /// The settings; paths in them are relative to this file.
    #[arg(long, global = true, default_value = "config.yaml", value_name = "FILE")]
    config: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

/// docs/command-line.md says the same at length.
const EXIT_CODES: &str = "Exit codes: 0 done, 1 error, 2 something to do (plan, drift, key reseal --dry-run), \
    3 not found, 4 conflict, 5 not allowed, 6 not available, 7 refused (inspect, explain).";

#[derive(Subcommand)]
enum Command {
    /// Serve all tenants (the default).
    #[command(after_help = example!("serve --config /etc/latchkey/config.yaml"))]
    Serve {
        /// Listen here instead of at the addresses of the file: one for each listener, in their order; repeated, or with commas [variable:
        /// LATCHKEY_LISTEN].
        #[arg(long = "listen", value_name = "ADDRESS", value_delimiter = ',')]
        addresses: Vec<SocketAddr>,
    },
    /// Write settings for a first start, with one tenant, and a secret for its client. Nothing is written over.
    #[command(after_help = example!("init"))]
    Init,
    /// Ask a server on this machine whether it is ready. Exit 0 if it is, else 1.
    #[command(after_help = example!("health --address 127.0.0.1:3000"))]
    Health {
        /// Where it listens.
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
        address: SocketAddr,
    },
    /// Read the settings, and report what a start would refuse and what has no effect. Exit 0, or 1 for a mistake.
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
    /// Examine the machine that the server runs on: settings, store, keys, Redis, clock, certificates, listeners, issuers, files. Creates
    /// and changes nothing. Exit 0, or 1 for an error.
    #[command(after_help = example!("doctor --json"))]
    Doctor {
        /// Print a JSON document instead.
        #[arg(long)]
        json: bool,
    },
    /// Explain a token check by check, with the checks of a request. Exit 0 if it passes, 7 if it fails one or its signature is not checked, 1
    /// for an error.
    #[command(
        mut_arg("json", |json| json.help("Print a JSON document instead")),
        mut_arg("token_file", |file| file.help("Read the token for the server from this file")),
    )]
    #[command(after_help = example!("inspect token.json --tenant globex --audience orders-api"))]
    Inspect(InspectArguments),
    /// Show what applying the settings would change, and write nothing. Exit 0 for nothing, 2 for something, 1 for an error or a
    /// tenant that would be left out.
    #[command(after_help = example!("plan --json"))]
    Plan {
        /// Print a JSON document instead.
        #[arg(long)]
        json: bool,
        /// Print every line, however many.
        #[arg(long)]
        full: bool,
    },
    /// Show how the store differs from the settings, also in what applying leaves alone. Exit 0 for not at all, 2 else, 1 for an
    /// error or a tenant that would be left out.
    #[command(after_help = example!("drift"))]
    Drift {
        /// Print a JSON document instead.
        #[arg(long)]
        json: bool,
        /// Print every line, however many.
        #[arg(long)]
        full: bool,
    },
    /// Apply the settings to the store. Exit 0, or 1 for an error or a tenant that was left out.
    #[command(after_help = example!("apply --prune"))]
    Apply {
        /// Also retire more of what is no longer declared than `reconcile.max_retired` allows.
        #[arg(long)]
        prune: bool,
        /// Print a JSON document instead.
        #[arg(long)]
        json: bool,
        /// Print every line, however many.
        #[arg(long)]
        full: bool,
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
    Client(AdminCommandArguments<ClientCommand>),
    /// Manage accounts of people, and end their sessions.
    Account(AdminCommandArguments<AccountCommand>),
    /// Manage the secrets of clients.
    Secret(AdminCommandArguments<SecretCommand>),
    /// Explain what the token endpoint would answer to a request of a client, check by check, and how to fix a refusal. Issues no token and
    /// changes nothing. Exit 0 for a token, 7 for a refusal, 1 for an error.
    #[command(after_help = example!("explain globex billing --scope orders:read --secret-file billing.secret"))]
    Explain(Box<ExplainArguments>),
    /// Manage signing keys, and the key that seals them.
    Key(AdminCommandArguments<KeyCommand>),
    /// See who changed what.
    Audit(AdminCommandArguments<AuditCommand>),
    /// Store a client's credential as a profile, after fetching a token with it. No option takes the secret itself.
    #[command(after_help = example!("login --server https://id.example.com --tenant globex --client-id billing --client-secret-file billing.secret"))]
    Login(Box<LoginArguments>),
    /// Remove a profile with its secret and its tokens, and revoke them if you want that.
    #[command(after_help = example!("logout --profile default"))]
    Logout(LogoutArguments),
    /// Print a token of a profile: the one that commands share, or one that is fetched.
    #[command(after_help = example!("token --format header"))]
    Token(TokenArguments),
    /// Show a profile: server, client, where the secret is kept, and how long the token is still valid. Exit 5 for a token that is not active.
    #[command(after_help = example!("whoami"))]
    Whoami(WhoamiArguments),
    /// Send a request with a token of a profile, and print the body of the answer. The exit code follows the status.
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
    /// Print the JSON Schema of the settings, for editors.
    #[command(after_help = example!("schema > config.schema.json"))]
    Schema,
    /// Print the OpenAPI document.
    #[command(after_help = example!("openapi > openapi.json"))]
    Openapi,
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

fn main() -> ExitCode {
    let Arguments { config, command } = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            // Not clap's 2, which is how `plan` says that there is something to do. Help and version are no errors.
            return if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    let outcome = match command.unwrap_or(Command::Serve { addresses: Vec::new() }) {
        Command::Serve { addresses } => command::serve::run(&config, &addresses),
        Command::Init => command::init::run(&config),
        Command::Health { address } => command::health::run(address),
        Command::Check { rows, strict, json } => command::check::run(&config, rows, strict, json),
        Command::Doctor { json } => command::doctor::run(&config, json),
        Command::Inspect(arguments) => command::inspect::run(&config, &arguments),
        Command::Plan { json, full } => command::plan::run(&config, json, full, false),
        Command::Drift { json, full } => command::plan::run(&config, json, full, true),
        Command::Apply { prune, json, full } => command::apply::run(&config, prune, json, full),
        Command::Rollback { generation: Some(number), full, json, yes, .. } => {
            command::rollback::run(&config, number, json, full, yes)
        }
        Command::Rollback { json, .. } => command::rollback::list(&config, json),
        Command::Tenant(arguments) => arguments.run(&config, command::tenant::run),
        Command::Client(arguments) => arguments.run(&config, command::client::run),
        Command::Account(arguments) => arguments.run(&config, command::account::run),
        Command::Secret(arguments) => arguments.run(&config, command::secret::run),
        Command::Explain(arguments) => command::explain::run(&config, &arguments),
        Command::Key(arguments) => arguments.run(&config, command::key::run),
        Command::Audit(arguments) => arguments.run(&config, command::audit::run),
        Command::Login(arguments) => command::login::run(&arguments),
        Command::Logout(arguments) => command::logout::run(&arguments),
        Command::Token(arguments) => command::token::run(&arguments),
        Command::Whoami(arguments) => command::whoami::run(&arguments),
        Command::Call(arguments) => command::call::run(&arguments),
        Command::Profiles(arguments) => command::profiles::list(&arguments),
        Command::Use(arguments) => command::profiles::switch(&arguments),
        Command::Admin(arguments) => command::admin::run(&config, arguments),
        Command::DevCert { certificate, key, names } => command::dev_cert::run(&certificate, &key, &names),
        Command::Completion { shell } => command::completion::run(shell, Arguments::command()),
        Command::Man { folder } => command::man::run(&folder, Arguments::command()),
        Command::Migrate { json } => command::migrate::run(&config, json),
        Command::Schema => command::print(&settings::schema()),
        Command::Openapi => command::print(&gateway::openapi_document()),
    };
    outcome.unwrap_or_else(|error| command::report(&error))
}
