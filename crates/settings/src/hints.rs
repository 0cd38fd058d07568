//! The likely meaning of a text that is not YAML, or that has another form than expected. Hints only repeat
//! keys of the contract and numbers, because the text itself may be a secret.

use serde_saphyr::Error;

use super::diagnostic::ExplainedError;
use super::source_map::{KeyPath, LISTENER_WORDS, members, names_in};

/// How to configure listeners.
pub(crate) const LISTENERS: &str =
    "write `listeners: [{ address: 127.0.0.1:3000 }]` below `server` in config.yaml";

const BLANKS: &str = "use spaces instead of the tab";

/// The text around an error.
pub(crate) struct Surroundings<'t> {
    pub(crate) text: &'t str,
    pub(crate) byte: usize,
    pub(crate) path: &'t KeyPath,
}

impl Surroundings<'_> {
    /// An explanation, if this is one of the common mistakes.
    pub(crate) fn meant(&self, error: &Error) -> Option<ExplainedError> {
        match error {
            Error::ExternalMessage { msg, .. } if msg.contains("tab") => self.tab(),
            Error::ExternalMessage { .. } if self.sign().is_some() => self.sign(),
            Error::ExternalMessage { msg, .. } if msg.contains("expected ',' or") => {
                self.variable().or_else(|| self.bracket())
            }
            Error::ExternalMessage { msg, .. } if msg.contains("mapping values are not allowed") => {
                self.second_colon()
            }
            Error::ExternalMessage { msg, .. } if msg.contains("quoted scalar") => Some(ExplainedError::new(
                "a quote that opens before this line is not closed",
                "close the quote at the end of the value, or use the other kind of quotes",
            )),
            Error::ExternalMessage { msg, .. } if msg.contains("simple key expected") => {
                self.missing_colon(self.path)
            }
            Error::ExternalMessage { .. } => self.missing_colon(self.path).or_else(|| self.indentation()),
            Error::Unexpected { expected: "mapping start", .. } => {
                self.missing_colon(self.path).or_else(|| misplaced(self.path))
            }
            Error::Unexpected { .. } | Error::InvalidScalar { .. } | Error::Message { .. } => {
                self.continued()
            }
            Error::SerdeUnknownField { field, .. } => {
                let (_, parent) = self.path.split_last()?;
                if parent == ["server"] && LISTENER_WORDS.contains(&field.as_str()) {
                    return Some(ExplainedError::new("`server` has no such key", LISTENERS));
                }
                misplaced(parent)
            }
            _ => None,
        }
    }

    /// The number of the line at a byte, beginning with 1.
    fn number(&self, byte: usize) -> usize {
        1 + self.text[..byte].matches('\n').count()
    }

    fn line_start(&self) -> usize {
        self.text[..self.byte].rfind('\n').map_or(0, |end| end + 1)
    }

    fn line(&self) -> &str {
        self.text[self.line_start()..].lines().next().unwrap_or_default()
    }

    fn tab(&self) -> Option<ExplainedError> {
        let from = self.line_start();
        let first = self.number(from);
        let is_tab = |line: &str| line.len() > line.trim_start_matches(' ').len() || line.starts_with('\t');
        let mut lines = self.text[from..].lines().enumerate();
        let found = lines.find(|(_, line)| is_tab(line) && indentation_of(line).contains('\t'));
        Some(match found {
            Some((index, _)) => ExplainedError::new(
                format!("line {} is indented with a tab, and YAML allows only spaces", first + index),
                BLANKS,
            ),
            None => ExplainedError::new("this line contains a tab, and YAML allows only spaces", BLANKS),
        })
    }

    /// A variable of a shell: its brace opens a mapping in YAML.
    fn variable(&self) -> Option<ExplainedError> {
        let before = &self.text[self.line_start()..self.byte];
        let at_brace = self.text[self.byte..].starts_with('{') && before.ends_with('$');
        (at_brace || before.contains("${")).then(|| {
            ExplainedError::new(
                "Latchkey does not replace `${…}` in this file",
                "write `{ env: NAME }` with the name of the variable, or quote the value if you mean it literally",
            )
        })
    }

    fn bracket(&self) -> Option<ExplainedError> {
        let mut open = Vec::new();
        for (at, character) in self.text[..self.byte].char_indices() {
            match character {
                '{' | '[' => open.push((at, character)),
                '}' | ']' => _ = open.pop(),
                _ => {}
            }
        }
        let (at, bracket) = *open.last()?;
        let closing = if bracket == '{' { '}' } else { ']' };
        let line = self.number(at);
        Some(ExplainedError::new(
            format!("the `{bracket}` on line {line} is not closed before this line"),
            format!("add `{closing}` at the end, or quote a value that contains brackets or commas"),
        ))
    }

    /// A value with a colon, or a key below a value.
    fn second_colon(&self) -> Option<ExplainedError> {
        let before = &self.text[self.line_start()..self.byte];
        Some(if before.contains(": ") {
            ExplainedError::new(
                "a colon followed by a space starts a new value inside this value",
                "quote the whole value, such as `key: 'a: b'`",
            )
        } else {
            ExplainedError::new(
                "this line is indented deeper than the line above, whose key already has a value",
                "indent it like the line above",
            )
        })
    }

    /// A line that begins with a valid key, without a colon or without the space after it.
    fn missing_colon(&self, path: &[String]) -> Option<ExplainedError> {
        let line = self.line().trim_start_matches([' ', '-']);
        let end = line.find([' ', ':']).unwrap_or(line.len());
        let (word, rest) = line.split_at(end);
        let key = members(path).find(|key| *key == word)?;
        let hint = format!("write `{key}: …`");
        if rest.starts_with(": ") || rest == ":" {
            return None;
        }
        Some(match rest.strip_prefix(':') {
            Some(_) => ExplainedError::new(format!("the space after the colon of `{key}` is missing"), hint),
            None => ExplainedError::new(format!("the colon after `{key}` is missing"), hint),
        })
    }

    /// A value that begins with a special character of YAML, in the line of the error or the last non-empty
    /// line before it.
    fn sign(&self) -> Option<ExplainedError> {
        let is_text = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
        let above = self.text[..self.line_start()].lines().rev().find(is_text);
        let lines = [(Some(self.line()), true), (above, false)];
        lines.into_iter().find_map(|(line, is_here)| unquoted_sign(line?, is_here))
    }

    /// A line whose indentation no line above has.
    fn indentation(&self) -> Option<ExplainedError> {
        let own = indentation_of(self.line()).len();
        let mut open: Vec<(usize, usize)> = Vec::new();
        let above = self.text[..self.line_start()].lines().enumerate();
        for (index, line) in
            above.filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
        {
            let deep = indentation_of(line).len();
            open.retain(|(other, _)| *other < deep);
            open.push((deep, index + 1));
        }
        if open.iter().any(|(deep, _)| *deep == own) {
            return None;
        }
        let fitting: Vec<_> =
            open.iter().rev().take(2).map(|(deep, line)| format!("by {deep} like line {line}")).collect();
        (!fitting.is_empty()).then(|| {
            ExplainedError::new(
                format!("this line is indented by {own}, which matches no line above"),
                format!("indent it {}", fitting.join(", or ")),
            )
        })
    }

    /// A value that continues on the next line, which was meant to be another key.
    fn continued(&self) -> Option<ExplainedError> {
        let line = self.line();
        let is_plain = !self.text[self.byte..].starts_with(['|', '>', '[', '{', '"', '\'', '&', '*', '!']);
        let next = self.text[self.line_start()..].lines().nth(1)?;
        let is_deeper = indentation_of(next).len() > indentation_of(line).trim_end_matches('-').len();
        let is_key = next
            .trim_start()
            .split_once(':')
            .is_some_and(|(key, _)| members_below(self.path).any(|known| known == key));
        let number = self.number(self.byte) + 1;
        (is_plain && is_deeper && is_key).then(|| {
            ExplainedError::new(
                format!("this value continues on line {number}, because that line is indented deeper"),
                format!("indent line {number} like this line"),
            )
        })
    }
}

