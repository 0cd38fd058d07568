//! The program `latchkey`. The crate `command` has everything.

use std::process::ExitCode;

fn main() -> ExitCode {
    command::run()
}
