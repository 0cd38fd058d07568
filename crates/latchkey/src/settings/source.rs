//! A file as it was read, and what is shown of it: the line at fault with a caret, and no secret on it.

use std::{
    cell::OnceCell,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::{
    diagnostic::{Diagnostic, DiagnosticLocation, Excerpt, written},
    source_map::{Hidden, KeyPath, Position, SourceMap},
};

/// A file as it was read, and the outline made of it when there is something to say.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) text: Zeroizing<String>,
    source_map: OnceCell<SourceMap>,
}

/// What a fault is about: a key, or the value under it. The caret points there.
#[derive(Clone, Debug)]
pub(crate) enum KeyOrValue {
    Key(KeyPath),
    Value(KeyPath),
}

/// The most that is shown of a line, in characters.
const WIDEST: usize = 120;
const MASK: &str = "[redacted]";

impl Source {
    pub(crate) fn new(path: PathBuf, text: Zeroizing<String>) -> Self {
        Self { path, text, source_map: OnceCell::new() }
    }

    /// The folder that paths in this file are relative to.
    pub(crate) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    pub(crate) fn source_map(&self) -> &SourceMap {
        self.source_map.get_or_init(|| SourceMap::of(&self.text))
    }

    /// A fault at a key of this file.
    pub(crate) fn diagnostic(&self, key_or_value: &KeyOrValue, problem: String, hint: String) -> Diagnostic {
        let source_map = self.source_map();
        let (path, position) = match key_or_value {
            KeyOrValue::Key(path) => (path, source_map.key(path).unwrap_or_else(|| source_map.value(path))),
            KeyOrValue::Value(path) => (path, source_map.value(path)),
        };
        let problem = if source_map.is_written(path) { problem } else { without_quotations(&problem) };
        self.diagnostic_at(position, path, problem, hint)
    }

    /// A fault at a position of this file.
    pub(crate) fn diagnostic_at(
        &self,
        position: Position,
        path: &[String],
        problem: String,
        hint: String,
    ) -> Diagnostic {
        Diagnostic {
            location: DiagnosticLocation::File {
                path: self.path.clone(),
                line: position.line,
                column: position.column,
            },
            key: written(self.source_map().quotable(path)),
            problem,
            hint,
            excerpt: self.excerpt(position).map(Box::new),
        }
    }

    fn excerpt(&self, position: Position) -> Option<Excerpt> {
        let start = line_start(&self.text, position.line)?;
        let line = self.text[start..].lines().next().unwrap_or_default();
        let caret = position.column - 1;
        let mut columns = line.char_indices().map(|(at, _)| at);
        let skipped = if line.chars().count() > WIDEST { caret.saturating_sub(WIDEST / 2) } else { 0 };
        let from = columns.nth(skipped).unwrap_or(line.len());
        let to = line[from..].char_indices().nth(WIDEST).map_or(line.len(), |(at, _)| from + at);
        let hidden = self.source_map().hidden(&self.text, &(start + from..start + to))?;
        let (text, caret) = redacted(&line[from..to], start + from, caret - skipped, &hidden);
        Some(Excerpt { line: position.line, text, caret })
    }
}

fn line_start(text: &str, line: usize) -> Option<usize> {
    match line.checked_sub(2) {
        None => Some(0),
        Some(breaks) => text.match_indices('\n').nth(breaks).map(|(at, _)| at + 1),
    }
}

/// The text without its secrets, and the caret moved to the new place of its character.
fn redacted(shown: &str, start: usize, caret: usize, hidden: &[Hidden]) -> (String, usize) {
    let (mut text, mut width, mut moved) = (String::new(), 0, None);
    let mut current: Option<(&Hidden, usize)> = None;
    for (column, (at, character)) in shown.char_indices().enumerate() {
        let place = width;
        let secret = hidden.iter().find(|range| range.contains(&(start + at)));
        current = secret.map(|range| match current {
            Some((same, began)) if same == range => (same, began),
            Some(_) | None => {
                text.push_str(MASK);
                width += MASK.len();
                (range, place)
            }
        });
        if current.is_none() {
            text.push(if character.is_control() { ' ' } else { character });
            width += 1;
        }
        if column == caret {
            moved = Some(current.map_or(place, |(_, began)| began));
        }
    }
    (text, moved.unwrap_or(width))
}

/// Without the values that it repeats.
fn without_quotations(problem: &str) -> String {
    match (problem.find('`'), problem.rfind('`')) {
        (Some(from), Some(to)) => format!("{}{MASK}{}", &problem[..from], &problem[to + 1..]),
        _ => problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::new(PathBuf::from("config.yaml"), Zeroizing::new(text.to_owned()))
    }

    fn path(keys: &[&str]) -> KeyPath {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    #[test]
    fn a_fault_shows_its_line_with_a_caret() {
        let source = source("server:\n  public_url: nonsense\n");
        let fault = source.diagnostic(
            &KeyOrValue::Value(path(&["server", "public_url"])),
            "this is not a URL".into(),
            "write one".into(),
        );
        assert_eq!(
            fault.to_string(),
            "config.yaml:2:15: server.public_url: this is not a URL\n   |\n 2 |   public_url: nonsense\n   |               ^\n   = write one"
        );
        assert_eq!(fault.brief(), "config.yaml:2:15: server.public_url: this is not a URL; write one");
    }

    #[test]
    fn a_secret_on_the_line_is_not_shown_and_the_caret_stays_at_its_place() {
        let source = source("clients: { a: { client_secret: { value: hunter2 }, name: x } }\n");
        let key_or_value = KeyOrValue::Key(path(&["clients", "a", "name"]));
        let printed = source.diagnostic(&key_or_value, "wrong".into(), "fix".into()).to_string();
        assert!(printed.contains("{ value: [redacted] }, name: x"), "{printed}");
        let lines: Vec<&str> = printed.lines().collect();
        assert_eq!(lines[3].find('^'), lines[2].find("name"), "{printed}");
    }

    #[test]
    fn a_long_line_and_a_long_key_are_cropped() {
        let key = "k".repeat(1000);
        let source = source(&format!("{key}: 1\n"));
        let fault = source.diagnostic(&KeyOrValue::Value(vec![key]), "p".into(), "m".into());
        assert!(fault.to_string().len() < 500);
    }
}
