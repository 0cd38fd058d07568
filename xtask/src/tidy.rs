//! Project lint rules that the compiler does not check. Each violation is one line
//! `file:line: what; how to fix it`.

mod architecture;
mod arrows;
mod circles;
mod evidence;
mod files;
mod licences;
mod manifests;
pub(crate) mod marks;
mod members;
mod migrations;
mod program_graph;
mod rust_code;
mod shared_resources;
mod shell_commands;
mod source_rules;
mod tables;
mod templates;
mod tests_by_name;
mod violation;

use crate::workspace::{Failure, Workspace};
use files::Files;
use tests_by_name::Tests;
use violation::Violation;

/// Checks everything, prints every violation, and fails when there is one.
pub(crate) fn run(workspace: &Workspace) -> Result<(), Failure> {
    let files = Files::read(&workspace.root)?;
    let members = members::read(&files);

    let mut violations = Vec::new();
    violations.extend(arrows::check(&members));
    violations.extend(program_graph::check(workspace)?);
    violations.extend(licences::check(&workspace.metadata()?));
    violations.extend(manifests::check(&files));
    violations.extend(source_rules::check(&files));
    violations.extend(circles::check(&files));
    violations.extend(shell_commands::check(&files));
    violations.extend(templates::check(&files));
    let tests = Tests::from_files(&files);
    violations.extend(marks::check(&files, &tests));
    violations.extend(evidence::check(&files, &tests));
    violations.extend(shared_resources::check(&files));
    violations.extend(architecture::check(&files, &members));
    violations.extend(migrations::check(&files));
    report(violations, &files)
}

/// The crates of the workspace and which each names, as docs/ARCHITECTURE.md shows them.
pub(crate) fn crate_graph(workspace: &Workspace) -> Result<String, Failure> {
    Ok(architecture::drawn(&members::read(&Files::read(&workspace.root)?)))
}

fn report(mut violations: Vec<Violation>, files: &Files) -> Result<(), Failure> {
    for violation in &mut violations {
        violation.locate(|file| files.text(file));
    }
    violations.sort();
    for violation in &violations {
        println!("{violation}");
    }
    match violations.len() {
        0 => Ok(()),
        1 => Err(Failure::new("tidy: 1 violation")),
        count => Err(Failure::new(format!("tidy: {count} violations"))),
    }
}
