//! The sections of standards that a text cites: `RFC 8705 §2.1.1, §2.2.1` are two sections of RFC 8705.

use std::collections::BTreeSet;

use super::files::Files;
use super::mark_lines::is_mark;

/// A standard and its section: `RFC 8705` and `2.1.1`.
pub(super) type Section = (String, String);

/// The sections in the comments of the product's sources, without their tests.
pub(super) fn of_sources(files: &Files) -> BTreeSet<Section> {
    let is_product = |path: &str| {
        let inside = path.strip_prefix("crates/").and_then(|path| path.split_once("/src/"));
        inside.is_some_and(|(_, file)| !file.contains("tests"))
    };
    let sources = files.rust().filter(|(path, _)| is_product(path));
    sources.flat_map(|(_, text)| comments(text)).flat_map(|comment| of_text(&comment)).collect()
}

/// The comments of a source until its tests, each with all of its lines. A mark says what a test
/// shows, and cites nothing.
fn comments(source: &str) -> Vec<String> {
    let product = source.split("\n#[cfg(test)]").next().unwrap_or_default();
    let mut comments = vec![String::new()];
    for line in product.lines().filter(|line| !is_mark(line)) {
        match (line.split_once("//"), comments.last_mut()) {
            (Some((_, text)), Some(comment)) => comment.extend([" ", text.trim_start_matches(['/', '!'])]),
            _ => comments.push(String::new()),
        }
    }
    comments
}

/// The sections that a text cites. A section without a name before it belongs to the last named RFC.
pub(super) fn of_text(text: &str) -> Vec<Section> {
    let mut found = Vec::new();
    let mut standard = None;
    let mut before = "";
    for word in text.split_whitespace() {
        let word = word.trim_start_matches('(');
        if before == "RFC" {
            standard =
                Some(format!("RFC {}", word.trim_end_matches(|end: char| !end.is_ascii_alphanumeric())));
        } else if let Some(section) = word.strip_prefix('§') {
            let end = section.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(section.len());
            let section = section[..end].trim_end_matches('.');
            // `Core §3.1` is of another standard than the RFC before it.
            let is_other = before.starts_with(|first: char| first.is_ascii_uppercase());
            found.extend(
                standard.clone().filter(|_| !is_other).map(|standard| (standard, section.to_owned())),
            );
        }
        before = word;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<String> =
            of_text(text).into_iter().map(|(standard, section)| format!("{standard} §{section}")).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_section_is_of_the_rfc_before_it() {
        check("RFC 8705 §2.1.1, §2.2.1", &["RFC 8705 §2.1.1", "RFC 8705 §2.2.1"]);
        check("A rule (RFC 7009 §3). §5: another.", &["RFC 7009 §3", "RFC 7009 §5"]);
        check("RFC 7521 §4.2, RFC 7523 §2.2 and §3", &["RFC 7521 §4.2", "RFC 7523 §2.2", "RFC 7523 §3"]);
        check("RFC 7523bis §3", &["RFC 7523bis §3"]);
        check("RFC 6749 §4.1.2; Core §3.1.3.2", &["RFC 6749 §4.1.2"]);
        check("§3 and RFC 7009", &[]);
    }

    #[test]
    fn sources_cite_in_comments_outside_their_tests() {
        let source =
            "// RFC 1 §2,\n// §3.\nfn a() {}\n// §4.\n// [a RFC 1 §8]\n\n#[cfg(test)]\n// RFC 1 §5.\n";
        let files = Files::from([
            ("crates/a/src/b.rs", source),
            ("crates/a/src/b/tests.rs", "// RFC 1 §6.\n"),
            ("crates/a/tests/c.rs", "// RFC 1 §7.\n"),
        ]);
        let found: Vec<String> = of_sources(&files).into_iter().map(|(_, section)| section).collect();
        assert_eq!(found, ["2", "3"]);
    }
}
