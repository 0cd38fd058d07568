//! Writes documents to the standard output, for people and programs.

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

use anstream::stdout;
use anyhow::Context as _;
use serde::Serialize;
use values::{json_for_terminals, printable_lines};

/// The message if a standard stream cannot be written.
pub(crate) const OUTPUT: &str = "cannot write the output";

/// Prints a document. Control characters in it are escaped, because they could control the terminal.
pub(crate) fn print(document: &str) -> anyhow::Result<ExitCode> {
    print_coloured(&printable_lines(document))
}

/// Prints a document that may contain colours. They are removed unless the output is a terminal and
/// `NO_COLOR` is unset. The caller must escape texts of others. A reader that closes the pipe early, such as
/// `head`, is not an error.
pub(crate) fn print_coloured(document: &str) -> anyhow::Result<ExitCode> {
    match stdout().write_all(document.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        written => written.context(OUTPUT)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A document as the API formats it.
pub(crate) fn json(document: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(document).expect("documents are plain JSON");
    json_for_terminals(&format!("{text}\n"))
}
