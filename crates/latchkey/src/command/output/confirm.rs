//! Asks for a confirmation before a row is destroyed.

use std::io::{IsTerminal as _, Write as _, stderr, stdin};

use anyhow::{Context as _, bail};

use process::OUTPUT;

/// Continues only after a confirmation: `--yes`, or a y at a terminal. A script can ask nobody, so it needs
/// `--yes`.
pub(crate) fn confirm(question: &str, yes: bool) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    if !stdin().is_terminal() {
        bail!("there is no terminal to ask at: {question} If it is meant, say --yes");
    }
    write!(stderr(), "{question} [y/N] ").context(OUTPUT)?;
    let mut answer = String::new();
    stdin().read_line(&mut answer).context(OUTPUT)?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => bail!("nothing was changed"),
    }
}
