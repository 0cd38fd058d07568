//! Asks for a secret at the terminal without showing it.

use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Write as _};

use anyhow::{Context as _, bail};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// Restores the terminal's settings, even after an error.
struct TerminalGuard<'a>(&'a std::fs::File, Termios);

impl Drop for TerminalGuard<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.0, OptionalActions::Flush, &self.1);
    }
}

/// Asks without showing what is typed. Without a terminal it fails, and the error says what to do `instead`.
pub(crate) fn ask_secret(question: &str, instead: &str) -> anyhow::Result<Zeroizing<String>> {
    // Standard input may be a pipe with other data.
    let Ok(terminal) = OpenOptions::new().read(true).write(true).open("/dev/tty") else {
        bail!("there is no terminal to ask for the secret. {instead}");
    };
    let before = tcgetattr(&terminal).context("cannot configure the terminal")?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    silent.local_modes.insert(LocalModes::ECHONL);
    let restored = TerminalGuard(&terminal, before);
    tcsetattr(&terminal, OptionalActions::Flush, &silent)
        .context("cannot hide the secret on the terminal")?;
    (&terminal).write_all(question.as_bytes()).context("cannot write to the terminal")?;
    let mut answer = Zeroizing::new(String::with_capacity(4096));
    BufReader::new(&terminal).read_line(&mut answer).context("cannot read from the terminal")?;
    drop(restored);
    Ok(answer)
}
