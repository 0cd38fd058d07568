//! A Redis for one run of tests or measurements. It writes only its log to disk.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::{Process, connect, find, guarded, on_free_port, password, spawn_logged};
use crate::workspace::{Doing, Failure, Workspace};

/// A running server. Dropping it stops it.
pub(crate) struct Redis {
    _process: Process,
    url: String,
    program: PathBuf,
}

impl Redis {
    pub(super) fn start(workspace: &Workspace, folder: &Path) -> Result<Self, Failure> {
        let program = find(workspace, "command -v redis-server")?;
        let password = password()?;
        on_free_port(|port| {
            let log = folder.join("redis.log");
            let mut command = guarded(workspace, None, &program);
            let mut process = Process(spawn(command.current_dir(folder), &log, port, &password)?);
            process.await_ready(&log, || answers(port, &password).unwrap_or(false))?;
            let url = format!("redis://default:{password}@127.0.0.1:{port}");
            Ok(Self { _process: process, url, program: program.clone() })
        })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn program(&self) -> &Path {
        &self.program
    }
}

/// Starts a Redis by this command. Its settings go through standard input, because every user can read a
/// command line.
pub(crate) fn spawn(command: &mut Command, log: &Path, port: u16, password: &str) -> Result<Child, Failure> {
    let mut child = spawn_logged(command.arg("-").stdin(Stdio::piped()), log)?;
    let settings = format!("bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave \"\"\nappendonly no\n");
    let written = child.stdin.take().map(|mut input| input.write_all(settings.as_bytes()));
    written.unwrap_or(Ok(())).doing("tell Redis its settings")?;
    Ok(child)
}

fn answers(port: u16, password: &str) -> std::io::Result<bool> {
    let mut stream = connect(port)?;
    stream.write_all(format!("AUTH {password}\r\nPING\r\n").as_bytes())?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    Ok(&answer == b"+OK\r\n+PONG\r\n")
}
