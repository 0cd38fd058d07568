//! Commands of this program in messages, to paste into a shell. Their values come from tenants and callers,
//! so that each value stays one word of `sh`, `bash`, `zsh` and `fish`, and none becomes an option.

use std::fmt;

/// A command of this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShellCommand {
    words: Vec<String>,
}

impl ShellCommand {
    /// The command of a form such as `latchkey client set TENANT CLIENT scopes=SCOPES`. A name in capitals
    /// stands alone or behind `=`, and one without a value stays for the reader to replace. An option has
    /// its value behind `=`.
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

    /// The words, as the program gets them.
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
            // zsh replaces a word that begins with `=` by a path.
            if !word.is_empty() && !word.starts_with('=') && word.bytes().all(is_plain) {
                write!(f, "{blank}{word}")?;
            } else {
                write!(f, "{blank}{}", shell_word(word))?;
            }
        }
        Ok(())
    }
}

/// A message with values: `{client}` in a sentence, and `CLIENT` in a command between backquotes.
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

/// Replaces each name once, so that a value is never searched for the next name.
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

/// One word of `sh`, `bash`, `zsh` and `fish`. In fish a backslash has a meaning between single quotes, so it
/// stands outside of them, as a single quote does.
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
    fn a_word_is_quoted_in_the_same_way_for_all_shells() {
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
    fn a_value_is_a_word_and_no_option() {
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
    fn a_value_is_not_searched_for_names() {
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
