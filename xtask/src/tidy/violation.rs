//! A violation of a rule: the place, the violation, and how to fix it.

use std::fmt;

/// One line of the report.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Violation {
    file: String,
    line: usize,
    what: String,
    hint: String,
    needle: Option<String>,
}

impl Violation {
    pub(super) fn new(
        file: impl Into<String>,
        line: usize,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { file: file.into(), line, what: what.into(), hint: hint.into(), needle: None }
    }

    /// A violation of a whole file, reported at its first line.
    pub(super) fn of_file(file: impl Into<String>, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(file, 1, what, hint)
    }

    /// Reports the violation at the first line that begins with `needle`.
    pub(super) fn at(mut self, needle: impl Into<String>) -> Self {
        self.needle = Some(needle.into());
        self
    }

    /// Finds the needle's line in the text of its file.
    pub(super) fn locate<'t>(&mut self, text: impl Fn(&str) -> Option<&'t str>) {
        let Some(needle) = self.needle.take() else { return };
        let lines = text(&self.file).unwrap_or_default().lines();
        if let Some(index) =
            lines.enumerate().find(|(_, line)| line.starts_with(&needle)).map(|found| found.0)
        {
            self.line = index + 1;
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}; {}", self.file, self.line, self.what, self.hint)
    }
}

/// The report's lines up to their hints.
#[cfg(test)]
pub(super) fn facts(violations: &[Violation]) -> Vec<String> {
    violations.iter().map(|of| format!("{}:{}: {}", of.file, of.line, of.what)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn violation_is_one_line() {
        let mut violation = Violation::of_file("Cargo.lock", "x is odd", "even it").at("name = \"x\"");
        violation.locate(|_| Some("[[package]]\nname = \"x\"\n"));
        assert_eq!(violation.to_string(), "Cargo.lock:2: x is odd; even it");
    }
}
