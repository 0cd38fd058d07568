//! Asking before something is destroyed.

use std::io::{IsTerminal as _, Write as _, stderr, stdin};

use crate::start_error::StartError;

/// Goes on only if it is meant: `--yes`, or a y at a terminal. A script has nobody to ask, so it must say `--yes`.
pub(crate) fn confirm(question: &str, yes: bool) -> Result<(), StartError> {
    if yes {
        return Ok(());
    }
    if !stdin().is_terminal() {
        return Err(StartError::Unconfirmed(question.to_owned()));
    }
    write!(stderr(), "{question} [y/N] ")?;
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(StartError::Declined),
    }
}
