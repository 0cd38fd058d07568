//! Marks: comments at tests that hold the rows of docs/conformance.md and docs/security.md.
//! `cargo xtask codegen` writes the rows into the pages, and `cargo xtask tidy` fails where a
//! page differs from its marks.
//!
//! A mark is above the attributes of its test. It names the block of the page and the row, and has the
//! cells of the row. The first cell is the name of the row, the last one is made of the tests, and a
//! status that is left out is `met`:
//!
//! ```text
//! // [oauth RFC 6749 §3.3 b]: One space between two tokens. Here runs of spaces are accepted, since they are
//! //   unambiguous | departs
//! // [oauth RFC 6749 §3.3 c], [V10 10.4.11]
//! ```
//!
//! A mark without cells names a further test of a row. Rows are in the order of their names; a letter after a
//! name distinguishes rows of one section. A name such as `#12` is an order alone, and the mark has all
//! cells. Rows of a block that name no test are written by hand in the page.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::files::Files;
use super::tables::{Row, cells, rows};
use super::tests_by_name::{Tests, function_name};
use super::violation::Violation;
use crate::workspace::{Doing, Failure, Workspace};

/// A page, and how it names a test.
type Page = (&'static str, fn(&str) -> String);

const PAGES: [Page; 2] = [("docs/conformance.md", by_crate), ("docs/security.md", by_file)];
const BEGIN: &str = "<!-- generated: ";
/// The beginning of a mark, and of its further lines.
const OPEN: &str = "// [";
const CONTINUED: &str = "//   ";

/// A test of a row.
struct Mark {
    block: String,
    row: String,
    /// The cells, which one test of the row has.
    text: Option<String>,
    /// The file from the root, and the function.
    test: String,
    line: usize,
}

pub(super) fn check(files: &Files, tests: &Tests) -> Vec<Violation> {
    let (marks, mut found) = read(files, tests);
    let mut blocks = BTreeSet::new();
    for page in PAGES {
        let Some(text) = files.text(page.0) else { continue };
        let (written, problems) = write_page(page.1, text, &marks, &mut blocks);
        found.extend(problems);
        if text != written {
            let equal = text.lines().zip(written.lines()).take_while(|(old, new)| old == new).count();
            let hint = "change the marks at the tests, and run `cargo xtask codegen`";
            found.push(Violation::new(page.0, equal + 1, "differs from the marks at the tests", hint));
        }
    }
    let lost = marks.iter().filter(|mark| !blocks.contains(&mark.block));
    found.extend(lost.map(|mark| mark.violation("no page has this block", "name a block of a page")));
    found
}

/// Writes the rows of all marks into the pages.
pub(crate) fn write(workspace: &Workspace) -> Result<(), Failure> {
    let files = Files::read(&workspace.root)?;
    let (marks, _) = read(&files, &Tests::from_files(&files));
    for (page, name_of) in PAGES {
        let text = files.text(page).unwrap_or_default();
        let (written, _) = write_page(name_of, text, &marks, &mut BTreeSet::new());
        fs::write(workspace.root.join(page), written).doing(format_args!("write {page}"))?;
        println!("{page} written");
    }
    Ok(())
}

fn read(files: &Files, tests: &Tests) -> (Vec<Mark>, Vec<Violation>) {
    let mut marks = Vec::new();
    for (path, text) in files.rust() {
        let mut pending: Vec<(usize, String)> = Vec::new();
        for (index, line) in text.lines().map(str::trim_start).enumerate() {
            if let Some(mark) = line.strip_prefix(OPEN) {
                pending.push((index + 1, format!("[{mark}")));
            } else if let Some((_, mark)) = pending.last_mut() {
                if let Some(more) = line.strip_prefix(CONTINUED) {
                    mark.extend([" ", more]);
                } else if let Some(name) = function_name(line).or(line.is_empty().then_some("")) {
                    let test = format!("{path}::{name}");
                    marks.extend(pending.drain(..).flat_map(|(line, text)| of_comment(&text, &test, line)));
                }
            }
        }
    }
    let others = marks.iter().filter(|mark| !tests.has_in_file(&mark.test));
    let found =
        others.map(|mark| mark.violation("not above a test", "write it above the attributes of a test"));
    let found = found.collect();
    (marks, found)
}

/// The mark with a text, or the marks that name rows.
fn of_comment(comment: &str, test: &str, line: usize) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut rest = Some(comment);
    while let Some((name, after)) = rest.and_then(|rest| rest.trim_start().strip_prefix('[')?.split_once(']'))
    {
        let (block, row) = name.split_once(' ').unwrap_or((name, ""));
        let text = after.strip_prefix(':').map(|text| text.trim().to_owned());
        rest = after.strip_prefix(',');
        marks.push(Mark { block: block.to_owned(), row: row.to_owned(), text, test: test.to_owned(), line });
    }
    marks
}

