//! Writes documents to the standard output, for people and programs.

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

use anstream::stdout;
use anyhow::Context as _;
use serde::Serialize;
use values::{json_for_terminals, printable_lines};

/// The error if a standard stream does not accept a text.
pub(crate) const OUTPUT: &str = "the output cannot be written";

/// Prints a document. No text of others in it steers a terminal.
pub(crate) fn print(document: &str) -> anyhow::Result<ExitCode> {
    print_coloured(&printable_lines(document))
}

/// Prints a document, in colours only at a terminal (and if `NO_COLOR` is unset). The caller makes the texts
/// of others printable. A reader that closes the pipe, such as `head`, needs no more.
pub(crate) fn print_coloured(document: &str) -> anyhow::Result<ExitCode> {
    match stdout().write_all(document.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        written => written.context(OUTPUT)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A document as the API gives it.
pub(crate) fn json(document: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(document).expect("documents are plain JSON");
    json_for_terminals(&format!("{text}\n"))
}
