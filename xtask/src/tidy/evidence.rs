//! What documents claim has evidence: a row with a column `shown by` names a test there, or a document where
//! the requirement is about documentation. Rows whose status says that they are not met need none.
//!
//! A test is named by file and function, as `keys/src/verify.rs::a_test`, or by crate, as `keys::a_test`.

use super::files::Files;
use super::tables::{Row, quoted, rows};
use super::tests_by_name::Tests;
use super::violation::Violation;

const PAGES: [&str; 4] =
    ["docs/conformance.md", "docs/security.md", "docs/features.md", "docs/what-tenants-share.md"];
/// The allowed statuses, and whether each needs evidence.
const STATUSES: [(&str, bool); 10] = [
    ("met", true),
    ("departs", false),
    ("absent", false),
    ("fixed", true),
    ("not met", false),
    ("not ours", false),
    ("stays", false),
    ("yes", true),
    ("partly", true),
    ("no", false),
];

pub(super) fn check(files: &Files, tests: &Tests) -> Vec<Violation> {
    PAGES.into_iter().flat_map(|page| check_page(page, files, tests)).collect()
}

fn check_page(page: &str, files: &Files, tests: &Tests) -> Vec<Violation> {
    let text = files.text(page).unwrap_or_default();
    let rows: Vec<Row> = rows(text).into_iter().filter(|row| row.cell("shown by").is_some()).collect();
    if rows.is_empty() {
        return vec![Violation::of_file(
            page,
            "no row that is shown by a test",
            "write a table with this column",
        )];
    }
    let mut found: Vec<_> = rows.iter().filter_map(|row| judge(page, row, files)).collect();
    let named =
        text.lines().enumerate().flat_map(|(index, line)| quoted(line).map(move |name| (index + 1, name)));
    let in_files = named.filter(|(_, name)| name.contains(".rs::"));
    let in_rows = rows
        .iter()
        .flat_map(|row| row.cell("shown by").into_iter().flat_map(quoted).map(|name| (row.line, name)));
    let of_crates = in_rows.filter(|(_, name)| is_test(name) && !name.contains(".rs::"));
    let missing = in_files
        .filter(|(_, name)| !tests.has_in_file(name))
        .chain(of_crates.filter(|(_, name)| !tests.has_in_crate(name)));
    found.extend(missing.map(|(line, name)| {
        let what = format!("there is no test {name}");
        Violation::new(page, line, what, "write the test, or name the one that shows it")
    }));
    found
}

fn judge(page: &str, row: &Row, files: &Files) -> Option<Violation> {
    let violation = |what: String, hint| Some(Violation::new(page, row.line, what, hint));
    if !row.is_whole() {
        return violation(format!("{} cells", row.cells.len()), "write as many as the header has");
    }
    let status = row.cell("status").unwrap_or("met");
    let Some((_, must_be_shown)) = STATUSES.iter().find(|(word, _)| *word == status) else {
        return violation(format!("status {status}"), "write a status of xtask/src/tidy/evidence.rs");
    };
    let shows = |name: &str| is_test(name) || files.text(name).is_some();
    if *must_be_shown && !row.cell("shown by").into_iter().flat_map(quoted).any(shows) {
        return violation(format!("{status}, but nothing shows it"), "name a test, or a document");
    }
    None
}

fn is_test(name: &str) -> bool {
    name.contains("::")
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
            (PAGES[0], text),
        ]);
        let found = facts(&check_page(PAGES[0], &files, &Tests::from_files(&files)));
        let expected: Vec<String> = expected.iter().map(|what| format!("{}:{what}", PAGES[0])).collect();
        assert_eq!(found, expected, "{text}");
    }

    fn table(row: &str) -> String {
        format!("| no | requirement | status | shown by |\n|---|---|---|---|\n{row}\n")
    }

    #[test]
    fn met_requirement_names_its_evidence() {
        for row in [
            "| 9.1.1 | a \\| b | met | `keys/src/a.rs::it_holds` |",
            "| 1 | a | fixed | see `keys::it_holds`, `docs/operations.md` |",
            "| 13.1.1 | a | met | `docs/operations.md` |",
            "| 10.5.1 | a | not ours | |",
            "| 10.5.1 | a | not met | no user yet |",
            "| 27 | a | departs | |",
        ] {
            check(&table(row), &[]);
        }
        check(&table("| 9.1.1 | a | met | |"), &["3: met, but nothing shows it"]);
        check(&table("| 9.1.1 | a | fixed | `docs/gone.md` |"), &["3: fixed, but nothing shows it"]);
        check(&table("| 9.1.1 | a | mostly | |"), &["3: status mostly"]);
        check(&table("| 9.1.1 | a | met | `keys::it_holds` | |"), &["3: 5 cells"]);
        check("| limit | shown by |\n|---|---|\n| 5 s | |\n", &["3: met, but nothing shows it"]);
        check("# Security\n", &["1: no row that is shown by a test"]);
    }

    #[test]
    fn named_test_must_exist() {
        check(
            &table("| 9 | a | met | `keys/src/a.rs::gone` |"),
            &["3: there is no test keys/src/a.rs::gone"],
        );
        check(&table("| 9 | a | absent | `keys::gone` |"), &["3: there is no test keys::gone"]);
        let prose = format!("{}\nHeld by `keys/src/b.rs::it_holds`.\n", table("| 9 | a | not ours | |"));
        check(&prose, &["5: there is no test keys/src/b.rs::it_holds"]);
    }
}
