//! Commands of this program in messages, which people paste into a shell. Values come from tenants
//! and callers, so each value is quoted as one word of `sh`, `bash`, `zsh` and `fish`, and cannot
//! become an option.

use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShellCommand {
    words: Vec<String>,
}

impl ShellCommand {
    /// `form` is a command such as `latchkey client set TENANT CLIENT scopes=SCOPES`. Names in
    /// capitals are words of their own or follow `=`. A name without a value stays for the reader
    /// to replace. The value of an option follows `=`.
    #[must_use]
    pub fn new(form: &'static str, values: &[(&str, &str)]) -> Self {
        let value = |name: &str| values.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let (mut words, mut behind) = (Vec::new(), Vec::new());
        let mut is_behind = false;
        for word in form.split(' ') {
            let filled = value(word).map(str::to_owned);
            is_behind |= filled.as_ref().is_some_and(|value| value.starts_with('-'));
            let inside = || {
                let (name, placeholder) = word.split_once('=')?;
                Some(format!("{name}={}", value(placeholder)?))
            };
            let text = filled.or_else(inside).unwrap_or_else(|| word.to_owned());
            if is_behind && !word.starts_with("--") { &mut behind } else { &mut words }.push(text);
        }
        if is_behind {
            words.push("--".to_owned());
            words.append(&mut behind);
        }
        Self { words }
    }

    /// The words without quoting, as the program receives them.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.words
    }
}

impl fmt::Display for ShellCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.words.iter().enumerate() {
            let blank = if index == 0 { "" } else { " " };
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./:@+,-=".contains(&byte);
            // zsh expands a word that starts with `=` to a path.
            if !word.is_empty() && !word.starts_with('=') && word.bytes().all(is_plain) {
                write!(f, "{blank}{word}")?;
            } else {
                write!(f, "{blank}{}", shell_word(word))?;
            }
        }
        Ok(())
    }
}

/// Fills in values: `{client}` in a sentence, and `CLIENT` in a command between backquotes.
#[must_use]
pub fn with_commands(message: &'static str, values: &[(&str, &str)]) -> String {
    let filled = message.split('`').enumerate().map(|(index, part)| match part {
        command if index % 2 == 1 && command.starts_with("latchkey ") => {
            format!("`{}`", ShellCommand::new(command, values))
        }
        code if index % 2 == 1 => format!("`{}`", sentence(code, values)),
        text => sentence(text, values),
    });
    filled.collect()
}

/// Replaces each name in one pass, so that names inside values stay as they are.
fn sentence(text: &str, values: &[(&str, &str)]) -> String {
    let mut parts = text.split('{');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let value = part.split_once('}').and_then(|(name, rest)| {
            values.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| (value, rest))
        });
        match value {
            Some((value, rest)) => filled.extend([value, rest]),
            None => filled.extend(["{", part]),
        }
    }
    filled
}

/// Quotes one word for `sh`, `bash`, `zsh` and `fish`. fish interprets a backslash between single
/// quotes, so backslashes and single quotes are written outside the quotes.
#[must_use]
pub fn shell_word(text: &str) -> String {
    if text.is_empty() {
        return "''".to_owned();
    }
    let mut word = String::with_capacity(text.len() + 2);
    let mut is_quoted = false;
    for character in text.chars() {
        let is_special = matches!(character, '\'' | '\\');
        if is_special == is_quoted {
            word.push('\'');
            is_quoted = !is_special;
        }
        word.extend(is_special.then_some('\\'));
        word.push(character);
    }
    word.extend(is_quoted.then_some('\''));
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_all_shells() {
        for (text, expected) in [
            ("", "''"),
            ("billing", "'billing'"),
            ("it's", r"'it'\''s'"),
            (r"\'", r"\\\'"),
            (r"a\b", r"'a'\\'b'"),
            ("$(touch pwn)", "'$(touch pwn)'"),
        ] {
            assert_eq!(shell_word(text), expected);
        }
    }

    #[test]
    fn value_is_one_word_and_never_an_option() {
        let check = |form, client: &str, expected: &str| {
            let values = [("TENANT", "acme"), ("CLIENT", client), ("LIST", "a b,c")];
            assert_eq!(ShellCommand::new(form, &values).to_string(), expected);
        };
        let rotate = "latchkey secret rotate TENANT CLIENT --expires=180d";
        check(rotate, "billing", "latchkey secret rotate acme billing --expires=180d");
        check(rotate, "-x", "latchkey secret rotate acme --expires=180d -- -x");
        check(
            "latchkey secret revoke TENANT CLIENT ID",
            "--a;b",
            "latchkey secret revoke acme -- '--a;b' ID",
        );
        check(
            "latchkey client set TENANT CLIENT scopes=LIST",
            "a",
            "latchkey client set acme a 'scopes=a b,c'",
        );
        check("latchkey inspect --client=CLIENT FILE", "-x", "latchkey inspect --client=-x FILE");
        check("latchkey client show TENANT CLIENT", "=ls", "latchkey client show acme '=ls'");
    }

    #[test]
    fn placeholders_in_values_are_not_replaced() {
        let values = [("TENANT", "acme"), ("CLIENT", "{tenant} TENANT `x`")];
        assert_eq!(
            with_commands(
                "Run `latchkey client show TENANT CLIENT`: `scopes` of {tenant}/{client} {other}.",
                &values
            ),
            "Run `latchkey client show acme '{tenant} TENANT `x`'`: `scopes` of acme/{tenant} TENANT `x` {other}."
        );
    }
}
