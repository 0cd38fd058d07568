//! The program `latchkey`. Its library has everything.

use std::process::ExitCode;

fn main() -> ExitCode {
    latchkey::run()
}
