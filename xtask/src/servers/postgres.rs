//! A PostgreSQL of its own for a run of tests. It keeps nothing, so it need not wait for the disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::folder::Folder;
use super::{Process, guarded, on_free_port, password};
use crate::workspace::{Doing, Failure, Workspace, is_content, read_output};

/// Debian keeps the binaries of each version apart and out of the path.
const FIND: &str = "ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 | grep . || dirname \"$(command -v initdb)\"";

/// Without autovacuum nothing but tests opens a template database, which then nothing hinders to be copied.
const SETTINGS: [&str; 10] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_connections=400",
    "shared_buffers=32MB",
    "autovacuum=off",
];

/// A server that runs.
pub(super) struct Postgres {
    _process: Process,
    url: String,
    binaries: PathBuf,
}

impl Postgres {
    pub(super) fn start(workspace: &Workspace, folder: &Folder) -> Result<Self, Failure> {
        let found = read_output(&mut workspace.program("sh", &["-c", FIND]))?;
        let binaries = PathBuf::from(String::from_utf8_lossy(&found).trim());
        let password = password()?;
        let data = folder.path().join("postgres");
        initialise(workspace, folder, &binaries, &data, &password)?;
        on_free_port(|port| {
            let log = folder.path().join("postgres.log");
            let output = fs::File::create(&log).doing("make a log")?;
            let mut command = guarded(workspace, folder.user(), &binaries.join("postgres"));
            command.current_dir(folder.path()).arg("-D").arg(&data).args(["-p", &port.to_string()]);
            command.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
            let errors = output.try_clone().doing("make a log")?;
            command.stdout(Stdio::from(output)).stderr(Stdio::from(errors));
            let mut process = Process(command.spawn().doing("start PostgreSQL")?);
            process.await_ready(&log, || accepts(&binaries, port))?;
            let url = format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres");
            Ok(Self { _process: process, url, binaries: binaries.clone() })
        })
    }

    /// As its administrator, to whom row level security does not apply.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The folder with `initdb`, `postgres` and `pg_ctl`.
    pub(super) fn binaries(&self) -> &Path {
        &self.binaries
    }
}

fn initialise(
    workspace: &Workspace,
    folder: &Folder,
    binaries: &Path,
    data: &Path,
    password: &str,
) -> Result<(), Failure> {
    let secret = folder.path().join("postgres.password");
    fs::write(&secret, password).doing("write a password")?;
    let mut command = guarded(workspace, folder.user(), &binaries.join("initdb"));
    command.current_dir(folder.path()).arg("-D").arg(data).arg("--pwfile").arg(&secret);
    command.args(["-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--no-locale", "--no-sync"]);
    read_output(&mut command)?;
    fs::remove_file(&secret).doing("remove a password")
}

fn accepts(binaries: &Path, port: u16) -> bool {
    let mut command = Command::new(binaries.join("pg_isready"));
    is_content(command.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]))
}
