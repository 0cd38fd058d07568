//! Rust source with blanked comments, strings and characters, so that a rule sees code only.

/// The text with the same lines and characters, with blanks in place of everything that is not code.
pub(super) fn code_only(source: &str) -> String {
    let characters: Vec<char> = source.chars().collect();
    let mut code = String::with_capacity(source.len());
    let mut position = 0;
    while position < characters.len() {
        let rest = &characters[position..];
        let blanked = not_code(rest, position.checked_sub(1).map(|before| characters[before]));
        let kept = usize::from(blanked == 0);
        code.extend(&rest[..kept]);
        code.extend(rest[..blanked].iter().map(|character| if *character == '\n' { '\n' } else { ' ' }));
        position += kept + blanked;
    }
    code
}

/// The line and the text of each string, as it is written. A string that continues in the next line is one
/// text.
pub(super) fn literals(source: &str) -> Vec<(usize, String)> {
    let characters: Vec<char> = source.chars().collect();
    let (mut found, mut position, mut line) = (Vec::new(), 0, 1);
    while position < characters.len() {
        let rest = &characters[position..];
        let length = not_code(rest, position.checked_sub(1).map(|before| characters[before]));
        let text: String = rest[..length.max(1)].iter().collect();
        let next = line + text.matches('\n').count();
        if length > 0 && !text.starts_with(['/', '\'']) {
            let lines = text.split("\\\n").enumerate();
            let joined = lines.map(|(index, line)| if index == 0 { line } else { line.trim_start() });
            found.push((line, joined.collect()));
        }
        (position, line) = (position + length.max(1), next);
    }
    found
}

/// The number of characters from here on that belong to a comment or a literal. None for code.
fn not_code(rest: &[char], before: Option<char>) -> usize {
    match rest {
        ['/', '/', ..] => rest.iter().position(|character| *character == '\n').unwrap_or(rest.len()),
        ['/', '*', ..] => block_comment(rest),
        ['"', ..] => quoted(rest, '"'),
        ['\'', '\\', ..] => quoted(rest, '\''),
        // A character; `'a` without a closing quote is a lifetime.
        ['\'', _, '\'', ..] => 3,
        ['r', '"' | '#', ..] if !before.is_some_and(is_word) => raw_string(rest, 1),
        ['b', 'r', '"' | '#', ..] if !before.is_some_and(is_word) => raw_string(rest, 2),
        _ => 0,
    }
}

/// Block comments nest.
fn block_comment(rest: &[char]) -> usize {
    let mut depth = 0_usize;
    let mut position = 0;
    while position < rest.len() {
        match &rest[position..] {
            ['/', '*', ..] => {
                depth += 1;
                position += 2;
            }
            ['*', '/', ..] => {
                depth -= 1;
                position += 2;
                if depth == 0 {
                    return position;
                }
            }
            _ => position += 1,
        }
    }
    rest.len()
}

fn quoted(rest: &[char], quote: char) -> usize {
    let mut position = 1;
    while position < rest.len() {
        match rest[position] {
            '\\' => position += 2,
            character if character == quote => return position + 1,
            _ => position += 1,
        }
    }
    rest.len()
}

/// `r"…"`, `r#"…"#`; none when it is a raw identifier.
fn raw_string(rest: &[char], prefix: usize) -> usize {
    let hashes = rest[prefix..].iter().take_while(|character| **character == '#').count();
    let open = prefix + hashes;
    if rest.get(open) != Some(&'"') {
        return 0;
    }
    let closes = |at: usize| {
        rest[at] == '"' && rest[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes
    };
    (open + 1..rest.len()).find(|at| closes(*at)).map_or(rest.len(), |at| at + 1 + hashes)
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_blanked() {
        let cases = [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ d */ e", "a                   e"),
            (r#"a "b \" c" d"#, "a          d"),
            (r##"a r#"b " c"# d"##, "a            d"),
            (r#"a br"b" d"#, "a       d"),
            ("'a' 'x: &'a str '\\'' 'b'", "    'x: &'a str         "),
            ("r#type bar\"x\"", "r#type bar   "),
            ("\"a\nb\" c", "  \n   c"),
            ("\"open", "     "),
        ];
        for (source, expected) in cases {
            assert_eq!(code_only(source), expected, "{source}");
        }
    }
}
