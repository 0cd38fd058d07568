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
    /// Test whether credentials of one tenant work at another tenant.
    ///
    /// The command creates two tenants on a running server, tries every credential of one at every route of
    /// the other, in both directions, and deletes the tenants afterwards. It writes a report that the
    /// server signs. It exits with 0, or with 1 for a finding or an error.
    #[command(after_help = example!("prove isolation --server https://id.example.com --out isolation-report"))]
    Isolation(IsolationArguments),
    /// Verify the signature of a report with the key set of the platform, without a server.
    ///
    /// Exits with 0, or with 1 if the report or its signature was changed.
    #[command(after_help = example!("prove verify isolation-report --jwks platform.jwks.json"))]
    Verify(ReportArguments),
}

pub(crate) fn run(runner: Runner<'_>, command: ProveCommand) -> anyhow::Result<ExitCode> {
    match command {
        ProveCommand::Isolation(arguments) => isolation::run(runner, &arguments),
        ProveCommand::Verify(arguments) => signature::run(runner, &arguments),
    }
}
