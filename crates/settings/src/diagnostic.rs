//! A message about the settings: the file, the line with a caret, the key, the error and how to fix it. No
//! secret is ever shown, even if the line has a different error.

use std::{fmt, path::Path};

/// The error, and how to fix it. If the value may be a secret, neither text repeats it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedError {
    pub problem: String,
    pub hint: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// A file with line and column, a path, or an environment variable.
    pub location: String,
    /// The key, such as `tenants.acme.signing.skew`; empty for a whole file.
    pub key: String,
    /// The problem and what helps against it.
    pub explanation: ExplainedError,
    /// The line of a file with a caret, if there is one.
    pub(super) excerpt: Option<Box<Excerpt>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    pub(super) line: usize,
    pub(super) text: String,
    pub(super) caret: usize,
}

impl ExplainedError {
    /// The explanation with these two texts.
    pub fn new(problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { problem: problem.into(), hint: hint.into() }
    }
}

impl Diagnostic {
    pub(crate) fn about_path(path: &Path, explanation: ExplainedError) -> Self {
        Self { location: path.display().to_string(), key: String::new(), explanation, excerpt: None }
    }

    /// For an error in the value of an environment variable.
    pub fn about_variable(name: &str, key: String, explanation: ExplainedError) -> Self {
        Self { location: format!("environment variable {name}"), key, explanation, excerpt: None }
    }

    /// The message on one line, for a log or a list of warnings.
    pub fn brief(&self) -> String {
        let ExplainedError { problem, hint } = &self.explanation;
        format!("{}{problem}; {hint}", self.heading())
    }

    fn heading(&self) -> String {
        let Self { location, key, .. } = self;
        if key.is_empty() { format!("{location}: ") } else { format!("{location}: {key}: ") }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ExplainedError { problem, hint } = &self.explanation;
        writeln!(f, "{}{problem}", self.heading())?;
        if let Some(Excerpt { line, text, caret }) = self.excerpt.as_deref() {
            let number = line.to_string();
            let margin = " ".repeat(number.len());
            writeln!(f, " {margin} |")?;
            writeln!(f, " {number} | {text}")?;
            writeln!(f, " {margin} | {}^", " ".repeat(*caret))?;
            write!(f, " {margin} = {hint}")
        } else {
            write!(f, "  = {hint}")
        }
    }
}

/// Whether a message of our own types ends in this hint. Any other text may be a piece of a value.
pub(crate) fn is_hint(text: &str) -> bool {
    ["use ", "add "].iter().any(|verb| text.starts_with(verb))
}

/// A path as people write it: `clients.web.scopes[1]`. Keys that contain dots are quoted.
pub(crate) fn written(path: &[String]) -> String {
    const LONGEST: usize = 64;
    let mut text = String::new();
    for segment in path {
        let index = segment.starts_with('[') && segment.ends_with(']');
        let plain = segment.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
        let shown: String = segment.chars().take(LONGEST).collect();
        let more = if shown.len() < segment.len() { "…" } else { "" };
        if !text.is_empty() && !index {
            text.push('.');
        }
        if index || plain && !segment.is_empty() {
            text.push_str(&shown);
            text.push_str(more);
        } else {
            text.push_str(&format!("\"{}{more}\"", shown.escape_debug()));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_path_quotes_special_keys() {
        let path = ["resource_servers", "https://a.b", "scopes", "[1]"].map(str::to_owned);
        assert_eq!(written(&path), "resource_servers.\"https://a.b\".scopes[1]");
    }
}
