//! Simulates two replicas with one store in virtual time. Caches, change feed, invalidation, revocations and
//! keys use the code of the program. Calls of the store, notifications, processes and clocks are simulated,
//! with faults. One seeded generator draws a whole run, so a seed that fails once always fails.

mod answers;
mod changes;
mod checks;
mod commands;
mod commits;
mod defect;
mod directory;
mod evidence;
mod faults;
mod gate;
mod links;
mod model;
mod questions;
mod replica;
mod run;
mod world;

use std::num::NonZeroUsize;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::available_parallelism;
use std::time::Duration;

use futures_util::FutureExt as _;

use defect::Defect;
use run::{Ended, run};

/// How many seeds run for each change.
const SEEDS: u64 = 20;
/// How many seeds run in `cargo xtask ci --full`.
const MANY_SEEDS: u64 = 1_000;
/// The environment variable with a single seed to run.
const SEED: &str = "LATCHKEY_SIMULATION_SEED";

#[test]
fn runs_give_no_stale_answer() {
    let seeds = seed_of_environment().map_or(1..=SEEDS, |seed| seed..=seed);
    for seed in seeds {
        expect_sound(seed);
    }
}

#[test]
fn thousand_runs_give_no_stale_answer() {
    let (next, threads) = (AtomicU64::new(1), available_parallelism().map_or(1, NonZeroUsize::get));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let seed @ ..=MANY_SEEDS = next.fetch_add(1, Ordering::Relaxed) {
                    expect_sound(seed);
                }
            });
        }
    });
}

/// If two runs of a seed differed, nobody could repeat a failure.
#[test]
fn seed_always_gives_the_same_history() {
    for seed in seed_of_environment().map_or(6..=7, |seed| seed..=seed) {
        let [one, other] = [(); 2].map(|()| simulated(seed, None).history);
        assert_eq!(one.iter().zip(&other).find(|(one, other)| one != other), None, "seed {seed}");
    }
}

/// A simulation that does not find these defects would prove nothing.
#[test]
fn planted_defects_are_found() {
    for defect in Defect::ALL {
        let found = (1..=SEEDS).find_map(|seed| Some((seed, simulated(seed, Some(defect)).violation?)));
        let (seed, violation) = found.unwrap_or_else(|| panic!("{defect:?} is not found by {SEEDS} seeds"));
        println!("{defect:?} is found by seed {seed}: {violation}");
    }
}

fn expect_sound(seed: u64) {
    let Ended { violation, history } = simulated(seed, None);
    if let Some(violation) = violation {
        // For a single seed, the whole history is printed.
        let last = seed_of_environment().map_or(history.len().saturating_sub(60), |_| 0);
        panic!("seed {seed} ({SEED}={seed} repeats it)\n{}\n{violation}", history[last..].join("\n"));
    }
    println!("seed {seed}: {} events", history.len());
}

fn simulated(seed: u64, defect: Option<Defect>) -> Ended {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime can be built");
    let ended = runtime.block_on(AssertUnwindSafe(run(seed, defect)).catch_unwind());
    runtime.shutdown_timeout(Duration::ZERO);
    ended.unwrap_or_else(|_| panic!("seed {seed} panics ({SEED}={seed} repeats it)"))
}

#[expect(clippy::disallowed_methods, reason = "a person names the run to repeat")]
fn seed_of_environment() -> Option<u64> {
    std::env::var(SEED).ok().map(|seed| seed.parse().expect("a seed is a number"))
}
