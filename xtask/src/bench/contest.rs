//! One workload: all servers answer it in turn, round for round, so that the ratios also hold on a busy machine.

use std::path::{Path, PathBuf};

use super::load;
use super::program::Program;
use super::server::Server;
use super::table::{Round, Sample, Table};
use super::workload::Workload;
use super::{BenchOptions, SERVER_CORE};
use crate::workspace::{Failure, Workspace, read_output};

const WARM_UP_SECONDS: u32 = 1;

/// A measured server, and what it is requested.
struct Contender {
    name: &'static str,
    server: Server,
    request: super::request::Request,
    script: PathBuf,
    idle_kib: u64,
}

impl Contender {
    fn start(
        workspace: &Workspace,
        workload: Workload,
        (name, program): (&'static str, Program<'_>),
        folder: &Path,
    ) -> Result<Self, Failure> {
        let mut server = Server::start(workspace, program, workload.algorithm(), folder)?;
        let token = server.await_token(workload.algorithm())?;
        let idle_kib = server.memory_kib();
        let request = workload.request(&server, &token)?;
        workload.check(&server, &request)?;
        let script = load::write_script(&request, folder)?;
        Ok(Self { name, server, request, script, idle_kib })
    }

    fn load(&self, workspace: &Workspace, connections: u32, seconds: u32) -> Result<Sample, Failure> {
        let url = format!("http://{}{}", self.server.address(), self.request.path);
        let before = self.server.cpu_time()?;
        let load = load::apply(workspace, &url, &self.script, connections, seconds)?;
        let cpu_seconds = self.server.cpu_time()?.seconds_since(&before);
        Ok(Sample { per_cpu_second: load.answered() / cpu_seconds, load })
    }
}

/// Measures and prints the table of one workload.
pub(super) fn hold(
    workspace: &Workspace,
    options: &BenchOptions,
    workload: Workload,
    programs: &[(&'static str, Program<'_>)],
    raw_signs: &Path,
    folder: &Path,
) -> Result<Table, Failure> {
    let start = |named: &(&'static str, Program<'_>)| {
        Contender::start(workspace, workload, *named, &folder.join(workload.title()).join(named.0))
    };
    let contenders = programs.iter().map(start).collect::<Result<Vec<_>, _>>()?;
    for contender in &contenders {
        contender.load(workspace, 16, WARM_UP_SECONDS)?;
    }
    let mut table = Table {
        title: workload.title().to_owned(),
        contenders: contenders.iter().map(|contender| contender.name).collect(),
        connections: options.connections.clone(),
        rounds: Vec::new(),
    };
    for _ in 0..options.rounds {
        let raw =
            workload.signs().then(|| raw_per_cpu_second(workspace, raw_signs, workload, options.seconds));
        let raw_per_cpu_second = raw.transpose()?;
        let all = |&connections: &u32| {
            let one = |contender: &Contender| contender.load(workspace, connections, options.seconds);
            contenders.iter().map(one).collect::<Result<Vec<_>, _>>()
        };
        let samples = options.connections.iter().map(all).collect::<Result<_, _>>()?;
        table.rounds.push(Round { raw_per_cpu_second, samples });
    }
    table.print();
    for Contender { name, server, request, idle_kib, .. } in contenders {
        workload.check(&server, &request)?;
        let loaded_kib = server.memory_kib();
        let lines = server.stop(request.path)?;
        println!(
            "{name}: {:.1} MiB before the load, {:.1} after, {lines} lines in its access log",
            mib(idle_kib),
            mib(loaded_kib)
        );
    }
    Ok(table)
}

/// The signing rate of the server's core, measured by a program that does nothing else.
fn raw_per_cpu_second(
    workspace: &Workspace,
    program: &Path,
    workload: Workload,
    seconds: u32,
) -> Result<f64, Failure> {
    let program = program.to_string_lossy();
    let arguments = ["-c", SERVER_CORE, &program, &seconds.to_string(), workload.algorithm().name()];
    let answer = read_output(&mut workspace.program("taskset", &arguments))?;
    load::number(&String::from_utf8_lossy(&answer), "per_cpu_second")
}

#[expect(clippy::cast_precision_loss, reason = "kibibytes of a process are far below 2^52")]
fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
