//! Tests output for a person at a terminal, which a pipe does not get.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::folder::Folder;
use crate::foreign::bash;
use crate::host::{self, signal};
use crate::settings::{self, TWO_TENANTS, edited};

const LONGEST: Duration = Duration::from_secs(30);

/// A program on a pseudo terminal. Dropping the value kills the program.
struct OnTerminal {
    script: Child,
    lines: Receiver<String>,
    pid: u32,
}

#[test]
fn printed_command_works_when_pasted() {
    let folder = Folder::with(&settings::sample());
    let mut terminal = OnTerminal::start(&folder);
    let seen = terminal.until("client_secret=");
    let command: Vec<String> =
        seen.iter().skip_while(|line| !line.trim_start().starts_with("curl ")).cloned().collect();
    let answer = bash(&command.join("\n"), &[]).json();
    assert_eq!(answer["scope"], "api:read api:write", "{answer}");

    let rest = terminal.stop();
    let log: Vec<String> = seen.into_iter().filter(|line| !command.contains(line)).chain(rest).collect();
    assert!(log.iter().any(|line| line.contains("listening")), "{log:#?}");
    assert!(log.iter().any(|line| line.contains("/oauth/token")), "the request is in the log: {log:#?}");
    folder.canaries.assert_absent(&log.join("\n"));
}

#[test]
fn configured_secret_is_not_printed() {
    let folder = Folder::with(TWO_TENANTS);
    let mut terminal = OnTerminal::start(&folder);
    let mut seen = terminal.until("serving");
    seen.extend(terminal.stop());
    assert!(!seen.iter().any(|line| line.contains("curl")), "{seen:#?}");
    folder.canaries.assert_absent(&seen.join("\n"));
}

#[test]
fn reload_error_keeps_its_line_breaks() {
    let folder = Folder::with(TWO_TENANTS);
    let mut terminal = OnTerminal::start(&folder);
    let until_line = |part| terminal.until(part).pop().unwrap();
    until_line("serving");
    folder.replace("config.yaml", &edited(TWO_TENANTS, "storage: {", "storagee: {"));
    let first = until_line("settings not loaded");
    assert!(first.contains("config.yaml:4:1"), "{first}");
    let excerpt = until_line("storagee: {");
    let caret = until_line("^");
    // The first character of the line is wrong, so the caret is directly below it.
    assert_eq!(caret.find('^'), excerpt.find("storagee"), "{excerpt}\n{caret}");
    terminal.stop();
}

#[test]
fn log_levels_are_coloured_if_the_terminal_supports_it() {
    for (variables, level) in [
        (&[("TERM", "xterm-256color")][..], "\u{1b}[32m INFO\u{1b}[0m "),
        (&[("TERM", "xterm-256color"), ("NO_COLOR", "1")], "  INFO "),
        (&[("TERM", "dumb")], "  INFO "),
    ] {
        let folder = Folder::with(TWO_TENANTS);
        let mut terminal = OnTerminal::start_with(&folder, variables);
        let line = terminal.until("serving").pop().unwrap();
        assert!(line.contains(level), "{variables:?}: {line:?}");
        assert!(line.contains("tenants="), "{line:?}");
        terminal.stop();
    }
}

impl OnTerminal {
    fn start(folder: &Folder) -> Self {
        Self::start_with(folder, &[])
    }

    fn start_with(folder: &Folder, variables: &[(&str, &str)]) -> Self {
        let latchkey = env!("CARGO_BIN_EXE_latchkey");
        let inner = format!("echo $$ > pid; exec '{latchkey}' serve --config config.yaml");
        let mut script = Command::new("script")
            .args(["--quiet", "--return", "--command"])
            .args([&format!("sh -c \"{}\"", inner.replace('$', "\\$")), "/dev/null"])
            .current_dir(folder.path("."))
            .env_remove("NO_COLOR")
            // With the variable `CI`, every terminal would be treated as a terminal with colours.
            .env_remove("CI")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("`script` of util-linux");
        let out = BufReader::new(script.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                drop(sender.send(line.trim_end().to_owned()));
            }
        });
        let until = Instant::now() + LONGEST;
        let pid = loop {
            let written = fs::read_to_string(folder.path("pid")).unwrap_or_default();
            if let Ok(pid) = written.trim().parse() {
                break pid;
            }
            assert!(Instant::now() < until, "the shell did not print its process id");
            thread::sleep(Duration::from_millis(10));
        };
        Self { script, lines, pid }
    }

    /// The lines up to the first line with this text.
    fn until(&self, part: &str) -> Vec<String> {
        let mut seen: Vec<String> = Vec::new();
        while !seen.last().is_some_and(|line| line.contains(part)) {
            let line = self.lines.recv_timeout(LONGEST);
            seen.push(line.unwrap_or_else(|_| panic!("no line with {part:?}: {seen:#?}")));
        }
        seen
    }

    /// Stops the program gracefully and returns the rest of its output.
    fn stop(&mut self) -> Vec<String> {
        signal("TERM", self.pid);
        let code = host::wait(&mut self.script, LONGEST).expect("the program ends in time");
        assert_eq!(code, Some(0));
        self.lines.iter().collect()
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        if self.script.try_wait().is_ok_and(|ended| ended.is_none()) {
            // The program outlives its terminal, because SIGHUP reloads its settings.
            drop(Command::new("kill").arg("-KILL").arg(self.pid.to_string()).status());
            drop(self.script.kill());
            drop(self.script.wait());
        }
    }
}
