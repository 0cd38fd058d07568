//! Words that this project does not use, in sources and documents. CONTRIBUTING.md
//! says what to write instead.

use super::files::Files;
use super::rust_code::code_only;
use super::violation::Violation;

/// The word, and what to write instead. A word is found in any case, and as a part of an identifier.
const DENIED: [(&str, &str); 11] = [
    ("door", "interface, or the API, command line or file that is meant"),
    ("doors", "interfaces"),
    ("whoever", "the actor: a client, a verifier, an operator"),
    ("somebody", "the actor: a client, a verifier, an operator"),
    ("sighting", "JWKS fetch"),
    ("sightings", "JWKS fetches"),
    ("doubts", "pending invalidations"),
    ("mend", "fix, or `hint` in diagnostics"),
    ("mends", "fixes"),
    ("mended", "fixed"),
    ("house", "the noun that is meant: test environment, project"),
];

/// The texts of several words, and what to write instead.
const DENIED_TEXTS: [(&str, &str); 4] = [
    ("carry_out", "commit_with_retry, or the verb that is meant"),
    ("stand-in", "mock server, substitute"),
    ("the seeds", "what the documents describe, such as the client integration guide"),
    ("seed 00", "what the document describes, such as the tenant quick start"),
];

/// What no comment of a Rust source begins with, and what to write instead. A comment
/// begins with its subject.
const DENIED_BEGINNINGS: [(&str, &str); 9] = [
    ("Of a ", "a sentence that begins with its subject"),
    ("Of an ", "a sentence that begins with its subject"),
    ("Of the ", "a sentence that begins with its subject"),
    ("The same.", "the noun that is meant"),
    ("The same, ", "the noun that is meant"),
    ("The same as ", "the noun that is meant"),
    ("The same for ", "the noun that is meant"),
    ("The same of ", "the noun that is meant"),
    ("The same with ", "the noun that is meant"),
];

/// What no comment of a Rust source contains, and what to write instead.
const DENIED_IN_COMMENTS: [(&str, &str); 1] =
    [("goes on", "continues, stays valid, or the verb that is meant")];

/// Folders and files whose comments are texts of schemas and of `--help`. Their beginnings follow the
/// name of the field or argument.
const VISIBLE: [&str; 4] = [
    "crates/administration/src/documents/",
    "crates/gateway/src/openapi/forms.rs",
    "crates/gateway/src/thunder/",
    "crates/command/src/",
];

/// Code may not contain it. Comments may.
const DENIED_IDENTIFIER: (&str, &str) = ("standing", "status or lifecycle");

/// In columns.
const WIDEST_COMMENT: usize = 110;

/// A table whose name stays, since migrations are never edited.
const TABLE: &str = "key_sightings";

/// This file; and migrations, which are never edited once they have landed.
const EXEMPT: [&str; 2] = ["xtask/src/tidy/words.rs", "migrations/"];

const KINDS: [&str; 7] = [".rs", ".html", ".md", ".yaml", ".yml", ".toml", ".sh"];

pub(super) fn check(files: &Files) -> Vec<Violation> {
    let written = files.iter().filter(|(path, _)| {
        KINDS.iter().any(|kind| path.ends_with(kind)) && !EXEMPT.iter().any(|exempt| path.starts_with(exempt))
    });
    written.flat_map(|(path, text)| check_text(path, text)).collect()
}

fn check_text(path: &str, text: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.replace(TABLE, "");
        for (word, instead) in words(&line).chain(texts(&line)) {
            found.push(violation(path, index, word, instead));
        }
    }
    if path.ends_with(".rs") {
        if !VISIBLE.iter().any(|visible| path.starts_with(visible)) {
            for (index, comment) in comments(text) {
                let denied = phrases(&comment);
                found.extend(denied.iter().map(|(phrase, instead)| violation(path, index, phrase, instead)));
            }
        }
        found.extend(wide_comments(path, text));
        let (word, instead) = DENIED_IDENTIFIER;
        let lines = code_only(text);
        let named = lines.lines().enumerate().filter(|(_, line)| parts(line).any(|part| part == word));
        found.extend(named.map(|(index, _)| violation(path, index, word, instead)));
    }
    found
}

/// Comments are read beside code, so they are not wider than it.
fn wide_comments<'t>(path: &'t str, text: &'t str) -> impl Iterator<Item = Violation> + 't {
    let comments = text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("//"));
    comments.filter(|(_, line)| line.chars().count() > WIDEST_COMMENT).map(move |(index, _)| {
        let what = format!("a comment of more than {WIDEST_COMMENT} columns");
        Violation::new(path, index + 1, what, "wrap it")
    })
}

fn violation(path: &str, index: usize, word: &str, instead: &str) -> Violation {
    Violation::new(
        path,
        index + 1,
        format!("`{word}` is no word of this project"),
        format!("write {instead}"),
    )
}

fn words(line: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    parts(line).filter_map(|part| DENIED.into_iter().find(|(word, _)| part == *word))
}

