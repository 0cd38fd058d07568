//! A file as it was read, and excerpts for messages: the line of the error with a caret, without secrets.

use std::{
    cell::OnceCell,
    ops::Range,
    path::{Path, PathBuf},
};

use administration::documents::FileSecret;

use super::{
    diagnostic::{Diagnostic, Excerpt, ExplainedError, written},
    findings::Location,
    source_map::{Hidden, SourceMap},
};

/// A file as it was read. The positions of keys are only computed for messages.
pub(crate) struct SourceFile {
    pub path: PathBuf,
    text: FileSecret,
    source_map: OnceCell<SourceMap>,
}

/// The most characters of a line that are shown.
const WIDEST: usize = 120;
const MASK: &str = "[redacted]";

impl SourceFile {
    pub(crate) fn new(path: PathBuf, text: FileSecret) -> Self {
        Self { path, text, source_map: OnceCell::new() }
    }

    /// The folder to which paths in this file are relative.
    pub(crate) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    pub(crate) fn text(&self) -> &str {
        self.text.expose()
    }

    pub(crate) fn source_map(&self) -> &SourceMap {
        self.source_map.get_or_init(|| SourceMap::from_text(self.text()))
    }

    /// An error at a key of this file, or at its value. The caret points to the position.
    pub(crate) fn diagnostic(&self, at: &Location, mut explanation: ExplainedError) -> Diagnostic {
        let (path, source_map) = (&at.path, self.source_map());
        let key = if at.on_key { source_map.key(path) } else { None };
        if !source_map.is_written(path) {
            explanation.problem = without_quotations(&explanation.problem);
        }
        self.diagnostic_at(key.unwrap_or_else(|| source_map.value(path)), path, explanation)
    }

    /// An error at a byte of this file.
    pub(crate) fn diagnostic_at(
        &self,
        byte: usize,
        path: &[String],
        explanation: ExplainedError,
    ) -> Diagnostic {
        let before = self.text().get(..byte).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let (line, column) = (before.matches('\n').count() + 1, before[start..].chars().count());
        Diagnostic {
            location: format!("{}:{line}:{}", self.path.display(), column + 1),
            key: written(self.source_map().quotable(path)),
            explanation,
            excerpt: self.excerpt(start, column).map(|(text, caret)| Box::new(Excerpt { line, text, caret })),
        }
    }

    /// The line that begins at the byte `start`, without its secrets, and the column of the caret below it.
    fn excerpt(&self, start: usize, column: usize) -> Option<(String, usize)> {
        let line = self.text()[start..].lines().next().unwrap_or_default();
        let byte = |column| start + line.char_indices().nth(column).map_or(line.len(), |(at, _)| at);
        let skipped = if line.chars().count() > WIDEST { column.saturating_sub(WIDEST / 2) } else { 0 };
        let shown = byte(skipped)..byte(skipped + WIDEST);
        let hidden = self.source_map().hidden(self.text(), &shown)?;
        // In a secret the caret points to the mask.
        let caret = byte(column);
        let caret = hidden.iter().find(|range| range.contains(&caret)).map_or(caret, |range| range.start);
        let caret = self.redacted(shown.start..caret, &hidden).chars().count();
        Some((self.redacted(shown, &hidden), caret))
    }

    /// A part of a line without its secrets.
    fn redacted(&self, shown: Range<usize>, hidden: &[Hidden]) -> String {
        let (mut text, mut from) = (String::new(), shown.start);
        let plain = |stretch: Range<usize>| self.text()[stretch].replace(char::is_control, " ");
        for hidden in hidden.iter().take_while(|hidden| hidden.end <= shown.end) {
            text += &plain(from..hidden.start);
            text += MASK;
            from = hidden.end;
        }
        text + &plain(from..shown.end)
    }
}

/// The message without the values that it quotes.
pub(crate) fn without_quotations(problem: &str) -> String {
    match (problem.find('`'), problem.rfind('`')) {
        (Some(from), Some(to)) => format!("{}{MASK}{}", &problem[..from], &problem[to + 1..]),
        _ => problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> SourceFile {
        SourceFile::new(PathBuf::from("config.yaml"), FileSecret::new(text.to_owned()))
    }

    fn at(keys: &[&str]) -> Location {
        keys.iter().fold(Location::file(0), |at, key| at.key(key))
    }

    #[test]
    fn a_fault_shows_its_line_with_a_caret() {
        let source = source("server:\n  public_url: nonsense\n");
        let explanation = ExplainedError::new("this is not a URL", "write one");
        let fault = source.diagnostic(&at(&["server", "public_url"]), explanation);
        let shown = "config.yaml:2:15: server.public_url: this is not a URL\n   |\n 2 |   public_url: nonsense\n   |               ^\n   = write one";
        assert_eq!(fault.to_string(), shown);
        assert_eq!(fault.brief(), "config.yaml:2:15: server.public_url: this is not a URL; write one");
    }

    #[test]
    fn secret_is_redacted_and_caret_keeps_its_place() {
        let source = source("clients: { a: { client_secret: { value: hunter2 }, name: x } }\n");
        let at = Location { on_key: true, ..at(&["clients", "a", "name"]) };
        let printed = source.diagnostic(&at, ExplainedError::new("wrong", "fix")).to_string();
        assert!(printed.contains("{ value: [redacted] }, name: x"), "{printed}");
        let lines: Vec<&str> = printed.lines().collect();
        assert_eq!(lines[3].find('^'), lines[2].find("name"), "{printed}");
    }

    #[test]
    fn long_lines_and_keys_are_cropped() {
        let key = "k".repeat(1000);
        let source = source(&format!("{key}: 1\n"));
        let fault = source.diagnostic(&at(&[&key]), ExplainedError::new("p", "m"));
        assert!(fault.to_string().len() < 500);
    }
}
