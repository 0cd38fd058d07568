//! The generated files that are committed. The program has them, so an example that has the schemas of the types makes them. Tests hold the files
//! equal to what the types say and to what the program prints.

use std::fs;

use crate::workspace::{Doing, Failure, TEST_PROFILE, Workspace, read_output};

const GENERATED: [&str; 4] = [
    "config.schema.json",
    "docs/openapi.json",
    "crates/administration/src/documents/shapes.json",
    "crates/gateway/src/documents/shapes.json",
];

/// Regenerates every file.
pub(crate) fn write(workspace: &Workspace) -> Result<(), Failure> {
    for file in GENERATED {
        let text = generate(workspace, file)?;
        fs::write(workspace.root.join(file), text).doing(format_args!("write {file}"))?;
        println!("{file} written");
    }
    Ok(())
}

/// Compares in memory, so that a failed check does not change the tree.
pub(crate) fn check(workspace: &Workspace) -> Result<(), Failure> {
    let mut stale = Vec::new();
    for file in GENERATED {
        let generated = generate(workspace, file)?;
        let committed = fs::read(workspace.root.join(file)).unwrap_or_default();
        stale.extend(difference(file, &committed, &generated));
    }
    if stale.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("{}\nrun `cargo xtask codegen` and commit what it writes", stale.join("\n"))))
}

fn generate(workspace: &Workspace, file: &str) -> Result<Vec<u8>, Failure> {
    let example = ["--package", "settings", "--example", "generated"];
    let run = [&["run", "--quiet", "--profile", TEST_PROFILE], &example[..], &["--", file]].concat();
    read_output(&mut workspace.cargo(&run))
}

fn difference(file: &str, committed: &[u8], generated: &[u8]) -> Option<String> {
    if committed == generated {
        return None;
    }
    let [committed, generated] = [committed, generated].map(String::from_utf8_lossy);
    let equal = committed.lines().zip(generated.lines()).take_while(|(old, new)| old == new).count();
    Some(format!("{file}:{}: differs from what the types say", equal + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_its_first_line() {
        let cases = [
            ("a\nb\n", "a\nb\n", None),
            ("a\nb\n", "a\nc\n", Some("f:2: differs from what the types say")),
            ("", "a\n", Some("f:1: differs from what the types say")),
            ("a\n", "a", Some("f:2: differs from what the types say")),
        ];
        for (committed, generated, expected) in cases {
            assert_eq!(difference("f", committed.as_bytes(), generated.as_bytes()).as_deref(), expected);
        }
    }
}
