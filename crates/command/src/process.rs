//! How a command uses its process: the standard streams, the terminal, and the exit code.

mod exit_code;
mod output;
pub(crate) mod secret_input;
mod terminal_input;

pub(crate) use exit_code::exit_code_of_status;
pub(crate) use output::{OUTPUT, json, print, print_coloured};
pub(crate) use terminal_input::ask_secret;
