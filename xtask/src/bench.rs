//! Measures what the platform costs beyond the signature: tokens per server CPU second against raw signatures per CPU
//! second of the same core, in one run with alternating rounds, so that the ratio holds on a busy machine too.

mod load;
mod server;
mod spread;

use std::fs;
use std::path::Path;

use crate::tools::{self, FOR_MEASUREMENTS};
use crate::workspace::{Doing, Failure, Workspace, read_output, run as run_program};
use load::Load;
use server::Server;
use spread::Spread;

/// The server and the raw signatures have this core to themselves, the load has the other.
const SERVER_CORE: &str = "0";
const LOAD_CORE: &str = "1";

const WARM_UP_SECONDS: u32 = 2;

/// What one round measured.
struct Round {
    raw_per_cpu_second: f64,
    tokens_per_cpu_second: f64,
    load: Load,
}

pub(crate) fn run(workspace: &Workspace, rounds: u32, seconds: u32) -> Result<(), Failure> {
    if std::thread::available_parallelism().is_ok_and(|cores| cores.get() < 2) {
        return Err(Failure::new("a measurement needs two cores: one for the server, one for the load"));
    }
    tools::make_ready(workspace, FOR_MEASUREMENTS)?;
    run_program(&mut workspace.cargo(&["build", "--release", "--package", "latchkey"]))?;
    run_program(&mut workspace.cargo(&[
        "build",
        "--release",
        "--package",
        "keys",
        "--example",
        "raw_signs",
    ]))?;
    let release = workspace.target_folder()?.join("release");
    let folder = release.join(format!("bench-{}", std::process::id()));
    fs::create_dir_all(&folder).doing(format_args!("make {}", folder.display()))?;

    println!(
        "\nrounds: {rounds}, each {seconds} s of signatures and {seconds} s of tokens on core {SERVER_CORE}"
    );
    let mut server = Server::start(workspace, &release.join("latchkey"), &folder)?;
    server.await_token()?;
    let idle_memory = server.memory_kib();
    let script = load::write_script(&folder)?;
    let apply_load = |seconds| load::apply(workspace, &server.url(), &script, seconds);

    apply_load(WARM_UP_SECONDS)?;
    let mut measured = Vec::new();
    for _ in 0..rounds {
        let raw_per_cpu_second = raw_signs(workspace, &release.join("examples/raw_signs"), seconds)?;
        let before = server.cpu_seconds()?;
        let load = apply_load(seconds)?;
        let tokens_per_cpu_second = load.answered() / (server.cpu_seconds()? - before);
        measured.push(Round { raw_per_cpu_second, tokens_per_cpu_second, load });
    }
    let memory = server.memory_kib();
    let access_lines = server.stop()?;
    report(&measured);
    println!("memory of the server, MiB         {:>10.1} idle {:>10.1} after", mib(idle_memory), mib(memory));
    println!("lines in its access log           {access_lines:>10}");
    fs::remove_dir_all(&folder).doing(format_args!("remove {}", folder.display()))
}

/// The signing rate of the server's core, measured by a program that does nothing else.
fn raw_signs(workspace: &Workspace, program: &Path, seconds: u32) -> Result<f64, Failure> {
    let program = program.to_string_lossy();
    let seconds = seconds.to_string();
    let answer = read_output(&mut workspace.program("taskset", &["-c", SERVER_CORE, &program, &seconds]))?;
    let answer = String::from_utf8_lossy(&answer);
    load::number(&answer, "per_cpu_second")
}

fn report(rounds: &[Round]) {
    let spread = |of: &dyn Fn(&Round) -> f64| Spread::of(rounds.iter().map(of));
    let [raw, tokens, ratio] = [
        spread(&|round| round.raw_per_cpu_second),
        spread(&|round| round.tokens_per_cpu_second),
        spread(&|round| round.tokens_per_cpu_second / round.raw_per_cpu_second),
    ];
    let [p50, p99] = [spread(&|round| round.load.p50_ms), spread(&|round| round.load.p99_ms)];
    println!("\n                                         min     median        max");
    println!("raw RS256 signs per CPU second    {raw:.0}");
    println!("tokens per server CPU second      {tokens:.0}");
    println!("tokens / raw signs                {ratio:.3}");
    println!("p50, ms                           {p50:.2}");
    println!("p99, ms                           {p99:.2}");
    println!(
        "tokens per second on the clock    {:.0}",
        spread(&|round| round.load.answered() / round.load.seconds)
    );
    println!("not 2xx                           {:.0}", spread(&|round| round.load.refused));
    println!("socket errors                     {:.0}", spread(&|round| round.load.broken));
}

#[expect(clippy::cast_precision_loss, reason = "kibibytes of a process are far below 2^52")]
fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
