//! Writes documents to the standard output, for people and programs.

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

use anstream::stdout;
use anyhow::Context as _;
use serde::Serialize;
use values::json_for_terminals;

/// The error if a standard stream does not accept a text.
pub const OUTPUT: &str = "the output cannot be written";

/// Prints a document, in colours only at a terminal (and if `NO_COLOR` is unset). A reader that closes the
/// pipe, such as `head`, needs no more.
pub fn print(document: &str) -> anyhow::Result<ExitCode> {
    match stdout().write_all(document.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        written => written.context(OUTPUT)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A document as the API gives it.
pub fn json(document: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(document).expect("documents are plain JSON");
    json_for_terminals(&format!("{text}\n"))
}
