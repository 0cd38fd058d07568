//! A process of a machine. It is stopped when the value is dropped, also when a test fails.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::host::{run, signal, wait};

const USER: &str = "postgres";
/// Patroni stops its PostgreSQL before it ends.
const STOP: Duration = Duration::from_secs(20);
const MOST_LINES: usize = 12;

pub(crate) struct Process {
    child: Option<Child>,
    log: PathBuf,
}

impl Process {
    /// Starts a program. Its output is appended to `log`.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Self {
        let output = OpenOptions::new().create(true).append(true).open(log).unwrap();
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let child = command.spawn().unwrap_or_else(|error| {
            panic!(
                "{command:?}: {error}: run `cargo xtask ci --only failover`, which installs what this needs"
            )
        });
        Self { child: Some(child), log: log.to_owned() }
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            if matches!(child.try_wait(), Ok(None)) {
                signal("TERM", child.id());
            }
            if wait(&mut child, STOP).is_none() {
                drop(child.kill());
                drop(child.wait());
            }
        }
        if thread::panicking() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let last = lines[lines.len().saturating_sub(MOST_LINES)..].join("\n");
            eprintln!("{} at last:\n{last}", self.log.display());
        }
    }
}

pub(crate) fn is_root() -> bool {
    run(Command::new("id").arg("-u")).output().trim() == "0"
}

/// The program as the user of PostgreSQL, if this is root. It is told to stop when this process ends, even if
/// this process is killed. setpriv executes the program in its own process.
pub(crate) fn unprivileged(program: &Path) -> Command {
    let mut command = guarded();
    if is_root() {
        command.args(["--reuid", USER, "--regid", USER, "--init-groups"]);
    }
    command.arg(program);
    command
}

/// `setpriv`, which executes the program in its arguments. The program is told to stop when this process
/// ends.
pub(crate) fn guarded() -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM"]);
    command
}

/// Gives the folder to the user of PostgreSQL, if this is root.
pub(crate) fn give(path: &Path) {
    if is_root() {
        run(Command::new("chown").arg("-R").arg(USER).arg(path)).output();
    }
}
