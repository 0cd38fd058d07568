//! The program: settings, composition, command line. Without a command it serves. It is a library, so that
//! it compiles beside the gateway: a program waits for the machine code of all that it links.

// The layout of a command's future over the whole platform is deeper than 128 in an optimised build.
#![recursion_limit = "256"]

mod admin_client;
mod api_key_usage;
mod apply;
mod audit_export;
mod background;
mod batch_writer;
mod busy_server;
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
mod last_store;
mod leaks;
mod left_out;
mod log_lines;
mod logging;
mod logout_delivery;
mod names;
mod periodic;
mod periodic_writer;
mod platform;
mod refusal_writer;
mod reload;
mod reseal;
mod rotation;
mod sealing;
mod secret_rotations;
mod secret_store_writer;
mod secret_usage;
mod service_manager;
#[cfg(test)]
mod simulation;
mod terminal_lines;
mod tls;
mod usage_writer;
mod watch;

use process::clock;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use command::Command;

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

/// docs/command-line.md explains them in detail.
const EXIT_CODES: &str = "Exit codes: 0 done, 1 error, 2 something to do (plan, drift, import --dry-run, key reseal --dry-run, upgrade check), \
    3 not found, 4 conflict, 5 not allowed, 6 not available, 7 refused (inspect, explain).";

/// Runs the command of this process. Its exit code is in [`EXIT_CODES`].
pub fn run() -> ExitCode {
    let Arguments { config, command } = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            // The exit code differs from clap's 2, with which `plan` reports that there are changes. Help and
            // version are no errors.
            return if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    let command = command.unwrap_or(Command::Serve { addresses: Vec::new(), require_store: false });
    command.run(&config).unwrap_or_else(|error| command::report(&error))
}
