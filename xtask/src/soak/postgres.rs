//! Restarts the temporary PostgreSQL like `pg_ctl restart -m immediate`: without notifying clients, and with
//! recovery at the start.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use super::test_env::TestEnv;
use crate::servers::spawn_logged;
use crate::workspace::{Doing, Failure, is_content};

const PATIENCE: Duration = Duration::from_secs(20);

/// The restarted server; dropping it stops it.
pub(super) struct Restarted(Child);

/// A server that can be stopped and restarted, as the child process that it was.
pub(super) struct Postgres<'a> {
    test_env: &'a TestEnv<'a>,
    data: PathBuf,
    port: String,
    command_line: Vec<String>,
}

impl<'a> Postgres<'a> {
    pub(super) fn from_test_env(test_env: &'a TestEnv<'a>) -> Result<Self, Failure> {
        let data = PathBuf::from(test_env.sql("postgres", "SHOW data_directory")?);
        let options = fs::read_to_string(data.join("postmaster.opts")).doing("read postmaster.opts")?;
        let program = options.split(" \"").next().unwrap_or_default().to_owned();
        let arguments = options.split('"').skip(1).step_by(2).map(str::to_owned);
        let command_line = std::iter::once(program).chain(arguments).collect();
        Ok(Self { test_env, data, port: test_env.sql("postgres", "SHOW port")?, command_line })
    }

    /// Kills the server. Its process id is read from its own folder, so that no other server is killed.
    pub(super) fn stop(&self) -> Result<(), Failure> {
        let file = self.data.join("postmaster.pid");
        let text = fs::read_to_string(&file).doing("read postmaster.pid")?;
        let number = text.lines().next().unwrap_or_default();
        is_content(Command::new("kill").args(["-QUIT", number]));
        until("PostgreSQL does not stop", || !file.exists())
    }

    /// Restarts the server and returns when it accepts connections.
    pub(super) fn start(&self) -> Result<Restarted, Failure> {
        let owner = std::os::unix::fs::MetadataExt::uid(&fs::metadata(&self.data).doing("look at the data")?);
        let owner = owner.to_string();
        // setpriv executes the server in its own process, which ends when this process does.
        let mut arguments = vec!["--pdeathsig", "INT"];
        if is_content(&mut self.test_env.workspace.program("sh", &["-c", "test \"$(id -u)\" = 0"])) {
            arguments.extend(["--reuid", &owner, "--clear-groups"]);
        }
        let mut command = self.test_env.workspace.program("setpriv", &arguments);
        command.args(&self.command_line).current_dir(&self.data);
        let restarted = Restarted(spawn_logged(&mut command, &self.test_env.file("postgres.log"))?);
        let probe = self.test_env.tool("pg_isready");
        until("PostgreSQL does not start", || {
            is_content(Command::new(&probe).args(["-q", "-h", "127.0.0.1", "-p", &self.port]))
        })?;
        Ok(restarted)
    }
}

impl Drop for Restarted {
    fn drop(&mut self) {
        let number = self.0.id().to_string();
        is_content(Command::new("kill").args(["-INT", &number]));
        if until("", || !matches!(self.0.try_wait(), Ok(None))).is_err() {
            drop(self.0.kill());
            drop(self.0.wait());
        }
    }
}

fn until(otherwise: &str, mut is_so: impl FnMut() -> bool) -> Result<(), Failure> {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        if Instant::now() > deadline {
            return Err(Failure::new(otherwise));
        }
        thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}
