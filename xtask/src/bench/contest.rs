//! One workload: all servers answer it in turn, round after round, so that the ratios are valid on a busy
//! machine, too.

use super::goals::PLATFORM;
use super::load::{self, Generator};
use super::program::Program;
use super::request::Request;
use super::server::Server;
use super::setup::Setup;
use super::shared_tools::Tools;
use super::table::{Round, Sample, Table};
use super::workload::{Times, Transport, Workload};
use super::{BenchOptions, SERVER_CORE};
use crate::cpu_time::CpuTime;
use crate::workspace::{Failure, read_output};

const WARM_UP_SECONDS: u32 = 1;
/// No other process runs on the core meanwhile, so a short time suffices.
const RAW_SECONDS: u32 = 1;
/// A just-in-time compiler needs longer.
const WARM_UP_SECONDS_OF_PEERS: u32 = 5;

/// The figures of one workload.
pub(super) struct Outcome {
    pub(super) table: Table,
    /// MiB before and after the load, in the order of the table's contenders.
    pub(super) memory: Vec<[f64; 2]>,
    /// Peers that do not serve the workload.
    pub(super) not_served: Vec<&'static str>,
}

/// A measured server, and its load.
struct Contender {
    name: &'static str,
    workload: Workload,
    server: Server,
    request: Request,
    load: Generator,
    memory_before: f64,
    warm_up_seconds: u32,
}

impl Contender {
    /// The inner failure means that the server issues tokens, and does not serve the workload.
    fn start(
        tools: &Tools<'_>,
        workload: Workload,
        name: &'static str,
        program: Program<'_>,
    ) -> Result<Result<Self, Failure>, Failure> {
        let folder = tools.folder.join(workload.title()).join(name);
        let certificate = (workload.transport() != Transport::Http).then_some(&tools.certificate);
        let setup = Setup { rotation: workload.rotation(), ..Setup::new(workload.algorithm(), certificate)? };
        let mut server = Server::start(tools.workspace, program, &setup, &folder)?;
        let (token, _) = server.await_token()?;
        let memory_before = server.memory();
        let proofs = tools.proofs();
        let request = workload.request(&server, &token, &proofs);
        let checked = |request| workload.check(&server, &request, &proofs).map(|()| request);
        let request = match request.and_then(checked) {
            Ok(request) => request,
            Err(failure) => return Ok(Err(failure)),
        };
        let load = Generator::new(&server, &request, workload.transport(), tools, &folder)?;
        let warm_up_seconds = if program.is_peer() { WARM_UP_SECONDS_OF_PEERS } else { WARM_UP_SECONDS };
        Ok(Ok(Self { name, workload, server, request, load, memory_before, warm_up_seconds }))
    }

    fn sample(&self, tools: &Tools<'_>, connections: u32, seconds: u32) -> Result<Sample, Failure> {
        if let Some(proof) = &self.request.proof {
            self.load.renew_proofs(&tools.proofs(), proof, seconds)?;
        }
        let before = CpuTime::from_processes(&[self.server.process()])?;
        let load = self.load.run(tools.workspace, connections, seconds)?;
        let cpu_seconds = CpuTime::from_processes(&[self.server.process()])?.seconds_since(&before);
        Ok(Sample { per_cpu_second: load.answered() / cpu_seconds, load })
    }
}

/// Measures and prints the table of one workload.
pub(super) fn hold(tools: &Tools<'_>, workload: Workload) -> Result<Outcome, Failure> {
    let Tools { options: &BenchOptions { rounds, seconds, ref connections, .. }, .. } = *tools;
    let connections = match workload.times() {
        Times::Compared => connections.clone(),
        Times::Shown => connections.iter().take(1).copied().collect(),
        Times::OfPasswords => vec![Workload::CONNECTIONS_WITH_PASSWORDS],
    };
    let (mut contenders, mut not_served) = (Vec::new(), Vec::new());
    for &(name, program) in &tools.programs {
        if program.is_peer() && !workload.concerns_peers() {
            continue;
        }
        match Contender::start(tools, workload, name, program)? {
            Err(reason) if program.is_peer() => {
                println!("\n{name} does not serve this. {reason}");
                not_served.push(name);
            }
            started => contenders.push(started?),
        }
    }
    if let Some((name, base)) = workload.base() {
        let (_, program) = tools.programs[PLATFORM];
        contenders.push(Contender::start(tools, base, name, program)??);
    }
    for contender in &contenders {
        contender.sample(
            tools,
            connections.first().map_or(16, |few| *few.min(&16)),
            contender.warm_up_seconds,
        )?;
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
            let one = |contender: &Contender| contender.sample(tools, connections, seconds);
            contenders.iter().map(one).collect::<Result<Vec<_>, _>>()
        };
        let samples = table.connections.iter().map(all).collect::<Result<_, _>>()?;
        table.rounds.push(Round { raw_per_cpu_second, samples });
    }
    table.print();
    let mut memory = Vec::new();
    for Contender { name, workload, server, request, memory_before, .. } in contenders {
        workload.check(&server, &request, &tools.proofs())?;
        let memory_after = server.memory();
        // The access log has the pattern of the route, which ends like the path.
        let path = request.path.split('?').next().unwrap_or_default();
        let end = path.rsplit('/').next().unwrap_or_default();
        let lines = server.stop(end)?;
        println!(
            "{name}: {memory_before:.1} MiB before the load, {memory_after:.1} after, {lines} lines in its access log"
        );
        memory.push([memory_before, memory_after]);
    }
    Ok(Outcome { table, memory, not_served })
}

/// The signing rate of the server's core, measured by a program that does nothing else.
fn raw_per_cpu_second(tools: &Tools<'_>, workload: Workload) -> Result<f64, Failure> {
    let (program, seconds) = (tools.raw_signs.to_string_lossy(), RAW_SECONDS.to_string());
    let arguments = ["-c", SERVER_CORE, &program, &seconds, workload.algorithm().name()];
    let answer = read_output(&mut tools.workspace.program("taskset", &arguments))?;
    load::number(&String::from_utf8_lossy(&answer), "per_cpu_second")
}
