//! Throwaway servers for tests: a PostgreSQL, the newest PostgreSQL and a Redis, on free ports of the
//! loopback interface, in a temporary folder. Dropping the value stops these servers and no others.

mod folder;
mod postgres;
pub(crate) mod redis;

use std::fs::File;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::workspace::{Doing, Failure, Workspace, is_content, read_text};
use folder::Folder;
use postgres::{Build, Postgres};
use redis::Redis;

const START: Duration = Duration::from_secs(30);
const STOP: Duration = Duration::from_secs(10);
/// Debian has it outside the PATH of other users than root.
const FIND_PGBOUNCER: &str = "command -v pgbouncer || echo /usr/sbin/pgbouncer";
/// Another process may take a free port before the server binds it.
const ATTEMPTS: u32 = 3;

/// Running servers.
pub(crate) struct Servers {
    // Fields drop in this order: the folder last.
    pub(crate) postgres: Postgres,
    newest_postgres: Option<Postgres>,
    pub(crate) redis: Redis,
    /// The program.
    pgbouncer: PathBuf,
    folder: Folder,
}

impl Servers {
    pub(crate) fn start(workspace: &Workspace) -> Result<Self, Failure> {
        Self::start_with(workspace, Folder::new(workspace)?, &Build::of_packages(workspace)?)
    }

    /// Servers of which PostgreSQL runs these programs.
    pub(crate) fn start_on(workspace: &Workspace, programs: &Path) -> Result<Self, Failure> {
        let folder = Folder::new(workspace)?;
        let build = Build::of_programs(workspace, &folder, programs)?;
        Self::start_with(workspace, folder, &build)
    }

    fn start_with(workspace: &Workspace, folder: Folder, build: &Build) -> Result<Self, Failure> {
        let postgres = Postgres::start(workspace, &folder, build)?;
        let redis = Redis::start(workspace, folder.path())?;
        let pgbouncer = find(workspace, FIND_PGBOUNCER)?;
        Ok(Self { postgres, newest_postgres: None, redis, pgbouncer, folder })
    }

    /// Adds a PostgreSQL that runs these programs.
    pub(crate) fn with_newest_postgres(
        mut self,
        workspace: &Workspace,
        programs: &Path,
    ) -> Result<Self, Failure> {
        let build = Build::newest(workspace, &self.folder, programs)?;
        self.newest_postgres = Some(Postgres::start(workspace, &self.folder, &build)?);
        Ok(self)
    }

    /// Sets the variables that tests read. The binaries are for tests that start a separate server, to pause
    /// or kill it.
    pub(crate) fn set_variables(&self, command: &mut Command) {
        command.env("LATCHKEY_TEST_POSTGRES_URL", self.postgres.url());
        command.env("LATCHKEY_TEST_POSTGRES_BIN", self.postgres.programs());
        if let Some(newest) = &self.newest_postgres {
            command.env("LATCHKEY_TEST_NEWEST_POSTGRES_URL", newest.url());
        }
        command.env("LATCHKEY_TEST_PGBOUNCER", &self.pgbouncer);
        command.env("LATCHKEY_TEST_REDIS_URL", self.redis.url());
        command.env("LATCHKEY_TEST_REDIS_SERVER", self.redis.program());
    }
}

/// A server's process. Dropping it requests a fast shutdown and kills the process when that takes too long.
pub(crate) struct Process(pub(crate) Child);

impl Process {
    /// Starts the platform by this command, and waits until it is ready at this port.
    pub(crate) fn serve(
        workspace: &Workspace,
        command: &mut Command,
        log: &Path,
        port: u16,
    ) -> Result<Self, Failure> {
        let mut server = Self(spawn_logged(command, log)?);
        let ready = format!("http://127.0.0.1:{port}/health/ready");
        let curl = ["--silent", "--fail", &ready];
        server.await_ready(log, || is_content(&mut workspace.program("curl", &curl)))?;
        Ok(server)
    }

    /// Waits until `is_ready`; fails when the process ends first.
    pub(crate) fn await_ready(&mut self, log: &Path, is_ready: impl Fn() -> bool) -> Result<(), Failure> {
        let deadline = Instant::now() + START;
        while !is_ready() {
            let ended = self.0.try_wait().doing("look after a server")?;
            if ended.is_some() || Instant::now() > deadline {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                let what = ended.map_or("is not ready".to_owned(), |status| format!("ended with {status}"));
                return Err(Failure::new(format!("a server {what}:\n{said}")));
            }
            thread::sleep(Duration::from_millis(30));
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // All these servers shut down fast and cleanly on SIGINT.
        let id = self.0.id().to_string();
        let requested = is_content(Command::new("kill").args(["-INT", &id]));
        let deadline = Instant::now() + STOP;
        while requested && Instant::now() < deadline && matches!(self.0.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(20));
        }
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A command that ends when xtask ends, even when xtask is killed, if `setpriv` is available. It runs as
/// `user`, if any.
fn guarded(workspace: &Workspace, user: Option<&str>, program: &Path) -> Command {
    let mut arguments = vec!["--pdeathsig", "INT"];
    if let Some(user) = user {
        arguments.extend(["--reuid", user, "--regid", user, "--init-groups"]);
    }
    let can =
        user.is_some() || is_content(&mut workspace.program("setpriv", &["--pdeathsig", "INT", "true"]));
    if !can {
        return workspace.program(program, &[]);
    }
    // setpriv executes the program in its own process, so the child's id is the server's.
    let mut command = workspace.program("setpriv", &arguments);
    command.arg(program);
    command
}

/// The path that this shell command prints.
fn find(workspace: &Workspace, command: &str) -> Result<PathBuf, Failure> {
    Ok(read_text(&mut workspace.program("sh", &["-c", command]))?.trim().into())
}

/// Starts a program whose output goes to a new file.
pub(crate) fn spawn_logged(command: &mut Command, log: &Path) -> Result<Child, Failure> {
    let output = File::create(log).doing(format_args!("make {}", log.display()))?;
    let errors = output.try_clone().doing("make a log")?;
    let child = command.stdout(Stdio::from(output)).stderr(Stdio::from(errors)).spawn();
    child.doing(format_args!("start {}", command.get_program().to_string_lossy()))
}

/// Retries with another port.
pub(crate) fn on_free_port<T>(mut start: impl FnMut(u16) -> Result<T, Failure>) -> Result<T, Failure> {
    let mut attempt = 1;
    loop {
        match start(free_port()?) {
            Err(_) if attempt < ATTEMPTS => attempt += 1,
            outcome => return outcome,
        }
    }
}

pub(crate) fn free_port() -> Result<u16, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).doing("find a free port")?;
    Ok(listener.local_addr().doing("find a free port")?.port())
}

fn connect(port: u16) -> std::io::Result<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    Ok(stream)
}

/// A password of letters and digits. Other users of this machine can reach the port, and a server's
/// administrator may start programs.
fn password() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    let mut source = std::fs::File::open("/dev/urandom").doing("open /dev/urandom")?;
    source.read_exact(&mut bytes).doing("read /dev/urandom")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
