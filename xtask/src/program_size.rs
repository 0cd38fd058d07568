//! The bytes of the program that `cargo build --release` makes, beside the committed number. A change that
//! needs more writes a larger number, and gives the reason in its commit message.

use std::fs;
use std::path::Path;

use clap::Args;

use crate::workspace::{Doing, Failure, Workspace, run as run_program};

const FILE: &str = ".config/program-bytes";

/// What a compiler of another machine may add, as a part of the whole: 1/200.
const TOLERANCE: u64 = 200;

/// What becomes of the number.
#[derive(Args)]
pub(crate) struct ProgramSizeOptions {
    /// Write the number that is committed; without it the command compares with it
    #[arg(long)]
    update: bool,
}

pub(crate) fn run(workspace: &Workspace, options: &ProgramSizeOptions) -> Result<(), Failure> {
    let bytes = measure(workspace)?;
    if options.update {
        let file = workspace.root.join(FILE);
        return fs::write(&file, format!("{bytes}\n")).doing(format_args!("write {}", file.display()));
    }
    compare(bytes, committed(&workspace.root)?)
}

/// The step of `cargo xtask ci --full`.
pub(crate) fn check(workspace: &Workspace) -> Result<(), Failure> {
    compare(measure(workspace)?, committed(&workspace.root)?)
}

fn measure(workspace: &Workspace) -> Result<u64, Failure> {
    run_program(&mut workspace.cargo(&["build", "--locked", "--release", "--package", "latchkey"]))?;
    let program = workspace.target_folder()?.join("release/latchkey");
    Ok(fs::metadata(&program).doing(format_args!("read {}", program.display()))?.len())
}

fn committed(root: &Path) -> Result<u64, Failure> {
    let text = fs::read_to_string(root.join(FILE)).doing(format_args!("read {FILE}"))?;
    text.trim().parse().map_err(|_| Failure::new(format!("{FILE} is no number of bytes")))
}

fn compare(bytes: u64, committed: u64) -> Result<(), Failure> {
    println!("the release program has {bytes} bytes; {FILE} has {committed}");
    if bytes <= committed + committed / TOLERANCE {
        return Ok(());
    }
    Err(Failure::new(format!(
        "the release program has grown by {} bytes. If this is intended, run `cargo xtask program-size --update` and \
         give the reason in the commit message",
        bytes - committed
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn larger_program_is_refused() {
        for (bytes, passes) in [(1_000, true), (200_000, true), (201_000, true), (201_001, false)] {
            assert_eq!(compare(bytes, 200_000).is_ok(), passes, "{bytes}");
        }
    }
}
