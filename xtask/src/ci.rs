//! Runs the checks of a change, cheapest first. The first failure stops the run with its exit code. A table
//! of the steps and of the slowest tests ends it.

pub(crate) mod test_times;

use std::thread;
use std::time::{Duration, Instant};

use clap::Args;

use crate::workspace::{self, ALL_FEATURES, Failure, PUBLISHED, TEST_PROFILE, Workspace};
use crate::{codegen, dist, docs_run, instructions, program_size, test, tidy};
use test_times::TestTimes;

type Step = fn(&Workspace) -> Result<(), Failure>;

/// The checks that each change passes before its tests. Documents and tests run the code that lints compile.
const STEPS: [(&str, Step); 5] = [
    ("format", format),
    ("tidy", tidy::run),
    ("lints", lints),
    ("documents, default features, documentation", documents),
    ("instructions", instructions::check_changed),
];

/// The tests that .config/nextest.toml names for each change, or all.
const TESTS_OF_A_CHANGE: (&str, Step) =
    (TESTS, |workspace| test::run(&linted(workspace).with("NEXTEST_PROFILE", test_times::OF_A_CHANGE), &[]));
const ALL_TESTS: (&str, Step) = (TESTS, |workspace| test::run(&linted(workspace), &[]));
const TESTS: &str = "tests";

/// Checks that only few changes can break, and that take minutes.
const FULL: [(&str, Step); 10] = [
    ("store on PostgreSQL 14 and 18", |workspace| test::run_on_each_postgres(&linted(workspace))),
    ("replicas beside the version before", |workspace| {
        test::run_beside_the_version_before(&linted(workspace))
    }),
    ("chart with Helm", |workspace| test::render_with_helm(&linted(workspace))),
    ("failover of PostgreSQL and Redis", |workspace| test::run_failovers(&linted(workspace))),
    ("documentation of all crates", |workspace| {
        document(workspace, &[&["--workspace", "--document-private-items"], &ALL_FEATURES[..]].concat())
    }),
    ("packages of the crates", packages),
    ("generated files", codegen::check),
    ("instructions of unchanged sources", instructions::check),
    ("size of the program", program_size::check),
    ("packages of the program", dist::run_all),
];

