//! A Redis for one run of tests or measurements. It writes only its log to disk.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::{Process, connect, guarded, on_free_port, password};
use crate::workspace::{Doing, Failure, Workspace, read_output};

/// A running server. Dropping it stops it.
pub(super) struct Redis {
    _process: Process,
    url: String,
    program: PathBuf,
}

impl Redis {
    pub(super) fn start(workspace: &Workspace, folder: &Path) -> Result<Self, Failure> {
        let found = read_output(&mut workspace.program("sh", &["-c", "command -v redis-server"]))?;
        let program = PathBuf::from(String::from_utf8_lossy(&found).trim());
        let password = password()?;
        on_free_port(|port| {
            let log = folder.join("redis.log");
            let output = fs::File::create(&log).doing("make a log")?;
            // Settings go through standard input: every user can read a command line.
            let mut command = guarded(workspace, None, &program);
            command.arg("-").current_dir(folder);
            command.stdin(Stdio::piped()).stderr(output.try_clone().doing("make a log")?);
            let mut child = command.stdout(output).spawn().doing("start Redis")?;
            let settings = settings(port, &password);
            let mut input = child.stdin.take();
            let mut process = Process(child);
            let written = input.as_mut().map(|input| input.write_all(settings.as_bytes()));
            written.unwrap_or(Ok(())).doing("tell Redis its settings")?;
            drop(input);
            process.await_ready(&log, || answers(port, &password).unwrap_or(false))?;
            let url = format!("redis://default:{password}@127.0.0.1:{port}");
            Ok(Self { _process: process, url, program: program.clone() })
        })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn program(&self) -> &Path {
        &self.program
    }
}

fn settings(port: u16, password: &str) -> String {
    format!("bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave \"\"\nappendonly no\n")
}

fn answers(port: u16, password: &str) -> std::io::Result<bool> {
    let mut stream = connect(port)?;
    stream.write_all(format!("AUTH {password}\r\nPING\r\n").as_bytes())?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    Ok(&answer == b"+OK\r\n+PONG\r\n")
}
