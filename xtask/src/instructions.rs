//! Counts the instructions of warm requests under valgrind, and compares them with the committed figures. The
//! figures are those of the shipped code, and leave out cryptography, because its work depends on random
//! numbers. valgrind emulates the same processor on each machine with AVX2, so the figures are equal there.

mod figures;
mod profile;
mod sources;

use std::fs;
use std::path::Path;

use clap::Args;

use crate::tools::{self, FOR_COUNTS};
use crate::workspace::{Doing, Failure, SHIPPED_PROFILE, Workspace, read_text, run as run_program};
use figures::{FILE, Figures};

/// Counted requests of each kind.
const REQUESTS: u64 = 200;

/// What becomes of the counted figures.
#[derive(Args)]
pub(crate) struct InstructionsOptions {
    /// Write the figures that are committed; without it the command compares with them
    #[arg(long)]
    update: bool,
}

pub(crate) fn run(workspace: &Workspace, options: &InstructionsOptions) -> Result<(), Failure> {
    let counted = count(workspace)?;
    if options.update { counted.write(&workspace.root) } else { compare(workspace, &counted) }
}

/// The step of `cargo xtask ci`: unchanged sources are not counted again, because the build takes minutes.
pub(crate) fn check_changed(workspace: &Workspace) -> Result<(), Failure> {
    if Figures::read(&workspace.root)?.are_of(&sources::digest(workspace)?) {
        println!("not counted: the committed figures are of these sources");
        return Ok(());
    }
    check(workspace)
}

/// The step of `cargo xtask ci --full`.
pub(crate) fn check(workspace: &Workspace) -> Result<(), Failure> {
    compare(workspace, &count(workspace)?)
}

fn compare(workspace: &Workspace, counted: &Figures) -> Result<(), Failure> {
    let committed = Figures::read(&workspace.root)?;
    let report = counted.compare(&committed);
    print!("{}", report.table);
    if !cfg!(target_arch = "x86_64") {
        println!("the committed figures are of x86-64: nothing is compared on this processor");
    } else if !report.differing.is_empty() {
        let differing = report.differing.join(", ");
        return Err(Failure::new(format!(
            "the work of these requests is no longer what {FILE} says: {differing}. If this is intended, run \
             `cargo xtask instructions --update` and give the reason in the commit message"
        )));
    }
    Ok(())
}

fn count(workspace: &Workspace) -> Result<Figures, Failure> {
    tools::make_ready(workspace, FOR_COUNTS)?;
    // The count needs the names of functions. The argument concerns only the last crate, so the other crates
    // are built as for `bench`.
    let package = ["--package", "warm_requests", "--bin", "warm_requests"];
    let build =
        [&["rustc", "--locked", "--profile", SHIPPED_PROFILE], &package[..], &["--", "-C", "strip=none"]];
    run_program(&mut workspace.cargo(&build.concat()))?;
    let built = workspace.target_folder()?.join(SHIPPED_PROFILE);
    let folder = built.join(format!("instructions-{}", std::process::id()));
    fs::create_dir_all(&folder).doing(format_args!("make {}", folder.display()))?;
    let counted = count_in(workspace, &built.join("warm_requests"), &folder);
    fs::remove_dir_all(&folder).doing(format_args!("remove {}", folder.display()))?;
    counted
}

/// The program calls `count_boundary` before and after the requests of each kind, so every other profile has
/// the requests of one kind.
fn count_in(workspace: &Workspace, program: &Path, folder: &Path) -> Result<Figures, Failure> {
    let profiles = format!("--callgrind-out-file={}/profile", folder.display());
    let arguments = [
        "--quiet",
        "--tool=callgrind",
        &profiles,
        "--dump-before=*count_boundary*",
        "--compress-strings=no",
        "--compress-pos=no",
    ];
    let mut command = workspace.program("valgrind", &arguments);
    let output = read_text(command.arg(program).arg(REQUESTS.to_string()))?;
    let mut counted = Figures::from_sources(sources::digest(workspace)?);
    for (index, kind) in output.lines().enumerate() {
        let file = folder.join(format!("profile.{}", 2 * index + 2));
        let text = fs::read_to_string(&file).doing(format_args!("read {}", file.display()))?;
        let instructions = profile::instructions(&text).ok_or_else(|| {
            Failure::new(format!("the profile of {kind} does not name the client's functions"))
        })?;
        counted.add(kind, instructions / REQUESTS);
    }
    Ok(counted)
}
