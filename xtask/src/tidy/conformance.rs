//! docs/conformance.md: each requirement of a standard has a status and names the tests that prove it.
//!
//! A row is `| RFC 6749 §5.1 | requirement | met | registry::a_test, gateway::another |`. What is
//! met of a standard that a table `| standard | met | departs | absent |` counts is cited by a
//! comment at the code that meets it.

use std::collections::BTreeSet;

use super::cited_sections::{self, Section};
use super::files::Files;
use super::tests_by_name::Tests;
use super::violation::Violation;

const FILE: &str = "docs/conformance.md";
const STATUSES: [&str; 3] = ["met", "departs", "absent"];

pub(super) fn check(files: &Files, tests: &Tests) -> Vec<Violation> {
    match files.text(FILE) {
        Some(text) => check_text(text, tests, &cited_sections::of_sources(files)),
        None => {
            vec![Violation::of_file(FILE, "missing", "write a row for each requirement of the standards")]
        }
    }
}

fn check_text(text: &str, tests: &Tests, cited: &BTreeSet<Section>) -> Vec<Violation> {
    let mut found = Vec::new();
    let rows = Rows::from_text(text);
    for (index, cells) in &rows.requirements {
        let mut add = |(what, hint): (String, &str)| found.push(Violation::new(FILE, index + 1, what, hint));
        row(cells, tests).into_iter().for_each(&mut add);
        let is_counted = |standard: &str| rows.counts.iter().any(|(_, counts)| counts[0] == standard);
        if cells.get(2).is_some_and(|status| status == "met") {
            let met = cited_sections::of_text(&cells[0]).into_iter();
            for section in met.filter(|section| is_counted(&section.0) && !cited.contains(section)) {
                let what = format!("no comment in crates/*/src cites {} §{}", section.0, section.1);
                add((what, "cite it above the line that meets it"));
            }
        }
    }
    if rows.requirements.is_empty() {
        let hint = "write a table `| standard | requirement | status | tests |`";
        found.push(Violation::of_file(FILE, "no row of a requirement", hint));
    }
    found
}

/// Rows by the index of their line.
#[derive(Default)]
struct Rows {
    requirements: Vec<(usize, Vec<String>)>,
    counts: Vec<(usize, Vec<String>)>,
}

impl Rows {
    fn from_text(text: &str) -> Self {
        let mut rows = Self::default();
        let mut header = None;
        for (index, line) in text.lines().enumerate() {
            let Some(cells) = cells(line) else {
                header = None;
                continue;
            };
            let header = header.get_or_insert_with(|| cells.clone());
            if *header == cells || is_rule(&cells) {
                continue;
            }
            if header.get(1..) == Some(STATUSES.map(str::to_owned).as_slice()) {
                rows.counts.push((index, cells));
            } else if header.get(2).is_some_and(|cell| cell == "status") {
                rows.requirements.push((index, cells));
            }
        }
        rows
    }
}

/// The page with the right numbers in its table `| standard | met | departs | absent |`.
pub(super) fn with_counts(text: &str) -> String {
    let rows = Rows::from_text(text);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (index, cells) in rows.counts {
        let is_of = |row: &[String]| row[0].split(" §").next() == Some(cells[0].as_str());
        let count = |status| {
            rows.requirements
                .iter()
                .filter(|(_, row)| is_of(row) && row.get(2).is_some_and(|cell| cell == status))
                .count()
        };
        let [met, departs, absent] = STATUSES.map(count);
        lines[index] = format!("| {} | {met} | {departs} | {absent} |", cells[0]);
    }
    lines.into_iter().flat_map(|line| [line, "\n".to_owned()]).collect()
}

