//! docs/what-tenants-share.md: each semaphore and each bounded channel of a crate has a row in its table, and
//! each row names its code and a test that exists.

use std::collections::BTreeSet;

use super::conformance::{cells, is_rule};
use super::files::Files;
use super::rust_code::code_only;
use super::security::quoted;
use super::tests_by_name::Tests;
use super::violation::Violation;

const FILE: &str = "docs/what-tenants-share.md";
/// The columns of the table. Its author decides before writing the code which callers wait for which others.
const HEADER: [&str; 5] = ["resource", "code", "turns by", "over its share", "test"];
const CODE: usize = 1;
const TEST: usize = 4;
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

pub(super) fn check(files: &Files, tests: &Tests) -> Vec<Violation> {
    // Without the page no row describes anything.
    let text = files.text(FILE).unwrap_or_default();
    let mut found = Vec::new();
    let (mut described, mut in_table) = (BTreeSet::new(), false);
    for (index, line) in text.lines().enumerate() {
        let Some(cells) = cells(line) else {
            in_table = false;
            continue;
        };
        if cells == HEADER {
            in_table = true;
        } else if in_table && !is_rule(&cells) {
            let mut add = |what: String, hint: &str| found.push(Violation::new(FILE, index + 1, what, hint));
            if cells.len() != HEADER.len() || cells.iter().any(String::is_empty) {
                add("an incomplete row".to_owned(), "fill in all five columns");
                continue;
            }
            let (code, shown): (Vec<_>, Vec<_>) =
                (quoted(&cells[CODE]).collect(), quoted(&cells[TEST]).collect());
            if code.is_empty() || shown.is_empty() {
                add("a row without code or test".to_owned(), "name a file and a test in backticks");
            }
            for file in code {
                let path = format!("crates/{file}");
                if files.text(&path).is_none() {
                    add(format!("there is no file {path}"), "name the file that has the resource");
                }
                described.insert(path);
            }
            for test in shown.into_iter().filter(|test| !tests.has_in_file(test)) {
                add(format!("there is no test {test}"), "write the test, or name the one that shows it");
            }
        }
    }
    let hint = "say in docs/what-tenants-share.md in which turns it is used";
    for (path, text) in files.rust().filter(|(path, _)| is_product(path) && !described.contains(*path)) {
        found.extend(limits(text).map(|line| {
            Violation::new(path, line, "a semaphore or bounded channel that no row describes", hint)
        }));
    }
    found
}

/// Whether it is a source of a crate, and not of its tests.
fn is_product(path: &str) -> bool {
    let of_crate = path.strip_prefix("crates/").and_then(|rest| rest.split_once("/src/"));
    of_crate.is_some_and(|(name, file)| {
        name != "testkit"
            && !file.contains("tests/")
            && !file.ends_with("tests.rs")
            && !file.contains("mock_server/")
    })
}

/// The lines before the file's own tests that create one. A separate file of tests may be declared anywhere.
fn limits(text: &str) -> impl Iterator<Item = usize> {
    let mut tests = text.match_indices("#[cfg(test)]\nmod ").map(|(at, _)| at);
    let is_inline = |at: &usize| text[*at..].lines().nth(1).is_some_and(|line| line.contains('{'));
    let product = &text[..tests.find(is_inline).unwrap_or(text.len())];
    let lines: Vec<_> = code_only(product).lines().map(is_limit).collect();
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

    #[track_caller]
    fn check_row(row: &str, expected: &[&str]) {
        let table = format!("| {} |\n|---|---|---|---|---|\n{row}\n", HEADER.join(" | "));
        let of_tests = "//! A.\nfn a() { Semaphore::new(1); }\n#[test]\nfn it_is_fair() {}\n";
        let unbounded = "//! A.\nfn a() { mpsc::channel(); }\n#[cfg(test)]\nmod tests { fn a() { Semaphore::new(1); } }\n";
        let files = Files::from([
            (FILE, table.as_str()),
            ("crates/keys/src/pool.rs", "//! A.\nfn a() { TenantTurns::new(1, 2); }\n"),
            ("crates/keys/src/pool/tests.rs", of_tests),
            ("crates/keys/src/a.rs", unbounded),
        ]);
        assert_eq!(facts(&check(&files, &Tests::from_files(&files))), expected, "{row}");
    }

    #[test]
    fn a_limit_is_seen_after_a_declaration_of_tests_and_with_a_type() {
        let found = |text: &str| limits(text).collect::<Vec<_>>();
        assert_eq!(found("#[cfg(test)]\nmod tests;\nfn a() { Semaphore::const_new(1); }\n"), [3]);
        assert_eq!(found("fn a() { mpsc::channel::<Vec<u8>>(8); }\nfn b() { sync_channel(1); }\n"), [1, 2]);
        let of_tests = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn a() { Semaphore::new(1); }\n}\n";
        let unbounded = ["fn a() { mpsc::channel::<u8>(); }\n", "use mpsc::channel;\nfn a(it: u8) {}\n"];
        for none in unbounded.into_iter().chain([of_tests]) {
            assert_eq!(found(none), [0; 0], "{none}");
        }
    }

    #[test]
    fn a_semaphore_or_a_bounded_channel_has_a_row_with_its_code_and_its_test() {
        let absent = "crates/keys/src/pool.rs:2: a semaphore or bounded channel that no row describes";
        let row = |code: &str, test: &str| format!("| keys | {code} | tenant | waits | {test} |");
        check_row(&row("`keys/src/pool.rs`", "`keys/src/pool/tests.rs::it_is_fair`"), &[]);
        let no_file = "docs/what-tenants-share.md:3: there is no file crates/keys/src/gone.rs";
        let no_test = "docs/what-tenants-share.md:3: there is no test keys/src/pool/tests.rs::gone";
        let gone = row("`keys/src/gone.rs`", "`keys/src/pool/tests.rs::gone`");
        check_row(&gone, &[no_file, no_test, absent]);
        let later = row("`keys/src/pool.rs`", "later");
        check_row(&later, &["docs/what-tenants-share.md:3: a row without code or test"]);
        check_row(
            "| keys | `keys/src/pool.rs` |",
            &["docs/what-tenants-share.md:3: an incomplete row", absent],
        );
        check_row("", &[absent]);
    }
}