impl Mark {
    fn violation(&self, what: &str, hint: &str) -> Violation {
        let file = self.test.split("::").next().unwrap_or_default();
        Violation::new(file, self.line, format!("[{} {}]: {what}", self.block, self.row), hint)
    }
}

/// The page with the rows of the marks in its blocks. A block is a comment and the table below it.
fn write_page(
    name_of: fn(&str) -> String,
    text: &str,
    marks: &[Mark],
    blocks: &mut BTreeSet<String>,
) -> (String, Vec<Violation>) {
    let (mut written, mut found) = (String::with_capacity(text.len()), Vec::new());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        written.extend([line, "\n"]);
        if let Some(block) = line.strip_prefix(BEGIN).and_then(|line| line.strip_suffix(" -->")) {
            blocks.insert(block.to_owned());
            let table: Vec<&str> =
                std::iter::from_fn(|| lines.next_if(|line| line.starts_with('|'))).collect();
            let of_block: Vec<&Mark> = marks.iter().filter(|mark| mark.block == block).collect();
            let (rows, problems) = write_table(name_of, &table, &of_block);
            found.extend(problems);
            rows.iter().for_each(|row| written.extend([row, "\n"]));
        }
    }
    (with_counts(&written), found)
}

/// The page with the right numbers in its table `| standard | met | departs | absent |`.
fn with_counts(text: &str) -> String {
    const STATUSES: [&str; 3] = ["met", "departs", "absent"];
    let rows = rows(text);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for counted in rows.iter().filter(|row| row.cell("departs").is_some()) {
        let standard = counted.cells[0].as_str();
        let is_of = |row: &&Row| row.cells[0].split(" §").next() == Some(standard);
        let count =
            |status| rows.iter().filter(is_of).filter(|row| row.cell("status") == Some(status)).count();
        let [met, departs, absent] = STATUSES.map(count);
        lines[counted.line - 1] = format!("| {standard} | {met} | {departs} | {absent} |");
    }
    lines.into_iter().flat_map(|line| [line, "\n".to_owned()]).collect()
}

/// The header, the rows of the marks, and the rows that are written by hand.
fn write_table(
    name_of: fn(&str) -> String,
    table: &[&str],
    marks: &[&Mark],
) -> (Vec<String>, Vec<Violation>) {
    let (header, committed) = table.split_at(table.len().min(2));
    let columns = header.first().and_then(|line| cells(line)).unwrap_or_default();
    let mut of_row: BTreeMap<_, Vec<&Mark>> = BTreeMap::new();
    for mark in marks {
        of_row.entry(order(&mark.row)).or_default().push(mark);
    }
    let has_numbers = marks.iter().any(|mark| mark.row.starts_with('#'));
    let (mut rows, mut found) = (Vec::new(), Vec::new());
    for (place, mut marks) in of_row {
        marks.sort_by_key(|mark| (mark.text.is_none(), name_of(&mark.test)));
        match row(name_of, &columns, &marks) {
            Ok(row) => rows.push((false, place, row)),
            Err(problem) => found.push(problem),
        }
    }
    for line in committed {
        let cells = cells(line).unwrap_or_default();
        if !cells.last().is_some_and(|shown| shown.contains("::")) {
            rows.push((has_numbers, order(&cells.first().cloned().unwrap_or_default()), (*line).to_owned()));
        }
    }
    rows.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
    (header.iter().map(ToString::to_string).chain(rows.into_iter().map(|(.., row)| row)).collect(), found)
}

