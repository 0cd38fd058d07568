//! A text of several lines as a field of a log event. At a terminal, line breaks of a plain string would be
//! escaped, and the caret of an excerpt would point to the wrong place. JSON escapes them in any case, so a
//! JSON line stays one line.

use std::fmt::{self, Write as _};

/// Keeps line breaks and tabs. Escapes other control characters, which could control the terminal.
pub(crate) struct LogLines<'a>(pub(crate) &'a str);

impl fmt::Display for LogLines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '\n' | '\t' => f.write_char(character),
            control if control.is_control() => write!(f, "{}", control.escape_default()),
            other => f.write_char(other),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_commands_are_escaped_and_line_breaks_kept() {
        let text = "config.yaml:1:3: no\n 1 | \u{1b}[2J\té\r\n   | ^\u{9b}";
        let expected = "config.yaml:1:3: no\n 1 | \\u{1b}[2J\té\\r\n   | ^\\u{9b}";
        assert_eq!(LogLines(text).to_string(), expected);
    }
}
