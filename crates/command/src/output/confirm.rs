//! Asks for a confirmation before a row is destroyed.

use std::io::{IsTerminal as _, Write as _, stderr, stdin};

use anyhow::{Context as _, bail};

use crate::process::OUTPUT;

/// Continues only after a confirmation: `--yes`, or a `y` at a terminal. Without a terminal `--yes` is
/// required.
pub(crate) fn confirm(question: &str, yes: bool) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    let asked = format!("{question} [y/N]");
    match ask(&asked, &format!("Pass --yes to confirm: {question}"))?.to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => bail!("nothing was changed"),
    }
}

/// Asks at a terminal. Without a terminal it fails, and the error says what to do `instead`.
pub(crate) fn ask(question: &str, instead: &str) -> anyhow::Result<String> {
    if !stdin().is_terminal() {
        bail!("there is no terminal to ask. {instead}");
    }
    write!(stderr(), "{question} ").context(OUTPUT)?;
    let mut answer = String::new();
    stdin().read_line(&mut answer).context(OUTPUT)?;
    Ok(answer.trim().to_owned())
}
