//! `latchkey completion`: what a shell needs to complete commands and options.

use std::process::ExitCode;

use clap::Command;
use clap_complete::{Shell, generate};

use super::print;

/// Prints the script for this shell.
pub(crate) fn run(shell: Shell, mut command: Command) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    generate(shell, &mut command, "latchkey", &mut script);
    print(&String::from_utf8_lossy(&script))
}
