//! The program `latchkey`. All code is in the crate `command`.

use std::process::ExitCode;

fn main() -> ExitCode {
    command::run()
}
