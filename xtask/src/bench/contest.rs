//! One workload: all servers answer it in turn, round for round, so that the ratios also hold on a busy machine.

use std::path::PathBuf;

use super::certificate::Certificate;
use super::cpu_time::CpuTime;
use super::load::{self, Generator};
use super::program::Program;
use super::request::Request;
use super::server::Server;
use super::setup::Setup;
use super::table::{Round, Sample, Table};
use super::workload::{Transport, Workload};
use super::{BenchOptions, SERVER_CORE};
use crate::workspace::{Failure, Workspace, read_output};

const WARM_UP_SECONDS: u32 = 1;
/// Nothing else runs on the core meanwhile, so that a short time suffices.
const RAW_SECONDS: u32 = 1;

/// What all workloads of a run have in common.
pub(super) struct Tools<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) options: &'a BenchOptions,
    /// Named as in the tables; the bare handler is the first.
    pub(super) programs: Vec<(&'static str, Program<'a>)>,
    pub(super) raw_signs: PathBuf,
    pub(super) resumption_load: PathBuf,
    pub(super) certificate: Certificate,
    pub(super) folder: PathBuf,
}

/// A measured server, and its load.
struct Contender {
    name: &'static str,
    server: Server,
    request: Request,
    load: Generator,
    memory_before: f64,
}

impl Contender {
    fn start(
        tools: &Tools<'_>,
        workload: Workload,
        name: &'static str,
        program: Program<'_>,
    ) -> Result<Self, Failure> {
        let folder = tools.folder.join(workload.title()).join(name);
        let certificate = (workload.transport() != Transport::Http).then_some(&tools.certificate);
        let setup = Setup::new(workload.algorithm(), certificate)?;
        let mut server = Server::start(tools.workspace, program, &setup, &folder)?;
        let (token, _) = server.await_token()?;
        let memory_before = server.memory();
        let request = workload.request(&server, &token)?;
        workload.check(&server, &request)?;
        let load = Generator::new(&server, &request, workload.transport(), tools, &folder)?;
        Ok(Self { name, server, request, load, memory_before })
    }

    fn sample(&self, workspace: &Workspace, connections: u32, seconds: u32) -> Result<Sample, Failure> {
        let before = CpuTime::of(&[self.server.process()])?;
        let load = self.load.run(workspace, connections, seconds)?;
        let cpu_seconds = CpuTime::of(&[self.server.process()])?.seconds_since(&before);
        Ok(Sample { per_cpu_second: load.answered() / cpu_seconds, load })
    }
}

/// Measures and prints the table of one workload.
pub(super) fn hold(tools: &Tools<'_>, workload: Workload) -> Result<Table, Failure> {
    let Tools { workspace, options: &BenchOptions { rounds, seconds, ref connections, .. }, .. } = *tools;
    // Rows over TLS have no goal, so that one number of connections suffices.
    let connections = match workload.transport() {
        Transport::Http => connections.clone(),
        Transport::Tls | Transport::TlsResumption => connections.iter().take(1).copied().collect(),
    };
    let start =
        |&(name, program): &(&'static str, Program<'_>)| Contender::start(tools, workload, name, program);
    let contenders = tools.programs.iter().map(start).collect::<Result<Vec<_>, _>>()?;
    for contender in &contenders {
        contender.sample(workspace, 16, WARM_UP_SECONDS)?;
    }
    let mut table = Table {
        title: workload.title(),
        contenders: contenders.iter().map(|contender| contender.name).collect(),
        connections,
        rounds: Vec::new(),
    };
    for _ in 0..rounds {
        let signs = workload.signs() && workload.transport() == Transport::Http;
        let raw = signs.then(|| raw_per_cpu_second(tools, workload));
        let raw_per_cpu_second = raw.transpose()?;
        let all = |&connections: &u32| {
            let one = |contender: &Contender| contender.sample(workspace, connections, seconds);
            contenders.iter().map(one).collect::<Result<Vec<_>, _>>()
        };
        let samples = table.connections.iter().map(all).collect::<Result<_, _>>()?;
        table.rounds.push(Round { raw_per_cpu_second, samples });
    }
    table.print();
    for Contender { name, server, request, memory_before, .. } in contenders {
        workload.check(&server, &request)?;
        let memory_after = server.memory();
        // The access log has the pattern of the route, which ends like the path.
        let end = request.path.rsplit('/').next().unwrap_or_default();
        let lines = server.stop(end)?;
        println!(
            "{name}: {memory_before:.1} MiB before the load, {memory_after:.1} after, {lines} lines in its access log"
        );
    }
    Ok(table)
}

/// The signing rate of the server's core, measured by a program that does nothing else.
fn raw_per_cpu_second(tools: &Tools<'_>, workload: Workload) -> Result<f64, Failure> {
    let (program, seconds) = (tools.raw_signs.to_string_lossy(), RAW_SECONDS.to_string());
    let arguments = ["-c", SERVER_CORE, &program, &seconds, workload.algorithm().name()];
    let answer = read_output(&mut tools.workspace.program("taskset", &arguments))?;
    load::number(&String::from_utf8_lossy(&answer), "per_cpu_second")
}