/// The row of marks, of which the first one has the text.
fn row(name_of: fn(&str) -> String, columns: &[String], marks: &[&Mark]) -> Result<String, Violation> {
    let first = marks[0];
    let Some(text) = &first.text else {
        return Err(first.violation("no text", "write `: ` and the cells after one of the marks of this row"));
    };
    if let Some(second) = marks.iter().skip(1).find(|mark| mark.text.is_some()) {
        return Err(second.violation("a second text", "leave out the text, or add a letter to the name"));
    }
    let mut filled = cells(&format!("| {text} |")).unwrap_or_default();
    if !first.row.starts_with('#') {
        let letter = first.row.rsplit_once(' ').filter(|(_, last)| last.len() == 1);
        filled.insert(0, letter.map_or(first.row.as_str(), |(name, _)| name).to_owned());
    }
    let status = columns.iter().position(|column| column == "status");
    if let Some(status) = status.filter(|status| filled.len() + 2 == columns.len() && *status <= filled.len())
    {
        filled.insert(status, "met".to_owned());
    }
    if filled.len() + 1 != columns.len() {
        let hint = "write a text for each column, separated by ` | `";
        return Err(first.violation(&format!("{} cells and the tests", filled.len()), hint));
    }
    let tests: Vec<String> = marks.iter().map(|mark| format!("`{}`", name_of(&mark.test))).collect();
    filled.push(tests.join(", "));
    let filled: Vec<String> = filled.iter().map(|cell| cell.replace('|', "\\|")).collect();
    Ok(format!("| {} |", filled.join(" | ")))
}

/// What the names of rows are ordered by: texts, and numbers by their value.
fn order(name: &str) -> Vec<(String, u32)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let (text, after) = rest.split_at(rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len()));
        let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        parts.push((text.to_owned(), after[..end].parse().unwrap_or_default()));
        rest = &after[end..];
    }
    parts
}

/// `gateway::a_test`
fn by_crate(test: &str) -> String {
    let inside = test.strip_prefix("crates/").unwrap_or(test);
    let (of_crate, name) = (inside.split('/').next(), inside.rsplit("::").next());
    format!("{}::{}", of_crate.unwrap_or_default().replace('-', "_"), name.unwrap_or_default())
}

