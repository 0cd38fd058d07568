//! docs/conformance.md: each requirement of a standard has a status and names the tests that show it.
//!
//! A row is `| RFC 6749 §5.1 | requirement | met | registry::a_test, gateway::another |`. A table `| standard | met | departs | absent |` counts them. What
//! is met of a standard that is counted is cited by a comment at the code that meets it.

use std::collections::{BTreeMap, BTreeSet};

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
    let mut rows = 0_usize;
    let (mut in_table, mut in_counts) = (false, false);
    let (mut counted, mut stated) = (BTreeMap::new(), Vec::new());
    let mut met = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some(cells) = cells(line) else {
            (in_table, in_counts) = (false, false);
            continue;
        };
        if cells.get(1..) == Some(STATUSES.map(str::to_owned).as_slice()) {
            in_counts = true;
            continue;
        }
        if in_counts && !is_rule(&cells) {
            stated.push((index + 1, cells));
            continue;
        }
        let is_header = cells.get(2).is_some_and(|cell| cell.eq_ignore_ascii_case("status"));
        if is_header || is_rule(&cells) {
            in_table |= is_header;
            continue;
        }
        if in_table {
            rows += 1;
            let standard = cells[0].split(" §").next().unwrap_or_default().to_owned();
            if let Some(status) =
                STATUSES.iter().position(|known| cells.get(2).is_some_and(|cell| cell == known))
            {
                counted.entry(standard).or_insert([0_usize; 3])[status] += 1;
            }
            if cells.get(2).is_some_and(|status| status == "met") {
                met.extend(
                    cited_sections::of_text(&cells[0]).into_iter().map(|section| (index + 1, section)),
                );
            }
            let problems = row(&cells, tests).into_iter();
            found.extend(problems.map(|(what, hint)| Violation::new(FILE, index + 1, what, hint)));
        }
    }
    for (line, section) in met {
        let is_counted = stated.iter().any(|(_, cells)| cells[0] == section.0);
        if is_counted && !cited.contains(&section) {
            let what = format!("no comment in crates/*/src cites {} §{}", section.0, section.1);
            found.push(Violation::new(FILE, line, what, "cite it above the line that meets it"));
        }
    }
    for (line, cells) in stated {
        let counts = counted.get(&cells[0]).copied().unwrap_or_default().map(|count| count.to_string());
        if cells[1..] != counts {
            let what = format!("{} has other counts: {}", cells[0], counts.join(" | "));
            found.push(Violation::new(FILE, line, what, "write what the rows of this page say"));
        }
    }
    if rows == 0 {
        let hint = "write a table `| standard | requirement | status | tests |`";
        found.push(Violation::of_file(FILE, "no row of a requirement", hint));
    }
    found
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
    use super::super::violation::lines;
    use super::*;

    #[track_caller]
    fn check(rows: &str, expected: &[&str]) {
        let source = "//! RFC 6749 §5.1, §5.2, RFC 67490 §5.1.\n#[test]\nfn rows_survive() {}\n";
        let files = Files::from([("crates/storage/src/a.rs", source)]);
        let text = format!(
            "# Conformance\n\n| standard | requirement | status | tests |\n|---|---|---|---|\n{rows}\n"
        );
        let found = lines(&check_text(&text, &Tests::of(&files), &cited_sections::of_sources(&files)));
        let found: Vec<&str> = found.iter().filter_map(|line| line.split("; ").next()).collect();
        let expected: Vec<String> =
            expected.iter().map(|what| format!("docs/conformance.md:{what}")).collect();
        assert_eq!(found, expected, "{rows}");
    }

    #[test]
    fn a_met_requirement_names_tests_that_exist() {
        check("| RFC 6749 §5.1 | a \\| b | met | `storage::rows_survive` |", &[]);
        check("| RFC 6749 §5.1 | a | absent | |", &[]);
        check("| RFC 6749 §5.1 | a | departs | storage::inner::rows_survive |", &[]);
        check("| RFC 6749 §5.1 | a | met | |", &["5: met, but no test shows it"]);
        check("| RFC 6749 §5.1 | a | mostly | |", &["5: status mostly"]);
        check("| RFC 6749 §5.1 | a | met |", &["5: 3 cells"]);
        check(
            "| RFC 6749 §5.1 | a | met | storage::gone, keys::rows_survive |",
            &["5: there is no test storage::gone", "5: there is no test keys::rows_survive"],
        );
        check("", &["1: no row of a requirement"]);
    }

    #[test]
    fn the_counts_of_a_standard_are_those_of_its_rows() {
        let rows = concat!(
            "| RFC 6749 §5.1 | a | met | storage::rows_survive |\n",
            "| RFC 6749 §5.1, §5.2 | a | departs | |\n",
            "| RFC 67490 §5.1 | a | absent | |\n",
        );
        let counts =
            |row: &str| format!("{rows}\n| standard | met | departs | absent |\n|---|---|---|---|\n{row}");
        check(&counts("| RFC 6749 | 1 | 1 | 0 |"), &[]);
        check(&counts("| RFC 6749 | 2 | 1 | 0 |"), &["11: RFC 6749 has other counts: 1 | 1 | 0"]);
        check(&counts("| RFC 9999 | 1 | 0 | 0 |"), &["11: RFC 9999 has other counts: 0 | 0 | 0"]);
    }

    #[test]
    fn what_is_met_of_a_counted_standard_is_cited_by_a_source() {
        let row = "| RFC 6749 §5.1, §6 | a | met | storage::rows_survive |\n";
        check(row, &[]);
        let counts = "\n| standard | met | departs | absent |\n|---|---|---|---|\n| RFC 6749 | 1 | 0 | 0 |";
        check(&format!("{row}{counts}"), &["5: no comment in crates/*/src cites RFC 6749 §6"]);
    }
}
