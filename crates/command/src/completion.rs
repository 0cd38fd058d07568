//! `latchkey completion`: the script with which a shell completes commands and options.

use std::process::ExitCode;

use clap::Command;
use clap_complete::{Shell, generate};

use crate::process::print;

pub(crate) fn run(shell: Shell, command: Command) -> anyhow::Result<ExitCode> {
    print(&script(shell, command))
}

fn script(shell: Shell, mut command: Command) -> String {
    let mut script = Vec::new();
    generate(shell, &mut command, "latchkey", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn each_shell_completes_the_commands() {
        for shell in Shell::value_variants() {
            let script = script(*shell, <crate::command::Arguments as clap::CommandFactory>::command());
            assert!(script.contains("rollback") && script.contains("as-client"), "{shell}");
        }
    }
}