/// The special character at the beginning of a value in this line, which needs quotes. A quote that is open
/// at the end of the line only counts if the error is in this line.
fn unquoted_sign(line: &str, is_here: bool) -> Option<ExplainedError> {
    const SIGNS: &str = "@`%}],>|?&*!";
    const QUOTE: &str = "close the quote at the end of the value, or use the other kind of quotes";
    // At the beginning of a line this is an item of a list.
    let line = line.trim_start();
    let mut rest = line.trim_start_matches("- ");
    loop {
        let value = rest.trim_start_matches(['{', '[', ' ']);
        let first = value.chars().next()?;
        let is_alone = value[first.len_utf8()..].trim_start_matches(['+', '-']).trim().is_empty();
        if let Some(quoted) = value.strip_prefix(['"', '\'']) {
            let Some(end) = closing(quoted, first) else {
                return is_here
                    .then(|| ExplainedError::new("a quote that opens on this line is not closed", QUOTE));
            };
            rest = &quoted[end..];
        } else if !is_alone
            && (SIGNS.contains(first) && (rest == value || !"},]".contains(first))
                || value.starts_with("- ")
                || value.starts_with(": "))
        {
            return Some(ExplainedError::new(
                "a value cannot begin with this character unless you quote it",
                "quote the value",
            ));
        } else {
            rest = value;
        }
        rest = rest.split_once(": ").or_else(|| rest.split_once(", "))?.1;
    }
}

