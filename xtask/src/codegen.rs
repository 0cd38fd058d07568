//! The generated files that are committed, and the command of the program that generates each; and the rows that
//! `tidy::marks` writes. The program has the default features; the test `printed_documents_are_the_committed_ones`
//! compares the files with the program that has every key service.

use std::fs;

use crate::tidy::marks;
use crate::workspace::{Doing, Failure, TEST_PROFILE, Workspace, read_output};

/// A file, and the arguments with which the program prints its content.
const GENERATED: [(&str, &str); 2] = [("config.schema.json", "schema"), ("docs/openapi.json", "openapi")];

/// Regenerates every file.
pub(crate) fn write(workspace: &Workspace) -> Result<(), Failure> {
    marks::write(workspace)?;
    for (file, command) in GENERATED {
        let text = generate(workspace, command)?;
        fs::write(workspace.root.join(file), text).doing(format_args!("write {file}"))?;
        println!("{file} written");
    }
    Ok(())
}

/// Compares in memory, so that a failed check does not change the tree.
pub(crate) fn check(workspace: &Workspace) -> Result<(), Failure> {
    let mut stale = Vec::new();
    for (file, command) in GENERATED {
        let generated = generate(workspace, command)?;
        let committed = fs::read(workspace.root.join(file)).unwrap_or_default();
        stale.extend(difference(file, &committed, &generated));
    }
    if stale.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("{}\nrun `cargo xtask codegen` and commit what it writes", stale.join("\n"))))
}

fn generate(workspace: &Workspace, command: &str) -> Result<Vec<u8>, Failure> {
    let run = ["run", "--quiet", "--profile", TEST_PROFILE, "--package", "latchkey", "--", command];
    read_output(&mut workspace.cargo(&run))
}

fn difference(file: &str, committed: &[u8], generated: &[u8]) -> Option<String> {
    if committed == generated {
        return None;
    }
    let [committed, generated] = [committed, generated].map(String::from_utf8_lossy);
    let equal = committed.lines().zip(generated.lines()).take_while(|(old, new)| old == new).count();
    Some(format!("{file}:{}: differs from what the program prints", equal + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_its_first_line() {
        let cases = [
            ("a\nb\n", "a\nb\n", None),
            ("a\nb\n", "a\nc\n", Some("f:2: differs from what the program prints")),
            ("", "a\n", Some("f:1: differs from what the program prints")),
            ("a\n", "a", Some("f:2: differs from what the program prints")),
        ];
        for (committed, generated, expected) in cases {
            assert_eq!(difference("f", committed.as_bytes(), generated.as_bytes()).as_deref(), expected);
        }
    }
}
