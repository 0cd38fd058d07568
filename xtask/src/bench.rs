//! Measures the overhead of the platform beyond the signature, in one run on one core. The table compares tokens per server CPU second with
//! a bare handler of the same web framework and with raw signatures. The contenders alternate in each round, so that the ratios also hold
//! on a busy machine.

mod load;
mod report;
mod server;
mod spread;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::tools::{self, FOR_MEASUREMENTS};
use crate::workspace::{Doing, Failure, SHIPPED_PROFILE, Workspace, read_output, run as run_program};
use report::Round;
use server::{Program, Server};

/// The server and the raw signatures run on this core, the load on the other one.
const SERVER_CORE: &str = "0";
const LOAD_CORE: &str = "1";

const WARM_UP_SECONDS: u32 = 2;

/// How long, how often and what to measure.
#[derive(Args)]
pub(crate) struct BenchOptions {
    /// Number of rounds; the report shows minimum, median and maximum
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=50))]
    rounds: u32,
    /// Length of one measurement
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=120))]
    seconds: u32,
    /// Signing algorithms, one table each
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa])]
    algorithms: Vec<Algorithm>,
    /// Another build of the platform to measure in the same rounds: shows what a change costs
    #[arg(long, value_name = "PROGRAM")]
    against: Option<PathBuf>,
}

/// The signing algorithm of the tokens.
#[derive(Clone, Copy, ValueEnum)]
enum Algorithm {
    /// With 2048 bits
    Rs256,
    /// With P-256
    Es256,
    /// With Ed25519
    #[value(name = "eddsa")]
    EdDsa,
}

impl Algorithm {
    /// The `alg` value (RFC 7518 §3.1, RFC 8037 §3.1).
    fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The length of a signature in base64url.
    fn signature_length(self) -> usize {
        match self {
            Self::Rs256 => 342,
            Self::Es256 | Self::EdDsa => 86,
        }
    }
}

/// A measured server and its name in the report.
struct Contender {
    name: &'static str,
    server: Server,
}

pub(crate) fn run(workspace: &Workspace, options: &BenchOptions) -> Result<(), Failure> {
    if std::thread::available_parallelism().is_ok_and(|cores| cores.get() < 2) {
        return Err(Failure::new("a measurement needs two cores: one for the server, one for the load"));
    }
    tools::make_ready(workspace, FOR_MEASUREMENTS)?;
    build(workspace, &["--package", "latchkey"])?;
    build(workspace, &["--package", "keys", "--example", "raw_signs"])?;
    build(workspace, &["--package", "gateway", "--example", "bare_handler"])?;
    let built = workspace.target_folder()?.join(SHIPPED_PROFILE);
    let folder = built.join(format!("bench-{}", std::process::id()));
    println!(
        "\nrounds: {}, each {} s of signatures and of each server on core {SERVER_CORE}",
        options.rounds, options.seconds
    );
    for &algorithm in &options.algorithms {
        measure(workspace, options, algorithm, &built, &folder.join(algorithm.name()))?;
    }
    fs::remove_dir_all(&folder).doing(format_args!("remove {}", folder.display()))
}

fn build(workspace: &Workspace, what: &[&str]) -> Result<(), Failure> {
    run_program(&mut workspace.cargo(&[&["build", "--profile", SHIPPED_PROFILE], what].concat()))
}

/// One table: all servers with one algorithm.
fn measure(
    workspace: &Workspace,
    options: &BenchOptions,
    algorithm: Algorithm,
    built: &Path,
    folder: &Path,
) -> Result<(), Failure> {
    let (bare, platform) = (built.join("examples/bare_handler"), built.join("latchkey"));
    let mut programs =
        vec![("bare handler", Program::BareHandler(&bare)), ("latchkey", Program::Platform(&platform))];
    programs.extend(options.against.as_deref().map(|other| ("other build", Program::Platform(other))));
    let mut contenders = Vec::new();
    for (name, program) in programs {
        let mut server = Server::start(workspace, program, algorithm, &folder.join(name))?;
        server.await_token(algorithm)?;
        contenders.push(Contender { name, server });
    }
    let idle_memory: Vec<_> = contenders.iter().map(|contender| contender.server.memory_kib()).collect();
    let script = load::write_script(folder)?;
    let apply_load = |server: &Server, seconds| load::apply(workspace, &server.url(), &script, seconds);

    for contender in &contenders {
        apply_load(&contender.server, WARM_UP_SECONDS)?;
    }
    let mut rounds = Vec::new();
    for _ in 0..options.rounds {
        let raw_per_cpu_second =
            raw_signs(workspace, &built.join("examples/raw_signs"), algorithm, options.seconds)?;
        let mut served = Vec::new();
        for Contender { server, .. } in &contenders {
            let before = server.cpu_seconds()?;
            let load = apply_load(server, options.seconds)?;
            served.push((load.answered() / (server.cpu_seconds()? - before), load));
        }
        rounds.push(Round { raw_per_cpu_second, served });
    }
    report::print(algorithm.name(), &contenders, &rounds);
    for (Contender { name, server }, idle) in contenders.into_iter().zip(idle_memory) {
        let loaded = server.memory_kib();
        let lines = server.stop()?;
        report::print_memory(name, idle, loaded, lines);
    }
    Ok(())
}

/// The signing rate of the server's core, measured by a program that does nothing else.
fn raw_signs(
    workspace: &Workspace,
    program: &Path,
    algorithm: Algorithm,
    seconds: u32,
) -> Result<f64, Failure> {
    let program = program.to_string_lossy();
    let arguments = ["-c", SERVER_CORE, &program, &seconds.to_string(), algorithm.name()];
    let answer = read_output(&mut workspace.program("taskset", &arguments))?;
    load::number(&String::from_utf8_lossy(&answer), "per_cpu_second")
}