/// The index of the byte after the closing quote.
fn closing(quoted: &str, quote: char) -> Option<usize> {
    let mut characters = quoted.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        if quote == '"' && character == '\\' {
            characters.next();
        } else if character == quote {
            match characters.peek() {
                Some((_, next)) if quote == '\'' && *next == quote => _ = characters.next(),
                _ => return Some(at + 1),
            }
        }
    }
    None
}

/// The other keys next to the last key of a path.
fn members_below(path: &[String]) -> impl Iterator<Item = &'static str> {
    members(path.split_last().map_or(&[][..], |(_, parent)| parent))
}

/// A key that is read as a name, because its indentation is one level too small.
fn misplaced(path: &[String]) -> Option<ExplainedError> {
    let (key, around) = path.split_last()?;
    let kind = names_in(around)?;
    let article = if kind.starts_with('a') { "an" } else { "a" };
    members(path).any(|member| member == key).then(|| {
        ExplainedError::new(
            format!("Latchkey reads `{key}` as the id of {article} {kind} here"),
            format!("indent it deeper, below the id of its {kind}"),
        )
    })
}

fn indentation_of(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use administration::documents::FileSecret;

    use super::super::diagnostic::Diagnostic;
    use super::super::document::Document;
    use super::super::recovery;
    use super::super::source::SourceFile;

    /// The messages about a file, one line for each error.
    fn said(text: &str) -> String {
        let source = SourceFile::new(PathBuf::from("c"), FileSecret::new(text.to_owned()));
        recovery::parse::<Document>(&source)
            .faults
            .iter()
            .map(Diagnostic::brief)
            .collect::<Vec<_>>()
            .join("\n")
    }

    // A generated password may begin with a special character. The message must not mention indentation.
    #[test]
    fn unquoted_password_is_hidden_without_indentation_hint() {
        for sign in
            ["@", "%", "`", "\"", "'", "> ", "| ", "}", "]", "? ", "*", "!", "&", ",", ">", "|", "- ", ": "]
        {
            for file in [
                format!(
                    "tenants:\n  acme:\n    clients:\n      svc:\n        client_secret: {{ value: {sign}Passw0rd }}\n        scopes: [a]\n"
                ),
                format!(
                    "tenants:\n  acme:\n    clients:\n      svc:\n        client_secret:\n          value: {sign}Passw0rd\n        scopes: [a]\n"
                ),
            ] {
                let message = said(&file);
                println!("{sign} {message}");
                assert!(!message.contains("Passw0rd") && !message.contains("indented"), "{message}");
            }
        }
    }

    #[test]
    fn common_mistakes_are_reported_with_their_fix() {
        for (text, expected) in [
            (
                "tenants:\n  acme:\n    name Acme\n    issuer: x\n",
                "c:3:5: tenants.acme: the colon after `name` is missing; write `name: …`",
            ),
            (
                "tenants:\n  acme:\n    name:Acme\n",
                "c:3:5: tenants.acme: the space after the colon of `name` is missing; write `name: …`",
            ),
            (
                "tenants:\n  acme:\n    issuer: https://a.example\n    name:Acme\n",
                "c:4:5: tenants.acme: the space after the colon of `name` is missing; write `name: …`",
            ),
            (
                "server:\n\tpublic_url: http://localhost\n",
                "c:2:2: server: line 2 is indented with a tab, and YAML allows only spaces; use spaces instead of the tab",
            ),
            (
                "server:\n  public_url: http://localhost\n\tworkers: 2\n",
                "c:2:15: server.public_url: line 3 is indented with a tab, and YAML allows only spaces; use spaces instead of the tab",
            ),
            (
                "server:\n  public_url: http://localhost\n   workers: 2\n",
                "c:2:15: server.public_url: this value continues on line 3, because that line is indented deeper; indent line 3 like this line",
            ),
            (
                "tenants:\n  acme:\n    name: a\n   issuer: b\n",
                "c:4:4: tenants: this line is indented by 3, which matches no line above; indent it by 4 like line 3, or by 2 like line 2",
            ),
            (
                "tenants:\n  acme:\n    name: Acme: x\n",
                "c:3:15: tenants.acme: a colon followed by a space starts a new value inside this value; quote the whole value, such as `key: 'a: b'`",
            ),
            (
                "tenants:\n  acme:\n    clients:\n      web:\n        client_secret: { value: x }\n      audiences: [a]\n      scopes: [b]\n",
                "c:6:18: tenants.acme.clients.audiences: Latchkey reads `audiences` as the id of a client here; indent it deeper, below the id of its client\n\
                 c:7:15: tenants.acme.clients.scopes: Latchkey reads `scopes` as the id of a client here; indent it deeper, below the id of its client",
            ),
            (
                "tenants:\n  acme: {}\n  clients:\n    web: { client_secret: { value: x } }\n",
                "c:4:5: tenants.clients.web: Latchkey reads `clients` as the id of a tenant here; indent it deeper, below the id of its tenant",
            ),
            (
                "tenants:\n  acme: {}\n  clients:\n    web-shop: { client_secret: { value: x } }\n",
                "c:4:5: tenants.clients: Latchkey reads `clients` as the id of a tenant here; indent it deeper, below the id of its tenant",
            ),
            (
                "tenants:\n  acme:\n    clients:\n      web:\n        client_secret: { value: x\n        audiences: [a]\n",
                "c:6:18: tenants.acme.clients.web.client_secret: the `{` on line 5 is not closed before this line; add `}` at the end, or quote a value that contains brackets or commas",
            ),
            (
                "tenants:\n  acme:\n    clients:\n      web:\n        client_secret: { value: ${X} }\n",
                "c:5:34: tenants.acme.clients.web.client_secret: Latchkey does not replace `${…}` in this file; write `{ env: NAME }` with the name of the variable, or quote the value if you mean it literally",
            ),
            (
                "tenants:\n  acme:\n    name: \"open\n    issuer: x\n",
                "c:4:5: tenants.acme.name: a quote that opens before this line is not closed; close the quote at the end of the value, or use the other kind of quotes",
            ),
            (
                "server:\n  listeners: 1.2.3.4:3000\n",
                "c:2:14: server.listeners: a list of mappings is expected here; write `listeners: [{ address: 127.0.0.1:3000 }]`",
            ),
            (
                "server: { listeners: [1.2.3.4:3000] }\n",
                "c:1:23: server.listeners[0]: keys are expected here; write `- address: …`, with further keys below it",
            ),
            (
                "server: { port: 3000 }\n",
                "c:1:11: server.port: `server` has no such key; write `listeners: [{ address: 127.0.0.1:3000 }]` below `server` in config.yaml",
            ),
            (
                "tenants:\n  acme:\n    name: a\n    issuer: https://a.example\n    name: b\n",
                "c:5:5: tenants.acme.name: this key appears twice; the first one is on line 3; remove one of the two",
            ),
        ] {
            assert_eq!(said(text), expected, "{text}");
        }
    }
}
