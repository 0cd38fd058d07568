//! What a command has of its process: the clock, the runtime, the standard streams, the terminal, and the
//! exit code.

pub mod clock;
mod exit_code;
mod output;
mod runtime;
pub mod secret_input;
mod terminal_input;

pub use exit_code::exit_code_of_status;
pub use output::{OUTPUT, json, print, print_coloured};
pub use runtime::block_on;
pub use terminal_input::ask_secret;
