//! `latchkey prove …`: evidence about a running platform, signed by it.

mod answer;
mod artefact;
mod browser;
mod dpop;
mod isolation;
mod kinds;
mod making;
mod matrix;
mod platform;
mod report;
mod routes;
mod side;
mod signature;
mod throw_away;

use std::process::ExitCode;

use clap::Subcommand;

use crate::examples::example;
use crate::runner::Runner;
use isolation::IsolationArguments;
use signature::ReportArguments;

/// What can be proven.
#[derive(Subcommand)]
pub(crate) enum ProveCommand {
    /// Try at a running server whether anything of one tenant is worth something at another one: every
    /// credential at every route, in both directions, with two tenants that are made for it and deleted
    /// afterwards. Writes a report that the server signs. Exit 0, or 1 for a finding or an error.
    #[command(after_help = example!("prove isolation --server https://id.example.com --out isolation-report"))]
    Isolation(IsolationArguments),
    /// Verify the signature of a report with the platform's key set, without a server. Exit 0, or 1 where
    /// the report or its signature was changed.
    #[command(after_help = example!("prove verify isolation-report --jwks platform.jwks.json"))]
    Verify(ReportArguments),
}

/// Runs the command.
pub(crate) fn run(runner: Runner<'_>, command: ProveCommand) -> anyhow::Result<ExitCode> {
    match command {
        ProveCommand::Isolation(arguments) => isolation::run(runner, &arguments),
        ProveCommand::Verify(arguments) => signature::run(runner, &arguments),
    }
}