fn row(cells: &[String], tests: &Tests) -> Vec<(String, &'static str)> {
    let [_, _, status, named] = cells else {
        return vec![(format!("{} cells", cells.len()), "write four: standard, requirement, status, tests")];
    };
    let names: Vec<&str> = named.split(',').map(|name| name.trim_matches([' ', '`'])).collect();
    let names: Vec<&str> = names.into_iter().filter(|name| name.contains("::")).collect();
    let mut problems = Vec::new();
    match status.as_str() {
        "met" if names.is_empty() => {
            problems.push(("met, but no test shows it".to_owned(), "name one as crate::test_name"));
        }
        "met" | "departs" | "absent" => {}
        other => problems.push((format!("status {other}"), "write met, departs or absent")),
    }
    let missing = names.into_iter().filter(|name| !tests.has_in_crate(name));
    problems.extend(
        missing.map(|name| {
            (format!("there is no test {name}"), "write the test, or name the one that shows it")
        }),
    );
    problems
}

/// The cells of a table's row; `\|` is a bar within one.
pub(super) fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let inner = inner.replace("\\|", "\u{0}");
    Some(inner.split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect())
}

/// Whether a row is the separator between a table's header and its rows.
pub(super) fn is_rule(cells: &[String]) -> bool {
    cells.iter().all(|cell| cell.contains('-') && cell.trim_matches(['-', ':']).is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::violation::facts;
    use super::*;

    #[track_caller]
    fn check(rows: &str, expected: &[&str]) {
        let source = "//! RFC 6749 §5.1, §5.2, RFC 67490 §5.1.\n#[test]\nfn rows_survive() {}\n";
        let files = Files::from([("crates/storage/src/a.rs", source)]);
        let text = format!(
            "# Conformance\n\n| standard | requirement | status | tests |\n|---|---|---|---|\n{rows}\n"
        );
        let sections = cited_sections::of_sources(&files);
        let found = facts(&check_text(&text, &Tests::from_files(&files), &sections));
        let expected = expected.iter().map(|what| format!("docs/conformance.md:{what}"));
        assert_eq!(found, expected.collect::<Vec<_>>(), "{rows}");
    }

    #[test]
    fn a_met_requirement_names_tests_that_exist() {
        check("| RFC 6749 §5.1 | a \\| b | met | `storage::rows_survive` |", &[]);
        check("| RFC 6749 §5.1 | a | absent | |", &[]);
        check("| RFC 6749 §5.1 | a | departs | storage::inner::rows_survive |", &[]);
        check("| RFC 6749 §5.1 | a | met | |", &["5: met, but no test shows it"]);
        check("| RFC 6749 §5.1 | a | mostly | |", &["5: status mostly"]);
        check("| RFC 6749 §5.1 | a | met |", &["5: 3 cells"]);
        let missing = ["5: there is no test storage::gone", "5: there is no test keys::rows_survive"];
        check("| RFC 6749 §5.1 | a | met | storage::gone, keys::rows_survive |", &missing);
        check("", &["1: no row of a requirement"]);
    }

    #[test]
    fn the_counts_of_a_standard_are_those_of_its_rows() {
        let page = |counts: &str| {
            format!(
                "| standard | met | departs | absent |\n|---|---|---|---|\n{counts}\n\n\
                 | source | requirement | status | tests |\n|---|---|---|---|\n\
                 | RFC 6749 §5.1 | a | met | storage::rows_survive |\n\
                 | RFC 6749 §5.1, §5.2 | a | departs | |\n| RFC 67490 §5.1 | a | absent | |\n"
            )
        };
        let counted = "| RFC 6749 | 1 | 1 | 0 |\n| RFC 9999 | 0 | 0 | 0 |";
        assert_eq!(with_counts(&page("| RFC 6749 | 2 | | |\n| RFC 9999 | | | |")), page(counted));
        assert_eq!(with_counts(&page(counted)), page(counted));
    }

    #[test]
    fn what_is_met_of_a_counted_standard_is_cited_by_a_source() {
        let row = "| RFC 6749 §5.1, §6 | a | met | storage::rows_survive |\n";
        check(row, &[]);
        let counts = "\n| standard | met | departs | absent |\n|---|---|---|---|\n| RFC 6749 | 1 | 0 | 0 |";
        check(&format!("{row}{counts}"), &["5: no comment in crates/*/src cites RFC 6749 §6"]);
    }
}
