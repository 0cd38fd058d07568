//! A proxy that runs in a folder. It is stopped when the value is dropped.

use std::fs::OpenOptions;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::host::{LONGEST, signal, wait};

pub(crate) struct ProxyProcess {
    process: Child,
    log: PathBuf,
}

impl ProxyProcess {
    /// Starts the proxy with a log in the folder, and waits until it listens at the addresses.
    #[track_caller]
    pub(crate) fn start(command: &mut Command, folder: &Path, addresses: &[&str]) -> Self {
        let log = folder.join("proxy.log");
        let output = OpenOptions::new().create(true).append(true).open(&log).unwrap();
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let process = command.spawn().unwrap_or_else(|error| {
            panic!("{command:?}: {error}: run `cargo xtask test`, which installs what this needs")
        });
        let mut proxy = Self { process, log };
        let until = Instant::now() + LONGEST;
        while !addresses.iter().all(|address| TcpStream::connect(address).is_ok()) {
            let ended = proxy.process.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < until, "{command:?} does not listen: {ended:?}");
            thread::sleep(Duration::from_millis(20));
        }
        proxy
    }
}

impl Drop for ProxyProcess {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            // On SIGTERM Apache also frees the memory that its processes share.
            signal("TERM", self.process.id());
        }
        if wait(&mut self.process, Duration::from_secs(10)).is_none() {
            drop(self.process.kill());
            drop(self.process.wait());
        }
        if thread::panicking() {
            eprintln!("the proxy wrote:\n{}", std::fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}
