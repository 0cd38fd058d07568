//! Runs all checks of a change, cheapest first. The first failure stops the run with its exit code.

use std::time::Instant;

use crate::bench::VERIFIERS;
use crate::workspace::{self, ALL_FEATURES, Failure, Workspace};
use crate::{codegen, docs_run, instructions, test, tidy};

/// The crates for others.
const PUBLISHED: [&str; 2] = ["latchkey-client", "latchkey-verifier"];

type Step = fn(&Workspace) -> Result<(), Failure>;

const STEPS: [(&str, Step); 10] = [
    ("format", format),
    ("lints", lints),
    ("default features", default_features),
    ("documentation", documentation),
    ("tidy", tidy::run),
    ("packages", packages),
    ("generated files", codegen::check),
    ("documents", docs_run::run_all),
    ("instructions", instructions::check),
    ("tests", tests),
];

pub(crate) fn run_steps(workspace: &Workspace, steps: &[(&str, Step)]) -> Result<(), Failure> {
    let begun = Instant::now();
    for (name, step) in steps {
        println!("\n==> {name}");
        let started = Instant::now();
        let outcome = step(workspace);
        let word = if outcome.is_ok() { "passed" } else { "FAILED" };
        println!("<== {name} {word} after {:.1} s", started.elapsed().as_secs_f64());
        outcome?;
    }
    println!("\nall {} steps passed after {:.1} s", steps.len(), begun.elapsed().as_secs_f64());
    Ok(())
}

/// `INSTA_UPDATE=no`: a snapshot that differs fails the test and does not change the tree.
pub(crate) fn run() -> Result<(), Failure> {
    run_steps(&Workspace::here().with("INSTA_UPDATE", "no"), &STEPS)
}

fn format(workspace: &Workspace) -> Result<(), Failure> {
    workspace::run(&mut workspace.cargo(&["fmt", "--all", "--check"]))?;
    // A workspace of its own.
    workspace::run(&mut workspace.cargo(&["fmt", "--manifest-path", VERIFIERS, "--check"]))
}

fn lints(workspace: &Workspace) -> Result<(), Failure> {
    let arguments = ["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"];
    workspace::run(&mut workspace.cargo(&arguments))
}

/// The program of a newcomer, without key services and keyring. The lints compile it with all of them. The step "generated files" runs this program,
/// and a test compares the same files with the output of the program that has every key service.
fn default_features(workspace: &Workspace) -> Result<(), Failure> {
    let arguments = ["clippy", "--locked", "--package", "latchkey", "--", "-D", "warnings"];
    workspace::run(&mut workspace.cargo(&arguments))
}

fn documentation(workspace: &Workspace) -> Result<(), Failure> {
    let arguments = ["doc", "--locked", "--no-deps", "--workspace", "--document-private-items"];
    workspace::run(workspace.cargo(&arguments).args(ALL_FEATURES).env("RUSTDOCFLAGS", "-D warnings"))
}

/// The crates for others can be packed; `cargo test` has built what is in them. Nothing is uploaded.
fn packages(workspace: &Workspace) -> Result<(), Failure> {
    let pack = ["package", "--no-verify", "--allow-dirty"];
    let crates = PUBLISHED.into_iter().flat_map(|name| ["--package", name]);
    workspace::run(workspace.cargo(&pack).args(crates))
}

fn tests(workspace: &Workspace) -> Result<(), Failure> {
    test::run(workspace, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_ends_the_run() {
        let steps: [(&str, Step); 2] =
            [("first", |_| Err(Failure::new("no"))), ("second", |_| panic!("reached"))];
        assert_eq!(run_steps(&Workspace::here(), &steps).unwrap_err().to_string(), "no");
    }
}
