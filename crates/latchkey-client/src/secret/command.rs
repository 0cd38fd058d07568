//! Runs the program that prints a secret. No message contains its output.

use std::ffi::OsString;
use std::io::Read as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::Text;
use super::file::without_newline;
use crate::credential::CredentialError;

const TIME: Duration = Duration::from_secs(5);
const LARGEST: usize = 64 * 1024;

/// The output of the program, without the newline at its end.
pub(super) async fn run(words: Vec<OsString>) -> Result<Text, CredentialError> {
    let outcome = tokio::task::spawn_blocking(move || run_now(&words)).await;
    outcome.unwrap_or_else(|error| Err(CredentialError::new("the program was not run").caused_by(error)))
}

fn run_now(words: &[OsString]) -> Result<Text, CredentialError> {
    let [program, arguments @ ..] = words else {
        return Err(CredentialError::new("the command has no word"));
    };
    let name = program.display();
    let failed = |what: String| CredentialError::new(format!("`{name}` {what}"));
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed("cannot be started".to_owned()).caused_by(error))?;
    let output = child.stdout.take().ok_or_else(|| failed("has no output".to_owned()))?;
    let (sender, printed) = mpsc::channel();
    // A read cannot be interrupted, so a separate thread makes it. The end of the program ends the thread.
    thread::spawn(move || {
        let mut text = Zeroizing::new(String::with_capacity(LARGEST + 1));
        let outcome = output.take(LARGEST as u64 + 1).read_to_string(&mut text);
        let _ = sender.send(outcome.map(|_| text));
    });
    let begun = Instant::now();
    let (Ok(text), Some(status)) = (printed.recv_timeout(TIME), ended(&mut child, begun)) else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(failed(format!("has not ended within {} s", TIME.as_secs())));
    };
    let text = text.map_err(|error| failed("printed no text".to_owned()).caused_by(error))?;
    if text.len() > LARGEST {
        return Err(failed(format!("printed more than {LARGEST} bytes")));
    }
    if !status.success() {
        return Err(failed(format!("failed: {status}")));
    }
    Ok(without_newline(&text))
}

/// How the program ended, if it did in time.
fn ended(child: &mut Child, begun: Instant) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(None) if begun.elapsed() < TIME => thread::sleep(Duration::from_millis(5)),
            outcome => return outcome.ok().flatten(),
        }
    }
}
