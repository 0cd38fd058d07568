//! docs/security.md and docs/features.md: every named test exists, and each line of a table with a
//! column `status` has evidence.
//!
//! A row is `| 9.1.1 | 1 | requirement | met | `keys/src/verify.rs::a_test` |`: the column `shown by` names
//! tests by file and function, or documents by path where the requirement is about documentation.

use super::conformance::{cells, is_rule};
use super::files::Files;
use super::tests_by_name::Tests;
use super::violation::Violation;

const FILES: [&str; 2] = ["docs/security.md", "docs/features.md"];
/// The allowed statuses, and whether each needs evidence.
const STATUSES: [(&str, bool); 8] = [
    ("met", true),
    ("fixed", true),
    ("not met", false),
    ("not ours", false),
    ("stays", false),
    ("yes", true),
    ("partly", true),
    ("no", false),
];

/// Indexes of the checked columns.
struct Columns {
    count: usize,
    status: usize,
    shown_by: usize,
}

pub(super) fn check(files: &Files, tests: &Tests) -> Vec<Violation> {
    let check = |file| match files.text(file) {
        Some(text) => check_text(file, text, tests, files),
        None => vec![Violation::of_file(file, "missing", "write what there is, and what shows it")],
    };
    FILES.into_iter().flat_map(check).collect()
}

fn check_text(file: &'static str, text: &str, tests: &Tests, files: &Files) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut columns = None;
    let mut rows = 0_usize;
    for (index, line) in text.lines().enumerate() {
        let missing = quoted(line).filter(|name| is_test(name) && !tests.has_in_file(name));
        found.extend(missing.map(|name| {
            let what = format!("there is no test {name}");
            Violation::new(file, index + 1, what, "write the test, or name the one that shows it")
        }));
        let Some(cells) = cells(line) else {
            columns = None;
            continue;
        };
        if let Some(header) = Columns::from_cells(&cells) {
            columns = Some(header);
        } else if let Some(columns) = columns.as_ref().filter(|_| !is_rule(&cells)) {
            rows += 1;
            let problem = columns.judge(&cells, files);
            found.extend(problem.map(|(what, fix)| Violation::new(file, index + 1, what, fix)));
        }
    }
    if rows == 0 {
        let fix = "write a table with the columns `status` and `shown by`";
        found.push(Violation::of_file(file, "no row of a requirement", fix));
    }
    found
}

impl Columns {
    fn from_cells(cells: &[String]) -> Option<Self> {
        let place = |name: &str| cells.iter().position(|cell| cell == name);
        Some(Self { count: cells.len(), status: place("status")?, shown_by: place("shown by")? })
    }

    fn judge(&self, cells: &[String], files: &Files) -> Option<(String, &'static str)> {
        if cells.len() != self.count {
            return Some((format!("{} cells", cells.len()), "write as many as the header has"));
        }
        let status = &cells[self.status];
        let Some((_, must_be_shown)) = STATUSES.iter().find(|(word, _)| word == status) else {
            return Some((
                format!("status {status}"),
                "write met, fixed, not met, not ours or stays; of a feature yes, partly or no",
            ));
        };
        let shows = |name: &str| is_test(name) || files.text(name).is_some();
        let is_shown = quoted(&cells[self.shown_by]).any(shows);
        let problem = (
            format!("{status}, but nothing shows it"),
            "name a test as path/file.rs::function, or a document",
        );
        (*must_be_shown && !is_shown).then_some(problem)
    }
}

/// The texts between backticks.
pub(super) fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn is_test(name: &str) -> bool {
    name.contains(".rs::")
}

#[cfg(test)]
mod tests {
    use super::super::violation::facts;
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let files = Files::from([
            ("crates/keys/src/a.rs", "//! A.\n#[test]\nfn it_holds() {}\n"),
            ("docs/operations.md", "# Operations\n"),
        ]);
        let found = facts(&check_text(FILES[0], text, &Tests::from_files(&files), &files));
        let expected: Vec<String> = expected.iter().map(|what| format!("docs/security.md:{what}")).collect();
        assert_eq!(found, expected, "{text}");
    }

    fn table(row: &str) -> String {
        format!("| no | requirement | status | shown by |\n|---|---|---|---|\n{row}\n")
    }

    #[test]
    fn what_is_met_names_what_shows_it() {
        check(&table("| 9.1.1 | a \\| b | met | `keys/src/a.rs::it_holds` |"), &[]);
        check(&table("| 1 | a | fixed | see `keys/src/a.rs::it_holds`, `docs/operations.md` |"), &[]);
        check(&table("| 13.1.1 | a | met | `docs/operations.md` |"), &[]);
        check(&table("| 10.5.1 | a | not ours | |"), &[]);
        check(&table("| 10.5.1 | a | not met | no user yet |"), &[]);
        check(&table("| 27 | a | stays | |"), &[]);
        check(&table("| 9.1.1 | a | met | |"), &["3: met, but nothing shows it"]);
        check(&table("| 9.1.1 | a | fixed | `docs/gone.md` |"), &["3: fixed, but nothing shows it"]);
        check(&table("| 9.1.1 | a | mostly | |"), &["3: status mostly"]);
        check(&table("| 9.1.1 | a | met |"), &["3: 3 cells"]);
        check("# Security\n", &["1: no row of a requirement"]);
    }

    #[test]
    fn a_named_test_exists_wherever_it_is_named() {
        let gone = table("| 9 | a | met | `keys/src/a.rs::gone` |");
        check(&gone, &["3: there is no test keys/src/a.rs::gone"]);
        let prose = format!("{}\nHeld by `keys/src/b.rs::it_holds`.\n", table("| 9 | a | not ours | |"));
        check(&prose, &["5: there is no test keys/src/b.rs::it_holds"]);
        let limits = "| limit | test |\n|---|---|\n| 32 KiB | `keys/src/a.rs::too_long` |\n\n";
        let text = format!("{limits}{}", table("| 9 | a | not ours | |"));
        check(&text, &["3: there is no test keys/src/a.rs::too_long"]);
    }
}
