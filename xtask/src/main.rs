//! Entry point of all developer and CI commands: `cargo xtask <command>`, one module per command.
#![expect(clippy::print_stdout, reason = "a command line speaks on standard output")]
#![expect(clippy::print_stderr, reason = "and says on standard error why it stopped")]

mod bench;
mod ci;
mod clients;
mod codegen;
mod cpu_time;
mod dist;
mod docs_run;
mod instructions;
mod newcomer;
mod program_size;
mod resident_memory;
mod servers;
mod soak;
mod test;
mod tidy;
mod tools;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use workspace::{Failure, Workspace};

/// Commands for contributors; `cargo xtask ci` is exactly what the CI machine runs.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Format, lints, documentation, tidy, documents, instructions and tests, in this order, until one fails
    Ci(ci::CiOptions),
    /// Project lint rules: crate edges, licences, file headers, documents that name tests
    Tidy,
    /// Writes the generated files that are committed (config.schema.json, docs/openapi.json), and the
    /// tables of tests in docs/
    Codegen {
        /// Write nothing; fail when a file differs from what would be generated
        #[arg(long)]
        check: bool,
    },
    /// Runs the shell blocks and configuration blocks of README and docs/, and lists those
    /// that need another machine
    DocsRun(docs_run::DocsRunOptions),
    /// Makes archive, Debian package, wheel, npm package, bill of materials and checksums of a
    /// release in target/packages
    Dist(dist::DistOptions),
    /// Installs missing servers and tools (as root), then runs every test
    Test {
        /// Arguments for the test runner, for example `-p keys` or a part of a test's name
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Takes the pictures of README from a running server, and writes them to docs/images
    Pictures,
    /// Shows the slowest tests of the last run, and the sum of all beside the committed one
    TestTimes(ci::test_times::TestTimesOptions),
    /// Counts the instructions of warm requests under valgrind, without cryptography, and compares them
    /// with the committed figures
    Instructions(instructions::InstructionsOptions),
    /// Builds the release program, and compares its bytes with the committed number
    ProgramSize(program_size::ProgramSizeOptions),
    /// Measures answers per server CPU second and times beside bare handlers on the same core, and
    /// compares them with the goals
    Bench(bench::BenchOptions),
    /// Measures the seconds and commands from the program to a verified token in each language, with
    /// libraries from their registries
    Newcomer(newcomer::NewcomerOptions),
    /// Measures growth with very many tenants, outages of Redis and PostgreSQL, floods, and what times
    /// reveal; starts its own servers, takes about forty minutes
    Soak(soak::SoakOptions),
}

fn main() -> ExitCode {
    let workspace = Workspace::here();
    match perform(CommandLine::parse().command, &workspace) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            failure.exit_code()
        }
    }
}

fn perform(command: Command, workspace: &Workspace) -> Result<(), Failure> {
    match command {
        Command::Ci(options) => ci::run(&options),
        Command::Tidy => tidy::run(workspace),
        Command::Codegen { check: true } => codegen::check(workspace),
        Command::Codegen { check: false } => codegen::write(workspace),
        Command::DocsRun(options) => docs_run::run(workspace, &options),
        Command::Dist(options) => dist::run(workspace, &options),
        Command::Test { arguments } => test::run(workspace, &arguments),
        Command::TestTimes(options) => ci::test_times::run(workspace, &options),
        Command::Pictures => test::take_pictures(workspace),
        Command::Instructions(options) => instructions::run(workspace, &options),
        Command::ProgramSize(options) => program_size::run(workspace, &options),
        Command::Bench(options) => bench::run(workspace, &options),
        Command::Newcomer(options) => newcomer::measure(workspace, &options),
        Command::Soak(options) => soak::run(workspace, options),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_in_workflows_exist() {
        let root = Workspace::here().root;
        let workflows = std::fs::read_dir(root.join(".github/workflows")).unwrap();
        let files = workflows.map(|entry| entry.unwrap().path()).chain([root.join(".ci/run")]);
        let mut count = 0;
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            for (_, arguments) in text.lines().filter_map(|line| line.split_once("cargo xtask")) {
                let words = ["cargo xtask"].into_iter().chain(arguments.split_whitespace());
                let parsed =
                    CommandLine::try_parse_from(words).map(|_| ()).map_err(|error| error.to_string());
                assert_eq!(parsed, Ok(()), "{}", file.display());
                count += 1;
            }
        }
        assert!(count >= 2, "{count}");
    }
}
