//! docs/what-tenants-share.md: each semaphore and each bounded channel of a crate has a row in its table,
//! which names its file. The author decides there which callers wait for which others, before writing code.

use std::collections::BTreeSet;

use super::files::Files;
use super::rust_code::code_only;
use super::tables::{quoted, rows};
use super::violation::Violation;

const FILE: &str = "docs/what-tenants-share.md";
/// The code that makes callers wait or refuses them. A channel without an argument has no bound.
const LIMITS: [&str; 8] = [
    "Semaphore::new",
    "Semaphore::const_new",
    "TenantTurns::new",
    "TenantTurns::bounded",
    "sync_channel",
    "mpsc::channel",
    "broadcast::channel",
    "mpsc::bounded",
];

pub(super) fn check(files: &Files) -> Vec<Violation> {
    // Without the page no row describes anything.
    let rows = rows(files.text(FILE).unwrap_or_default());
    let (mut found, mut described) = (Vec::new(), BTreeSet::new());
    for (row, code) in rows.iter().filter_map(|row| Some((row, row.cell("code")?))) {
        for path in quoted(code).map(|file| format!("crates/{file}")) {
            if files.text(&path).is_none() {
                let what = format!("there is no file {path}");
                found.push(Violation::new(FILE, row.line, what, "name the file that has the resource"));
            }
            described.insert(path);
        }
    }
    let hint = "say in docs/what-tenants-share.md in which turns it is used";
    for (path, text) in files.product().filter(|(path, _)| !described.contains(*path)) {
        found.extend(limits(text).map(|line| {
            Violation::new(path, line, "a semaphore or bounded channel that no row describes", hint)
        }));
    }
    found
}

/// The lines that create one.
fn limits(text: &str) -> impl Iterator<Item = usize> {
    let lines: Vec<_> = code_only(text).lines().map(is_limit).collect();
    lines.into_iter().enumerate().filter_map(|(index, is_limit)| is_limit.then_some(index + 1))
}

/// Whether the line calls one of them with an argument.
fn is_limit(line: &str) -> bool {
    LIMITS.into_iter().filter_map(|name| arguments(line, name)).any(|arguments| !arguments.starts_with(')'))
}

/// The text after the parenthesis of a call, with or without a type.
fn arguments<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let (_, call) = line.split_once(name)?;
    if call.starts_with("::<") { call.split_once(">(").map(|(_, rest)| rest) } else { call.strip_prefix('(') }
}

#[cfg(test)]
mod tests {
    use super::super::violation::facts;
    use super::*;

    #[test]
    fn limits_are_found_with_and_without_type() {
        let found = |text: &str| limits(text).collect::<Vec<_>>();
        assert_eq!(found("fn a() {\n    Semaphore::const_new(1);\n}\n"), [2]);
        assert_eq!(found("fn a() { mpsc::channel::<Vec<u8>>(8); }\nfn b() { sync_channel(1); }\n"), [1, 2]);
        for none in ["fn a() { mpsc::channel::<u8>(); }\n", "use mpsc::channel;\nfn a(it: u8) {}\n"] {
            assert_eq!(found(none), [0; 0], "{none}");
        }
    }

    #[test]
    fn each_shared_limit_needs_a_row() {
        let check_row = |row: &str, expected: &[&str]| {
            let table = format!("| resource | code |\n|---|---|\n| keys | {row} |\n");
            let files = Files::from([
                (FILE, table.as_str()),
                ("crates/keys/src/pool.rs", "//! A.\nfn a() { TenantTurns::new(1, 2); }\n"),
                ("crates/keys/src/pool/tests.rs", "fn a() { Semaphore::new(1); }\n"),
                ("crates/testkit/src/a.rs", "fn a() { Semaphore::new(1); }\n"),
            ]);
            assert_eq!(facts(&check(&files)), expected, "{row}");
        };
        let absent = "crates/keys/src/pool.rs:2: a semaphore or bounded channel that no row describes";
        check_row("`keys/src/pool.rs`", &[]);
        let no_file = "docs/what-tenants-share.md:3: there is no file crates/keys/src/gone.rs";
        check_row("`keys/src/gone.rs`", &[no_file, absent]);
        check_row("", &[absent]);
    }
}
