//! Writes the error of a command to the standard error, for people.

use std::io::Write as _;
use std::process::ExitCode;

use crate::profiles::ProfileError;
use anstream::stderr;
use anstyle::{AnsiColor, Style};
use storage::OpenError;
use values::{distinct_causes, printable_lines};

use crate::admin_client::AdminApiError;

const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Prints an error with its causes, and returns its exit code.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    let mut text = format!("{ERROR}error:{ERROR:#} {}\n", printable_lines(&error.to_string()));
    let causes = distinct_causes(error.as_ref());
    text.extend(causes.iter().skip(1).map(|cause| format!("  because {}\n", printable_lines(cause))));
    if let Some(hint) = error.chain().find_map(|cause| cause.downcast_ref::<OpenError>()?.hint()) {
        text.push_str(&format!("  = {hint}\n"));
    }
    let _ = stderr().write_all(text.as_bytes());
    let of_admin = error.downcast_ref().map(AdminApiError::exit_code);
    let of_profile = || error.downcast_ref().map(ProfileError::exit_code);
    ExitCode::from(of_admin.or_else(of_profile).unwrap_or(1))
}
