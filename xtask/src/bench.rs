//! Measures the overhead of the platform beyond the signature, in one run on one core: answers per server CPU
//! second and times, in relation to bare handlers of the same web framework. The summary at the end compares
//! them with the goals.

mod algorithm;
mod calls;
mod certificate;
mod contest;
mod endpoints;
mod exchange;
mod goals;
mod load;
mod memory;
mod peers;
mod people;
mod program;
mod proofs;
mod request;
mod server;
mod setup;
mod shared_tools;
mod spread;
mod starts;
mod table;
mod warm_store;
mod workers;
mod workload;

use std::fs;
use std::path::PathBuf;

use clap::Args;

use crate::tools::{self, FOR_MEASUREMENTS};
use crate::workspace::{Doing, Failure, SHIPPED_PROFILE, Workspace, run as run_program};
use calls::Measured;
pub(crate) use calls::VERIFIERS;
use certificate::Certificate;
use goals::{PLATFORM_NAME, RELEASE_NAME};
use peers::Peers;
use program::Program;
use shared_tools::Tools;
use warm_store::WarmStores;
use workload::{Times, Workload};

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
    /// Measure the workloads only: no starts, no idle memory, no single calls, no second worker
    #[arg(long)]
    workloads_only: bool,
    /// Also measure oidc-provider from npm, with its clients in memory and in Redis,
    /// and print the lead over it
    #[arg(long)]
    peers: bool,
    /// Write the lead over the peers as an SVG file
    #[arg(long, value_name = "FILE", requires = "peers")]
    plot: Option<PathBuf>,
}

pub(crate) fn run(workspace: &Workspace, options: &BenchOptions) -> Result<(), Failure> {
    if std::thread::available_parallelism().is_ok_and(|cores| cores.get() < 2) {
        return Err(Failure::new("a measurement needs two cores: one for the server, one for the load"));
    }
    tools::make_ready(workspace, FOR_MEASUREMENTS)?;
    build(workspace, &["--package", "latchkey"])?;
    // It takes minutes, and has goals in these alone.
    let compared = options.workloads.iter().any(|workload| workload.times() == Times::Compared);
    let with_release = compared || !options.workloads_only;
    if with_release {
        run_program(&mut workspace.cargo(&["build", "--release", "--package", "latchkey"]))?;
    }
    build(workspace, &["--package", "keys", "--example", "raw_signs"])?;
    let examples = ["bare_handler", "resumption_load", "proofs"].map(|name| ["--example", name]);
    build(workspace, &[&["--package", "gateway"], examples.as_flattened()].concat())?;
    if !options.workloads_only {
        for Measured { build: what, .. } in calls::MEASURED {
            build(workspace, what)?;
        }
    }
    let built = workspace.target_folder()?.join(SHIPPED_PROFILE);
    let folder = built.join(format!("bench-{}", std::process::id()));
    fs::create_dir_all(&folder).doing(format_args!("make {}", folder.display()))?;
    println!("\nrounds: {}, each {} s of each server on core {SERVER_CORE}", options.rounds, options.seconds);
    let (bare, platform) = (built.join("examples/bare_handler"), built.join("latchkey"));
    let release = workspace.target_folder()?.join("release/latchkey");
    let mut programs =
        vec![("bare handler", Program::BareHandler(&bare)), (PLATFORM_NAME, Program::Platform(&platform))];
    if with_release {
        programs.push((RELEASE_NAME, Program::Platform(&release)));
    }
    programs.extend(options.against.as_deref().map(|other| ("other build", Program::Platform(other))));
    let peers = if options.peers { Some(Peers::start(workspace, &folder)?) } else { None };
    programs.extend(peers.iter().flat_map(Peers::programs));
    let tools = Tools {
        workspace,
        options,
        programs,
        raw_signs: built.join("examples/raw_signs"),
        resumption_load: built.join("examples/resumption_load"),
        proofs: built.join("examples/proofs"),
        certificate: Certificate::make(workspace, &platform, &folder)?,
        folder,
    };
    let (mut figures, mut outcomes, mut restarts) = (Vec::new(), Vec::new(), Vec::new());
    for &workload in &options.workloads {
        let outcome = contest::hold(&tools, workload)?;
        figures.extend(goals::of_workload(workload, &outcome.table));
        outcomes.push((workload, outcome));
    }
    if !options.workloads_only {
        let stores = WarmStores::fill(&tools)?;
        figures.extend(memory::measure(&stores)?);
        restarts = starts::measure(&stores)?;
        figures.extend(starts::figures(&restarts));
        figures.extend(calls::measure(workspace, &built, options.rounds)?);
        figures.push(workers::measure(&tools, Program::Platform(&platform))?);
    }
    goals::print(&figures);
    if options.peers {
        peers::compare(&outcomes, &restarts, options.plot.as_deref())?;
    }
    fs::remove_dir_all(&tools.folder).doing(format_args!("remove {}", tools.folder.display()))
}

/// Builds into one folder, also a workspace of its own.
fn build(workspace: &Workspace, what: &[&str]) -> Result<(), Failure> {
    let mut cargo = workspace.cargo(&[&["build", "--profile", SHIPPED_PROFILE], what].concat());
    run_program(cargo.env("CARGO_TARGET_DIR", workspace.target_folder()?))
}
