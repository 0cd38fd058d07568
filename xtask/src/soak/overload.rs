//! Ten times as many token requests as one worker can answer. Arrivals follow a schedule and do not wait for
//! answers (open loop), like those of many clients. The latency of a request counts from its scheduled time.

mod connection;
mod figures;
mod generator;
mod schedule;

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::calls::percentile;
use super::program::{HOST, LOAD_CORE, Program};
use super::tenants::{SECRET, client, declared};
use super::test_env::TestEnv;
use crate::cpu_time::CpuTime;
use crate::workspace::{Doing, Failure, read_output};
use connection::Outcome;
use figures::{Figures, is_accepted, is_refused};
use generator::{Generator, Run};
use schedule::Phase;

const TENANTS: u32 = 2;
const CLIENTS: u32 = 8;
/// These connections suffice for ten times the capacity while a queue grows for 150 ms. With fewer, all would
/// soon wait for an answer, and requests would be sent no faster than they are answered.
const CONNECTIONS: usize = 5_000;
/// The connections of the measurement of capacity.
const CLOSED_LOOP: usize = 16;
const CAPACITY: Duration = Duration::from_secs(5);
/// The first tokens read the rows and load the keys.
const WARM_UP: Duration = Duration::from_secs(2);

/// Share of the capacity that is normal operation.
const NORMAL: f64 = 0.7;
const BEFORE: Duration = Duration::from_secs(10);
const OVERLOAD: f64 = 10.0;
const DURING: Duration = Duration::from_secs(30);
const AFTER: Duration = Duration::from_secs(10);
/// A p99 up to this multiple of the one before the overload is normal again; windows are
/// short, so their p99 varies.
const NORMAL_P99: f64 = 2.0;

const SECOND: Duration = Duration::from_secs(1);

/// What the program has at one time.
struct Sample {
    /// MiB.
    memory: f64,
    cpu_time: CpuTime,
}

pub(super) fn measure(test_env: &TestEnv<'_>) -> Result<(), Failure> {
    let stores = format!("storage: {{ url: 'sqlite://{}' }}\n", test_env.file("overload.db").display());
    let mut program = Program::start(test_env, &stores, &declared(TENANTS, CLIENTS))?;
    program.await_token(&client(0, 0))?;
    stay_on_the_load_core(test_env)?;
    let open =
        |connections| Generator::new(program.address, connections, requests()).doing("open connections");
    let mut closed_loop = open(CLOSED_LOOP)?;
    closed_loop.saturate(WARM_UP).doing("warm up")?;
    let before = program.cpu_time()?;
    let records = closed_loop.saturate(CAPACITY).doing("measure the capacity")?;
    let cost = program.cpu_time()?.seconds_since(&before) / records.len() as f64;
    let capacity = Figures::new(&records, Duration::ZERO, CAPACITY).goodput();
    drop(closed_loop);

    let phase = |share: f64, length| Phase { rate: share * capacity, length };
    let phases = [phase(NORMAL, BEFORE), phase(OVERLOAD, DURING), phase(NORMAL, AFTER)];
    let mut generator = open(CONNECTIONS)?;
    let is_over = AtomicBool::new(false);
    let (run, samples) = thread::scope(|scope| {
        let samples = scope.spawn(|| sample(&program, &is_over));
        let run = generator.offer(&phases).doing("offer requests");
        is_over.store(true, Ordering::Relaxed);
        run.map(|run| (run, samples.join().unwrap_or_default()))
    })?;
    let memory: Vec<f64> = samples.iter().map(|sample| sample.memory).collect();
    print(capacity, &run, &memory);
    let (from, to) = (BEFORE + SECOND, BEFORE + DURING - SECOND);
    let at = |time: Duration| samples.get(usize::try_from(time.as_secs()).unwrap_or_default());
    if let (Some(first), Some(last)) = (at(from), at(to)) {
        let answers = Figures::new(&run.records, from, to).goodput() * (to - from).as_secs_f64();
        let share = 100.0 * answers * cost / last.cpu_time.seconds_since(&first.cpu_time);
        println!("{:<58} {share:>9.2}", "goodput for a CPU second, % of that of the capacity");
    }
    Ok(())
}

/// The first sample is taken at the begin; one follows each second.
fn sample(program: &Program, is_over: &AtomicBool) -> Vec<Sample> {
    let mut samples = Vec::new();
    while !is_over.load(Ordering::Relaxed)
        && let Ok(cpu_time) = program.cpu_time()
    {
        samples.push(Sample { memory: program.memory(), cpu_time });
        thread::sleep(SECOND);
    }
    samples
}

