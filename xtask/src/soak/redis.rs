//! A Redis that the measurement can kill, pause and restart on the same port. It writes nothing to disk.

use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use super::test_env::TestEnv;
use crate::servers::{self, free_port};
use crate::workspace::{Doing, Failure, is_content, read_text};

const START: Duration = Duration::from_secs(10);

/// Dropping it ends the process, even a paused one.
pub(super) struct Redis<'a> {
    test_env: &'a TestEnv<'a>,
    port: u16,
    process: Option<Child>,
}

impl<'a> Redis<'a> {
    pub(super) fn start(test_env: &'a TestEnv<'a>) -> Result<Self, Failure> {
        let mut redis = Self::absent(test_env)?;
        redis.start_again()?;
        Ok(redis)
    }

    /// A server that does not run yet.
    pub(super) fn absent(test_env: &'a TestEnv<'a>) -> Result<Self, Failure> {
        Ok(Self { test_env, port: free_port()?, process: None })
    }

    /// Runs a Lua script, like an attacker with access, and returns what it returns.
    pub(super) fn evaluate(&self, script: &str) -> Result<String, Failure> {
        let arguments = ["-p", &self.port.to_string(), "EVAL", script, "0"];
        let mut command = self.test_env.workspace.program("redis-cli", &arguments);
        // The password is no argument, because every user can read a command line.
        Ok(read_text(command.env("REDISCLI_AUTH", self.test_env.redis_password()))?.trim().to_owned())
    }

    pub(super) fn url(&self) -> String {
        format!("redis://default:{}@127.0.0.1:{}", self.test_env.redis_password(), self.port)
    }

    pub(super) fn kill(&mut self) -> Result<(), Failure> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        process.kill().doing("kill Redis")?;
        process.wait().doing("wait for Redis").map(drop)
    }

    /// Starts the server and returns when it accepts connections.
    pub(super) fn start_again(&mut self) -> Result<(), Failure> {
        self.process = Some(spawn(self.test_env, self.port)?);
        Ok(())
    }

    /// `-STOP` pauses the server, and `-CONT` resumes it.
    pub(super) fn signal(&self, signal: &str) {
        let Some(process) = &self.process else { return };
        is_content(Command::new("kill").args([signal, &process.id().to_string()]));
    }
}

impl Drop for Redis<'_> {
    fn drop(&mut self) {
        drop(self.kill());
    }
}

fn spawn(test_env: &TestEnv<'_>, port: u16) -> Result<Child, Failure> {
    // setpriv executes the server in its own process, which ends when this process does, even when paused.
    let mut command = test_env.workspace.program("setpriv", &["--pdeathsig", "KILL"]);
    command.arg(test_env.redis_program());
    let mut child =
        servers::redis::spawn(&mut command, &test_env.file("redis.log"), port, test_env.redis_password())?;
    let deadline = Instant::now() + START;
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        if Instant::now() > deadline {
            drop(child.kill());
            drop(child.wait());
            return Err(Failure::new("Redis does not start"));
        }
        thread::sleep(Duration::from_millis(2));
    }
    Ok(child)
}
