//! Measures the overhead of the platform beyond the signature, in one run on one core: answers per server CPU
//! second and times, in relation to bare handlers of the same web framework. The summary at the end compares
//! them with the goals.

mod calls;
mod goals;
mod load;
mod request;
mod rounds;
mod server;
mod spread;
mod starts;
mod table;
mod workload;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use crate::tools::{self, FOR_MEASUREMENTS};
use crate::workspace::{Doing, Failure, SHIPPED_PROFILE, Workspace, run as run_program};
use server::Program;
use workload::Workload;

/// The server and the raw signatures run on this core, the load on the other one.
const SERVER_CORE: &str = "0";
const LOAD_CORE: &str = "1";

/// How long, how often and what to measure.
#[derive(Args)]
pub(crate) struct BenchOptions {
    /// Number of rounds; the report shows minimum, median and maximum
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=50))]
    rounds: u32,
    /// Length of one measurement
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=120))]
    seconds: u32,
    /// What is requested, one table each
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Workload::ALL)]
    workloads: Vec<Workload>,
    /// Connections of the load; answers per CPU second are those with the first number
    #[arg(long, value_delimiter = ',', default_values_t = [16, 256], value_parser = clap::value_parser!(u32).range(1..=1000))]
    connections: Vec<u32>,
    /// Another build of the platform to measure in the same rounds: shows what a change costs
    #[arg(long, value_name = "PROGRAM")]
    against: Option<PathBuf>,
    /// Measure the workloads only: no starts, no idle memory, no single calls
    #[arg(long)]
    workloads_only: bool,
}

/// The parts that all measurements share.
struct Run<'a> {
    workspace: &'a Workspace,
    options: &'a BenchOptions,
    /// The bare handler, the platform, and another build of it.
    programs: Vec<Program>,
    /// The folder of the programs that are built for the run, and that of the run.
    built: PathBuf,
    folder: PathBuf,
}

impl Run<'_> {
    fn on_the_servers_core(&self, program: &Path) -> Command {
        let mut command = self.workspace.program("taskset", &["-c", SERVER_CORE]);
        command.arg(program);
        command
    }
}

pub(crate) fn run(workspace: &Workspace, options: &BenchOptions) -> Result<(), Failure> {
    if std::thread::available_parallelism().is_ok_and(|cores| cores.get() < 2) {
        return Err(Failure::new("a measurement needs two cores: one for the server, one for the load"));
    }
    tools::make_ready(workspace, FOR_MEASUREMENTS)?;
    build(workspace, &["--package", "latchkey"])?;
    build(workspace, &["--package", "keys", "--example", "raw_signs"])?;
    build(workspace, &["--package", "gateway", "--example", "bare_handler"])?;
    if !options.workloads_only {
        for what in calls::MEASURED {
            build(workspace, what.build)?;
        }
    }
    let built = workspace.target_folder()?.join(SHIPPED_PROFILE);
    let folder = built.join(format!("bench-{}", std::process::id()));
    fs::create_dir_all(&folder).doing(format_args!("make {}", folder.display()))?;
    println!("\nrounds: {}, each {} s of each server on core {SERVER_CORE}", options.rounds, options.seconds);
    let bare = Program { name: "bare handler", path: built.join("examples/bare_handler"), is_bare: true };
    let platform = |name, path| Program { name, path, is_bare: false };
    let mut programs = vec![bare, platform("latchkey", built.join("latchkey"))];
    programs.extend(options.against.clone().map(|other| platform("other build", other)));
    let run = Run { workspace, options, programs, built, folder };
    let (mut figures, mut tables) = (Vec::new(), Vec::new());
    for &workload in &options.workloads {
        let table = rounds::measure(&run, workload)?;
        figures.extend(goals::of_workload(workload, &table));
        tables.push((workload, table));
    }
    figures.extend(goals::over_eddsa(&tables));
    if !options.workloads_only {
        figures.extend(starts::measure(&run)?);
        figures.extend(calls::measure(&run)?);
    }
    goals::print(&figures);
    fs::remove_dir_all(&run.folder).doing(format_args!("remove {}", run.folder.display()))
}

fn build(workspace: &Workspace, what: &[&str]) -> Result<(), Failure> {
    run_program(&mut workspace.cargo(&[&["build", "--profile", SHIPPED_PROFILE], what].concat()))
}