/// The generator is this thread.
fn stay_on_the_load_core(test_env: &TestEnv<'_>) -> Result<(), Failure> {
    let thread = fs::read_link("/proc/thread-self").doing("find the thread's number")?;
    let number = thread.file_name().unwrap_or_default().to_string_lossy().into_owned();
    read_output(&mut test_env.workspace.program("taskset", &["-cp", LOAD_CORE, &number])).map(drop)
}

/// One request for each client, tenants in turn.
fn requests() -> Vec<Vec<u8>> {
    let clients = (0..CLIENTS).flat_map(|number| (0..TENANTS).map(move |tenant| client(tenant, number)));
    let request = clients.map(|client| {
        let form = format!("grant_type=client_credentials&client_id={}&client_secret={SECRET}", client.id);
        format!(
            "POST /api/v1/tenant/{}/oauth/token HTTP/1.1\r\nHost: {HOST}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            client.tenant,
            form.len()
        )
    });
    request.map(String::into_bytes).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts and seconds are far below 2^52")]
fn print(capacity: f64, run: &Run, memory: &[f64]) {
    let of = |from, length| Figures::new(&run.records, from, from + length);
    let (before, during, after) =
        (of(Duration::ZERO, BEFORE), of(BEFORE, DURING), of(BEFORE + DURING, AFTER));
    println!(
        "\noverload: RS256, one worker, {CONNECTIONS} connections; capacity {capacity:.0} tokens a second"
    );
    println!(
        "load       offered  accepted   refused  failed  not sent   p50, ms   p99, ms refusal p99      MiB"
    );
    let second = |time: Duration| usize::try_from(time.as_secs()).unwrap_or_default();
    let most = |from: Duration, to: Duration| {
        let samples = memory.iter().take(second(to)).skip(second(from));
        samples.copied().fold(f64::NAN, f64::max)
    };
    let memory = [
        most(Duration::from_secs(1), BEFORE),
        most(BEFORE, BEFORE + DURING),
        most(BEFORE + DURING, BEFORE + DURING + AFTER),
    ];
    let shares = [NORMAL, OVERLOAD, NORMAL];
    for ((figures, memory), share) in [&before, &during, &after].into_iter().zip(memory).zip(shares) {
        println!(
            "{:<9} {:>8} {:>9} {:>9} {:>7} {:>9} {:>9.2} {:>9.2} {:>10.2} {:>8.1}",
            format!("{:.0} %", 100.0 * share),
            figures.offered(),
            figures.count(is_accepted),
            figures.count(is_refused),
            figures.count(|outcome| outcome == Outcome::Failed),
            figures.count(|outcome| outcome == Outcome::NotSent),
            figures.percentile(50, is_accepted),
            figures.percentile(99, is_accepted),
            figures.percentile(99, is_refused),
            memory
        );
    }
    let late = |percent| percentile(run.lateness.iter().copied(), percent);
    println!(
        "the generator noticed arrivals late by p50 {:.3}, p99 {:.3}, at most {:.3} ms",
        late(50),
        late(99),
        late(100)
    );

    let p99 = before.percentile(99, is_accepted);
    let refused = during.count(is_refused);
    let others = during.offered() - during.count(is_accepted);
    let with_header = during.count(|outcome| outcome == Outcome::Refused { has_retry_after: true });
    let percent = |part: usize, of: usize| 100.0 * part as f64 / of as f64;
    let normal = after.normal_after(NORMAL_P99 * p99).map_or(f64::INFINITY, |time| time.as_secs_f64());
    let at_least = |what: &str, found: f64, goal: f64| row(what, found, &format!(">= {goal}"), found >= goal);
    let at_most = |what: &str, found: f64, goal: f64| row(what, found, &format!("<= {goal}"), found <= goal);
    println!("{:<58} {:>9} {:>9}", "during the overload", "found", "goal");
    at_least("goodput, % of the capacity", 100.0 * during.goodput() / capacity, 85.0);
    // As many wait as are answered in a second.
    at_most("p99 of accepted requests, ms", during.percentile(99, is_accepted), 1_100.0);
    at_least("503 or 429, % of what was not accepted", percent(refused, others), 100.0);
    at_least("with Retry-After, % of these", percent(with_header, refused), 100.0);
    at_most("p99 of refusals, ms", during.percentile(99, is_refused), 10.0);
    at_most("memory, multiple of that before", memory[1] / memory[0], 1.5);
    at_most("normal again after, s", normal, 5.0);
}

fn row(what: &str, found: f64, goal: &str, is_met: bool) {
    println!("{what:<58} {found:>9.2} {goal:>9}  {}", if is_met { "met" } else { "missed" });
}
