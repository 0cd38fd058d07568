//! `latchkey completion`: what a shell needs to complete commands and options.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::print;

/// Prints the script for this shell.
pub(crate) fn run<C: CommandFactory>(shell: Shell) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    generate(shell, &mut C::command(), "latchkey", &mut script);
    print(&String::from_utf8_lossy(&script))
}