fn texts(line: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let line = line.to_lowercase();
    DENIED_TEXTS.into_iter().filter(move |(text, _)| line.contains(text))
}

/// The paragraphs of the comments that stand on lines of their own, each with the index of its first line.
fn comments(text: &str) -> impl Iterator<Item = (usize, String)> {
    let mut paragraphs: Vec<(usize, String)> = Vec::new();
    let mut open = None;
    for (index, line) in text.lines().enumerate() {
        let comment = ["//!", "///", "//"]
            .into_iter()
            .find_map(|start| Some((start, line.trim().strip_prefix(start)?)));
        let Some((start, text)) = comment.filter(|(_, text)| !text.trim().is_empty()) else {
            open = None;
            continue;
        };
        match paragraphs.last_mut().filter(|_| open == Some(start)) {
            Some((_, paragraph)) => {
                paragraph.push(' ');
                paragraph.push_str(text.trim());
            }
            None => paragraphs.push((index, text.trim().to_owned())),
        }
        open = Some(start);
    }
    paragraphs.into_iter()
}

fn phrases(comment: &str) -> Vec<(&'static str, &'static str)> {
    let begun = DENIED_BEGINNINGS.into_iter().filter(|(beginning, _)| comment.starts_with(beginning));
    let within = DENIED_IN_COMMENTS.into_iter().filter(|(phrase, _)| comment.to_lowercase().contains(phrase));
    begun.chain(within).map(|(phrase, instead)| (phrase.trim_end(), instead)).collect()
}

/// The words of a line and of its identifiers, `open_door` and `OpenDoor` alike, in lower case.
fn parts(line: &str) -> impl Iterator<Item = String> {
    line.split(|character: char| !character.is_alphanumeric()).flat_map(humps)
}

fn humps(word: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut after_small = false;
    for character in word.chars() {
        if parts.is_empty() || (character.is_uppercase() && after_small) {
            parts.push(String::new());
        }
        after_small = !character.is_uppercase();
        parts.iter_mut().last().into_iter().for_each(|part| part.extend(character.to_lowercase()));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::super::violation::lines;
    use super::*;

    fn check(path: &str, text: &str, found: &[&str]) {
        let lines = lines(&super::check(&Files::from([(path, text)])));
        let words = lines.iter().map(|line| line.split('`').nth(1).unwrap_or_default());
        assert_eq!(words.collect::<Vec<_>>(), found, "{text}");
    }

    #[test]
    fn denied_words_are_found_in_prose_and_identifiers() {
        check("docs/a.md", "Behind each Door.\nIndoors, outdoor, recommend, household.", &["door"]);
        check("crates/a/src/a.rs", "fn open_door() {}\nstruct DoorError;\n// HTTPDoor", &["door", "door"]);
        check("docs/a.md", "Whoever mends it, SOMEBODY", &["whoever", "mends", "somebody"]);
        check("docs/a.md", "a stand-in for The Seeds, see seed 002", &["stand-in", "the seeds", "seed 00"]);
        check("deploy/a.yaml", "# a house", &["house"]);
    }

    #[test]
    fn a_comment_is_no_wider_than_its_columns() {
        for (columns, found) in [(110, 0), (111, 1)] {
            let text = format!("    // {}", "ä".repeat(columns - 7));
            assert_eq!(wide_comments("a.rs", &text).count(), found, "{columns}");
        }
    }

    #[test]
    fn fragments_are_denied_in_comments_of_rust_sources() {
        for (comment, found) in [
            ("/// Of a person.", "Of a"),
            ("// Of an assertion, in seconds.", "Of an"),
            ("//! Of the device grant.", "Of the"),
            ("/// The same.", "The same."),
            ("/// The same, for no longer than this.", "The same,"),
            ("/// The same as a page.", "The same as"),
            ("/// The same for a second tenant.", "The same for"),
            ("/// The same of a client.", "The same of"),
            ("/// The same with two keys.", "The same with"),
            ("    // The session goes on.", "goes on"),
            ("/// A session that goes\n/// on.", "goes on"),
        ] {
            check("crates/a/src/a.rs", comment, &[found]);
            check("crates/command/src/a.rs", comment, &[]);
        }
        let allowed = "/// Reads the token\n/// Of the two. The same tenant.\nlet x = \"goes on\"; // Of a\n";
        check("crates/a/src/a.rs", allowed, &[]);
        check("docs/a.md", "// Of a page that goes on", &[]);
    }

    #[test]
    fn standing_is_denied_as_an_identifier_only() {
        check("crates/a/src/a.rs", "// long-standing\nlet x = \"standing\";\n", &[]);
        check("crates/a/src/a.rs", "let row_standing = 1;\n", &["standing"]);
    }

    #[test]
    fn migrations_and_other_kinds_of_files_are_exempt() {
        check("migrations/sqlite/0001.sql", "-- a door", &[]);
        check("docs/openapi.json", "a door", &[]);
    }
}
