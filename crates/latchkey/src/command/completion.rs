//! `latchkey completion`: what a shell needs to complete commands and options.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::print;
use crate::start_error::StartError;

/// Prints the script for this shell.
pub(crate) fn completion<C: CommandFactory>(shell: Shell) -> Result<ExitCode, StartError> {
    let mut script = Vec::new();
    generate(shell, &mut C::command(), "latchkey", &mut script);
    print(&String::from_utf8_lossy(&script))
}
