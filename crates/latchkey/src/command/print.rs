//! Writes to the standard streams, for people and programs.

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

use anstream::{stderr, stdout};
use anstyle::{AnsiColor, Style};
use anyhow::Context as _;
use storage::OpenError;
use values::distinct_causes;

use crate::admin_client::AdminClientError;

/// The error if a standard stream does not accept a text.
pub(crate) const OUTPUT: &str = "the output cannot be written";

const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Prints a document, in colours only at a terminal (and if `NO_COLOR` is unset). A reader that closes the
/// pipe, such as `head`, needs no more.
pub(crate) fn print(document: &str) -> anyhow::Result<ExitCode> {
    match stdout().write_all(document.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        written => written.context(OUTPUT)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints an error with its causes and gives its exit code.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    let mut text = format!("{ERROR}error:{ERROR:#} {error}\n");
    let causes = distinct_causes(error.as_ref());
    text.extend(causes.iter().skip(1).map(|cause| format!("  because {cause}\n")));
    if let Some(hint) = error.chain().find_map(|cause| cause.downcast_ref::<OpenError>()?.hint()) {
        text.push_str(&format!("  = {hint}\n"));
    }
    let _ = stderr().write_all(text.as_bytes());
    ExitCode::from(error.downcast_ref().map_or(1, AdminClientError::exit_code))
}
