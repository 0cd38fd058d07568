//! Words that this project does not use, in sources and documents. CONTRIBUTING.md says what to write instead.

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

/// The same of what is no single word.
const DENIED_TEXTS: [(&str, &str); 4] = [
    ("carry_out", "commit_with_retry, or the verb that is meant"),
    ("stand-in", "mock server, substitute"),
    ("the seeds", "what the documents describe, such as the client integration guide"),
    ("seed 00", "what the document describes, such as the tenant quick start"),
];

/// Its code, but not its comments, may not hold it either.
const DENIED_IDENTIFIER: (&str, &str) = ("standing", "status or lifecycle");

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
        let (word, instead) = DENIED_IDENTIFIER;
        let lines = code_only(text);
        let named = lines.lines().enumerate().filter(|(_, line)| parts(line).any(|part| part == word));
        found.extend(named.map(|(index, _)| violation(path, index, word, instead)));
    }
    found
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
        let words: Vec<_> = lines(&super::check(&Files::from([(path, text)])))
            .into_iter()
            .map(|line| line.split('`').nth(1).unwrap_or_default().to_owned())
            .collect();
        assert_eq!(words, found, "{text}");
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
