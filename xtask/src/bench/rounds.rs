//! One workload: all servers answer it in turn, round after round, so that the ratios are valid on a busy
//! machine, too.

use super::Run;
use super::load::{self, Generator};
use super::request::Request;
use super::server::Server;
use super::table::{Round, Sample, Table};
use super::workload::Workload;
use crate::cpu_time::CpuTime;
use crate::workspace::{Failure, read_text};

const WARM_UP_SECONDS: u32 = 1;
/// No other process runs on the core meanwhile, so a short time suffices.
const RAW_SECONDS: u32 = 1;

/// A measured server, and its load.
struct Contender {
    name: &'static str,
    server: Server,
    request: Request,
    load: Generator,
    memory_before: f64,
}

impl Contender {
    fn sample(&self, run: &Run<'_>, connections: u32, seconds: u32) -> Result<Sample, Failure> {
        let before = CpuTime::from_processes(&[self.server.process()])?;
        let load = self.load.run(run.workspace, connections, seconds)?;
        let cpu_seconds = CpuTime::from_processes(&[self.server.process()])?.seconds_since(&before);
        Ok(Sample { per_cpu_second: load.answered / cpu_seconds, load })
    }
}

/// Measures and prints the table of one workload.
pub(super) fn measure(run: &Run<'_>, workload: Workload) -> Result<Table, Failure> {
    let mut contenders = Vec::new();
    for program in &run.programs {
        let folder = run.folder.join(workload.title()).join(program.name);
        let mut server = Server::start(run.workspace, program, workload, &folder)?;
        let (token, _) = server.await_token()?;
        let memory_before = server.memory();
        let request = workload.request(&server, &token)?;
        workload.check(&server, &request)?;
        let load = Generator::new(&server, &request, &folder)?;
        contenders.push(Contender { name: program.name, server, request, load, memory_before });
    }
    let connections = run.options.connections.clone();
    for contender in &contenders {
        contender.sample(run, connections[0], WARM_UP_SECONDS)?;
    }
    let mut rounds = Vec::new();
    for _ in 0..run.options.rounds {
        let raw_per_cpu_second = workload.signs().then(|| raw_per_cpu_second(run, workload)).transpose()?;
        let all = |&connections: &u32| {
            let one = |contender: &Contender| contender.sample(run, connections, run.options.seconds);
            contenders.iter().map(one).collect::<Result<Vec<_>, _>>()
        };
        let samples = connections.iter().map(all).collect::<Result<_, _>>()?;
        rounds.push(Round { raw_per_cpu_second, samples });
    }
    let names = run.programs.iter().map(|program| program.name).collect();
    let table = Table { title: workload.title(), contenders: names, connections, rounds };
    table.print();
    for Contender { name, server, request, memory_before, .. } in contenders {
        workload.check(&server, &request)?;
        let memory = server.memory();
        let lines = server.stop()?;
        println!(
            "{name}: {memory_before:.1} MiB before the load, {memory:.1} after, {lines} lines in its log"
        );
    }
    Ok(table)
}

/// The signing rate of the server's core, measured by a program that does nothing else.
fn raw_per_cpu_second(run: &Run<'_>, workload: Workload) -> Result<f64, Failure> {
    let program = run.built.join("examples/raw_signs");
    let mut command = run.on_the_servers_core(&program);
    let answer = read_text(command.args([&RAW_SECONDS.to_string(), workload.algorithm()]))?;
    load::number(&answer, "per_cpu_second")
}
