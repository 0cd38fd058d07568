//! The program: settings, composition, command line. Without a command it serves.

mod apply;
mod clock;
mod command;
mod database;
mod declare;
mod drain;
mod json_lines;
mod logging;
mod platform;
mod reload;
mod sealing;
mod settings;
mod start_error;
mod vitals;
mod watch;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Multi-tenant identity platform for machines.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// The settings; paths in them are relative to this file.
    #[arg(long, global = true, default_value = "config.yaml", value_name = "FILE")]
    config: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve all tenants (the default).
    Serve,
    /// Ask a server on this machine whether it is ready. Exit 0 if it is, else 1.
    Health {
        /// Where it listens.
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
        address: SocketAddr,
    },
    /// Read the settings and say what is wrong with them, or accepted but not served. Exit 0, or 1 for a mistake.
    Check,
    /// Show what applying the settings would change, and write nothing. Exit 0 for nothing, 2 for something, 1 for an error.
    Plan,
    /// Apply the settings to the store.
    Apply {
        /// Also retire more of what is no longer declared than `reconcile.max_retired` allows.
        #[arg(long)]
        prune: bool,
    },
    /// Bring the store's schema up to date, and nothing else.
    Migrate,
    /// Print the JSON Schema of the settings, for editors.
    Schema,
    /// Print the OpenAPI document.
    Openapi,
    /// Manage keys.
    #[command(subcommand)]
    Key(KeyCommand),
}

#[derive(Subcommand)]
enum KeyCommand {
    /// Make a sealing key and print it, or write it to a new file that only its owner may read.
    NewSealingKey {
        /// Where to write it; must not exist.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let Arguments { config, command } = Arguments::parse();
    let outcome = match command.unwrap_or(Command::Serve) {
        Command::Serve => command::serve(&config),
        Command::Health { address } => command::health(address),
        Command::Check => command::check(&config),
        Command::Plan => command::plan(&config),
        Command::Apply { prune } => command::apply(&config, prune),
        Command::Migrate => command::migrate(&config),
        Command::Schema => command::print(&settings::schema()),
        Command::Openapi => command::print(&gateway::openapi_document()),
        Command::Key(KeyCommand::NewSealingKey { file }) => command::new_sealing_key(file.as_deref()),
    };
    outcome.unwrap_or_else(|error| command::report(&error))
}