/// `gateway/tests/api/token.rs::a_test`
fn by_file(test: &str) -> String {
    test.strip_prefix("crates/").unwrap_or(test).to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::violation::facts;
    use super::*;

    const HEADER: &str = "| source | requirement | status | shown by |\n|---|---|---|---|\n";

    /// The rows of the block `oauth` and the violations, for comments above two tests.
    #[track_caller]
    fn check(first: &str, second: &str, committed: &str, expected: &[&str]) {
        let source =
            format!("{first}\n#[test]\nfn one() {{}}\n\n{second}\n/// Text.\n#[test]\nfn two() {{}}\n");
        let files = Files::from([("crates/keys/src/a.rs", source.as_str())]);
        let (marks, mut found) = read(&files, &Tests::from_files(&files));
        let text = format!("<!-- generated: oauth -->\n{HEADER}{committed}\nafter\n");
        let (written, problems) = write_page(by_crate, &text, &marks, &mut BTreeSet::new());
        found.extend(problems);
        let before = format!("<!-- generated: oauth -->\n{HEADER}");
        let rows = written.strip_prefix(&before).and_then(|text| text.strip_suffix("\nafter\n"));
        let rows = rows.unwrap_or(&written).lines().map(str::to_owned);
        let all: Vec<String> = rows.chain(facts(&found)).collect();
        assert_eq!(all, expected, "{first} {second}");
    }

    #[test]
    fn marks_become_rows() {
        check("// [oauth RFC 1 §2]: A \\| b", "", "", &["| RFC 1 §2 | A \\| b | met | `keys::one` |"]);
        let [mark, with_text] = ["// [oauth RFC 1 §2]", "// [oauth RFC 1 §2]: A"];
        check(with_text, mark, "", &["| RFC 1 §2 | A | met | `keys::one`, `keys::two` |"]);
        check(mark, with_text, "", &["| RFC 1 §2 | A | met | `keys::two`, `keys::one` |"]);
        let two = "// Text.\n// [oauth RFC 1 §10 b]: B c\n//   d | departs\n// [oauth RFC 1 §10]: A";
        let both = [
            "| RFC 1 §2 | By hand | absent | |",
            "| RFC 1 §10 | A | met | `keys::one`, `keys::two` |",
            "| RFC 1 §10 | B c d | departs | `keys::one`, `keys::two` |",
        ];
        let by_hand = "| RFC 1 §3 | Gone | met | `keys::one` |\n| RFC 1 §2 | By hand | absent | |\n";
        check(two, "// [oauth RFC 1 §10],\n//   [oauth RFC 1 §10 b], [other 1]", by_hand, &both);
        let order =
            ["| B | C | met | `keys::two` |", "| A | C | met | `keys::one` |", "| By hand | A | absent | |"];
        check("// [oauth #10]: A | C | met", "// [oauth #9]: B | C", "| By hand | A | absent | |\n", &order);
    }

    #[test]
    fn counts_of_a_standard_match_its_rows() {
        let page = |counts: &str| {
            format!(
                "| standard | met | departs | absent |\n|---|---|---|---|\n{counts}\n\n{HEADER}\
                 | RFC 6749 §5.1 | a | met | storage::rows_survive |\n\
                 | RFC 6749 §5.1, §5.2 | a | departs | |\n| RFC 67490 §5.1 | a | absent | |\n"
            )
        };
        let counted = "| RFC 6749 | 1 | 1 | 0 |\n| RFC 9999 | 0 | 0 | 0 |";
        assert_eq!(with_counts(&page("| RFC 6749 | 2 | | |\n| RFC 9999 | | | |")), page(counted));
    }

    #[test]
    fn invalid_mark_is_reported() {
        for (first, second, expected) in [
            ("// [oauth 1]", "", "1: [oauth 1]: no text"),
            ("// [oauth 1]: A", "// [oauth 1]: B", "5: [oauth 1]: a second text"),
            ("// [oauth 1]: A | B | C", "", "1: [oauth 1]: 4 cells and the tests"),
            ("// [other 1]: A\n", "", "1: [other 1]: not above a test"),
            ("// [other 1]\nfn aid() {}", "", "1: [other 1]: not above a test"),
        ] {
            check(first, second, "", &[&format!("crates/keys/src/a.rs:{expected}")]);
        }
    }

    #[test]
    fn page_that_differs_from_its_marks_is_reported() {
        let source = "// [oauth 1]: A\n#[test]\nfn one() {}\n// [lost 1]: A\n#[test]\nfn two() {}\n";
        let page = format!("<!-- generated: oauth -->\n{HEADER}| 1 | B | met | `keys::one` |\n");
        let files = Files::from([("crates/keys/src/a.rs", source), (PAGES[0].0, page.as_str())]);
        let differs = "docs/conformance.md:4: differs from the marks at the tests";
        let lost = "crates/keys/src/a.rs:4: [lost 1]: no page has this block";
        assert_eq!(facts(&super::check(&files, &Tests::from_files(&files))), [differs, lost]);
    }
}