/// Which checks run.
#[derive(Args)]
pub(crate) struct CiOptions {
    /// Also what most changes cannot break: all tests, all documentation, packages.
    /// CONTRIBUTING.md has the list
    #[arg(long)]
    full: bool,
    /// Only those steps of `--full` whose names contain this text
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

/// `INSTA_UPDATE=no`: a snapshot that differs fails the test and does not change the tree.
pub(crate) fn run(options: &CiOptions) -> Result<(), Failure> {
    let workspace = Workspace::here().with("INSTA_UPDATE", "no");
    let mut steps = match options.full || options.only.is_some() {
        true => [&STEPS[..], &[ALL_TESTS], &FULL].concat(),
        false => [&STEPS[..], &[TESTS_OF_A_CHANGE]].concat(),
    };
    steps.retain(|(name, _)| options.only.as_deref().is_none_or(|text| name.contains(text)));
    if steps.is_empty() {
        return Err(Failure::new("no step has this text in its name"));
    }
    run_steps(&workspace, &steps)
}

pub(crate) fn run_steps(workspace: &Workspace, steps: &[(&str, Step)]) -> Result<(), Failure> {
    let mut times = Vec::new();
    let mut outcome = Ok(());
    for (name, step) in steps {
        println!("\n==> {name}");
        let started = Instant::now();
        outcome = step(workspace);
        times.push((*name, started.elapsed()));
        if outcome.is_err() {
            break;
        }
    }
    let have_run = times.iter().any(|(name, _)| *name == TESTS);
    if let Some(tests) = TestTimes::of_last_run(workspace).filter(|_| have_run) {
        print!("\n{}", tests.report(&workspace.root));
    }
    println!("\n{}", table(&times, outcome.is_ok()));
    outcome
}

/// The steps with their seconds, and the sum.
fn table(times: &[(&str, Duration)], passed: bool) -> String {
    let seconds = |time: &Duration| time.as_secs_f64();
    let row = |(name, time): &(&str, Duration)| format!("{:>7.1} s  {name}\n", seconds(time));
    let sum: f64 = times.iter().map(|(_, time)| seconds(time)).sum();
    let ending = if passed { "all steps passed" } else { "FAILED at the last of these steps" };
    format!("{}{sum:>7.1} s  {ending}", times.iter().map(row).collect::<String>())
}

fn format(workspace: &Workspace) -> Result<(), Failure> {
    workspace::run(&mut workspace.cargo(&["fmt", "--all", "--check"]))
}

/// Compiles everything that documents and tests run, and judges it meanwhile.
fn lints(workspace: &Workspace) -> Result<(), Failure> {
    let arguments = ["build", "--locked", "--profile", TEST_PROFILE, "--workspace", "--all-targets"];
    workspace::run(&mut linted(workspace).cargo(&arguments))
}

/// Clippy's compiler writes programs, too, so one compile serves lints, documents and tests; `cargo clippy`
/// writes none. `cargo clippy -- -D warnings` starts it with these variables. All steps that compile the same
/// crates must have them, or cargo compiles anew.
fn linted(workspace: &Workspace) -> Workspace {
    let wrapped = workspace.clone().with("RUSTC_WORKSPACE_WRAPPER", "clippy-driver");
    wrapped.with("CLIPPY_ARGS", "-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__")
}

/// Runs the documents. They mostly wait for a server, so two steps that compile run beside them.
fn documents(workspace: &Workspace) -> Result<(), Failure> {
    thread::scope(|scope| {
        let compile = || default_features(workspace).and_then(|()| documentation_for_others(workspace));
        let compiled = scope.spawn(compile);
        let ran = docs_run::run_all(&linted(workspace));
        ran.and(compiled.join().unwrap_or_else(|_| Err(Failure::new("the compiling thread panicked"))))
    })
}

/// Checks the program of a newcomer. The lints compile it with all key services, and with the schemas that
/// its crates have for tests alone, so no other step of a change compiles what a newcomer builds.
fn default_features(workspace: &Workspace) -> Result<(), Failure> {
    let arguments = ["clippy", "--locked", "--package", "latchkey", "--", "-D", "warnings"];
    workspace::run(&mut workspace.cargo(&arguments))
}

/// Builds the documentation of the published crates.
fn documentation_for_others(workspace: &Workspace) -> Result<(), Failure> {
    document(workspace, &PUBLISHED.map(|name| ["--package", name]).concat())
}

fn document(workspace: &Workspace, crates: &[&str]) -> Result<(), Failure> {
    let mut command = workspace.cargo(&["doc", "--locked", "--no-deps"]);
    workspace::run(command.args(crates).env("RUSTDOCFLAGS", "-D warnings"))
}

/// Checks that the published crates can be packed; `cargo test` has compiled their content. Nothing is
/// uploaded.
fn packages(workspace: &Workspace) -> Result<(), Failure> {
    let pack = ["package", "--no-verify", "--allow-dirty"];
    let crates = PUBLISHED.into_iter().flat_map(|name| ["--package", name]);
    workspace::run(workspace.cargo(&pack).args(crates))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_failure_stops_the_run() {
        let steps: [(&str, Step); 2] =
            [("first", |_| Err(Failure::new("no"))), ("second", |_| panic!("reached"))];
        assert_eq!(run_steps(&Workspace::here(), &steps).unwrap_err().to_string(), "no");
    }

    #[test]
    fn table_shows_each_step_and_the_sum() {
        let times = [("format", Duration::from_millis(2_500)), ("tests", Duration::from_secs(1_000))];
        assert_eq!(table(&times, true), "    2.5 s  format\n 1000.0 s  tests\n 1002.5 s  all steps passed");
        assert!(table(&times, false).ends_with("FAILED at the last of these steps"));
    }
}
