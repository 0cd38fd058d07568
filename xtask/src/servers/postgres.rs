//! A PostgreSQL for one test run. Its data is temporary, so it does not wait for the disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::folder::Folder;
use super::{Process, find, guarded, on_free_port, password, spawn_logged};
use crate::workspace::{Doing, Failure, Workspace, is_content, read_output, run};

/// Debian has the binaries of each version in a separate folder outside PATH.
const FIND: &str = "ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 | grep . || dirname \"$(command -v initdb)\"";

/// Without autovacuum only tests open a template database, so no process blocks copying it.
const SETTINGS: [&str; 12] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_size=256MB",
    "max_wal_senders=0",
    "max_connections=400",
    // A silent connection delays each CREATE and DROP DATABASE, also of other tests, until its time is over:
    // 60 s by default.
    "authentication_timeout=5s",
    "shared_buffers=32MB",
    "autovacuum=off",
];

/// The server computes the hash of a password: a client without optimisation takes 50 ms for each connection.
const OF_PACKAGES: [&str; 3] = ["--no-locale", "-A", "password"];

/// SCRAM with one iteration, which older versions cannot set. The collation differs from byte order, as
/// servers have by default: a statement that depends on the order must name its collation.
const OF_NEWEST: [&str; 7] = [
    "--locale-provider=icu",
    "--icu-locale=en-US",
    "--no-locale",
    "-A",
    "scram-sha-256",
    "-c",
    "scram_iterations=1",
];

/// A version of PostgreSQL, and how its databases begin.
pub(super) struct Build {
    name: &'static str,
    /// The folder with `initdb` and `postgres`.
    programs: PathBuf,
    /// The folder with `pg_isready`, which works with servers of any version.
    tools: PathBuf,
    /// Arguments of `initdb`.
    initial: &'static [&'static str],
}

impl Build {
    /// The version of the machine's packages.
    pub(super) fn of_packages(workspace: &Workspace) -> Result<Self, Failure> {
        let programs = find(workspace, FIND)?;
        Ok(Self { name: "postgres", tools: programs.clone(), programs, initial: &OF_PACKAGES })
    }

    /// The newest version.
    pub(super) fn newest(workspace: &Workspace, folder: &Folder, programs: &Path) -> Result<Self, Failure> {
        let newest = Self::of_programs(workspace, folder, programs)?;
        Ok(Self { name: "newest-postgres", initial: &OF_NEWEST, ..newest })
    }

    /// The version of these programs. They are copied if the server's user may not read them.
    pub(super) fn of_programs(
        workspace: &Workspace,
        folder: &Folder,
        programs: &Path,
    ) -> Result<Self, Failure> {
        let mut programs = programs.to_owned();
        if !folder.is_open(workspace, &programs) {
            let copy = folder.path().join("programs");
            let native = programs.parent().unwrap_or(&programs);
            run(workspace.program("cp", &["-R"]).args([native, &copy]))?;
            run(workspace.program("chmod", &["-R", "a+rX"]).arg(&copy))?;
            programs = copy.join("bin");
        }
        Ok(Self { programs, ..Self::of_packages(workspace)? })
    }
}

/// A running server.
pub(crate) struct Postgres {
    _process: Process,
    url: String,
    programs: PathBuf,
}

impl Postgres {
    pub(super) fn start(workspace: &Workspace, folder: &Folder, build: &Build) -> Result<Self, Failure> {
        let password = password()?;
        let data = folder.data().join(build.name);
        initialise(workspace, folder, build, &data, &password)?;
        on_free_port(|port| {
            let log = folder.path().join(format!("{}.log", build.name));
            let mut command = guarded(workspace, folder.user(), &build.programs.join("postgres"));
            command.current_dir(folder.path()).arg("-D").arg(&data).args(["-p", &port.to_string()]);
            command.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
            let mut process = Process(spawn_logged(&mut command, &log)?);
            process.await_ready(&log, || accepts(&build.tools, port))?;
            let url = format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres");
            Ok(Self { _process: process, url, programs: build.programs.clone() })
        })
    }

    /// The URL of the server's administrator, who bypasses row level security.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The folder with `initdb`, `postgres` and `pg_ctl`.
    pub(crate) fn programs(&self) -> &Path {
        &self.programs
    }
}

fn initialise(
    workspace: &Workspace,
    folder: &Folder,
    build: &Build,
    data: &Path,
    password: &str,
) -> Result<(), Failure> {
    let secret = folder.path().join("postgres.password");
    fs::write(&secret, password).doing("write a password")?;
    let mut command = guarded(workspace, folder.user(), &build.programs.join("initdb"));
    command.current_dir(folder.path()).arg("-D").arg(data).arg("--pwfile").arg(&secret);
    command.args(["-U", "postgres", "-E", "UTF8", "--no-sync"]).args(build.initial);
    read_output(&mut command)?;
    fs::remove_file(&secret).doing("remove a password")
}

fn accepts(tools: &Path, port: u16) -> bool {
    let mut command = Command::new(tools.join("pg_isready"));
    is_content(command.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]))
}
