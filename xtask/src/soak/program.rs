//! The measured platform: one worker on its own core, on a port of the loopback interface.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use super::calls::Caller;
use super::tenants::Client;
use super::test_env::TestEnv;
use crate::cpu_time::CpuTime;
use crate::resident_memory::resident_mib;
use crate::servers::{free_port, spawn_logged};
use crate::workspace::{Doing, Failure};

const CORE: &str = "0";
/// The core of a load that is a separate program.
pub(super) const LOAD_CORE: &str = "1";
/// The host of the public URL. Its port is not that of the program. A program that signs people in accepts
/// http for its own machine only.
pub(super) const HOST: &str = "127.0.0.1:3000";
const START: Duration = Duration::from_secs(60);
/// A change of Redis is noticed within this time.
const REDIS: Duration = Duration::from_secs(20);
/// Short beside the measured times, and long enough to leave the core to the program.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// A running program. Dropping it ends the process, and only that one.
pub(super) struct Program {
    process: Child,
    began: Instant,
    pub(super) address: SocketAddr,
    log: PathBuf,
}

impl Program {
    /// Starts the program with these stores and tenants; it may not be ready yet.
    pub(super) fn start(test_env: &TestEnv<'_>, stores: &str, tenants: &str) -> Result<Self, Failure> {
        Self::start_named(test_env, "config", stores, tenants)
    }

    /// Like [`Program::start`], with other file names, so that several programs can run.
    pub(super) fn start_named(
        test_env: &TestEnv<'_>,
        name: &str,
        stores: &str,
        tenants: &str,
    ) -> Result<Self, Failure> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let (config, log) = (test_env.file(&format!("{name}.yaml")), test_env.file(&format!("{name}.log")));
        let key = test_env.file("sealing.key").display().to_string();
        // A trusted proxy may have more than a quarter of the connections.
        let text = format!(
            "server: {{ public_url: 'http://{HOST}', listeners: [{{ address: '{address}', \
             trusted_proxies: {{ from: ['127.0.0.1'], header: x-forwarded-for }} }}], workers: 1 }}\n\
             keys: {{ sealing_key: {{ file: '{key}' }} }}\n{stores}{tenants}"
        );
        fs::write(&config, text).doing("write the configuration")?;
        // taskset executes the program in its own process, so the child's id is the program's.
        let mut command = test_env.workspace.program("taskset", &["-c", CORE]);
        command.arg(&test_env.program).args(["serve", "--config"]).arg(&config);
        let began = Instant::now();
        let process = spawn_logged(&mut command, &log)?;
        Ok(Self { process, began, address, log })
    }

    /// The time from the program's start to this client's first token.
    pub(super) fn await_token(&mut self, client: &Client) -> Result<Duration, Failure> {
        loop {
            let status = Caller::new(self.address).token(client).status;
            if status == 200 {
                return Ok(self.began.elapsed());
            }
            let ended = self.process.try_wait().doing("look after the program")?;
            if ended.is_some() || self.began.elapsed() > START {
                let log = fs::read_to_string(&self.log).unwrap_or_default();
                let end: Vec<&str> = log.lines().rev().take(10).collect();
                return Err(Failure::new(format!(
                    "the program gives no token ({status}):\n{}",
                    end.join("\n")
                )));
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// Resident memory in MiB.
    pub(super) fn memory(&self) -> f64 {
        resident_mib(self.process.id())
    }

    /// The CPU time of its threads.
    pub(super) fn cpu_time(&self) -> Result<CpuTime, Failure> {
        CpuTime::from_processes(&[self.process.id()])
    }

    /// Waits until its metrics report that Redis is in use, or that it is not.
    pub(super) fn await_redis(&self, is_used: bool) -> Result<(), Failure> {
        let expected = format!("latchkey_redis_up {}", u8::from(is_used));
        let began = Instant::now();
        while !Caller::new(self.address).get("/metrics").lines().any(|line| line == expected) {
            if began.elapsed() > REDIS {
                return Err(Failure::new(format!("waited in vain for {expected}")));
            }
            thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail harmlessly when the program has already ended.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
