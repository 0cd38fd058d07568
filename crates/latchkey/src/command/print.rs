//! Words for people and programs, on the standard streams.

use std::error::Error;
use std::io::{Write as _, stderr, stdout};
use std::process::ExitCode;

use crate::start_error::StartError;

/// Prints a document as it is.
pub(crate) fn print(document: &str) -> Result<ExitCode, StartError> {
    stdout().write_all(document.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Prints an error with its causes and gives its exit code.
pub(crate) fn report(error: &StartError) -> ExitCode {
    let mut text = format!("error: {error}\n");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!("  because {error}\n"));
        cause = error.source();
    }
    let _ = stderr().write_all(text.as_bytes());
    ExitCode::from(error.exit_code())
}
