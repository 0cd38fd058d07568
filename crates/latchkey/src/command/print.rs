//! Words for people and programs, on the standard streams.

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

use anstream::{stderr, stdout};
use anstyle::{AnsiColor, Style};
use anyhow::Context as _;
use protocol::distinct_causes;
use storage::OpenError;

use crate::admin_client::AdminClientError;

/// What failed if a standard stream does not take a text.
pub(crate) const OUTPUT: &str = "the output cannot be written";

const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Prints a document; its colours only where a terminal has them (and `NO_COLOR` is unset). A reader that
/// closes the pipe, such as `head`, has all that it wants.
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
