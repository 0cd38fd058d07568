//! What administrators and the log see of a mail server's answer: a short line without addresses, links and
//! codes.

const LONGEST: usize = 200;
/// Shorter words contain no code.
const SHORTEST_CODE: usize = 6;

/// `text` is the text of the message, which the answer may quote.
pub(super) fn shown(answer: &str, text: &str) -> String {
    let words = answer.split(|character: char| character.is_whitespace() || character.is_control());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).map(|word| shown_word(word, text)).collect();
    words.join(" ").chars().take(LONGEST).collect()
}

fn shown_word(word: &str, text: &str) -> String {
    if word.contains('@') {
        return "<address>".to_owned();
    }
    if let Some((_, rest)) = word.split_once("://")
        && text.contains(rest.trim_matches(|character: char| !character.is_ascii_alphanumeric()))
    {
        return "<link>".to_owned();
    }
    let is_of_code = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    let may_be_code = |part: &str| {
        part.len() >= SHORTEST_CODE
            && part.bytes().any(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    let parts = word.split_inclusive(|character| !is_of_code(character)).map(|part| {
        let code = part.trim_end_matches(|character| !is_of_code(character));
        if may_be_code(code) && text.contains(code) { part.replace(code, "<code>") } else { part.to_owned() }
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_show_no_address_and_no_code() {
        let text = "Type ABCD-EF2H, or open https://id.example.com/account/set-password#ABCD-EF2H.";
        for (answer, expected) in [
            ("250 2.0.0 Ok: queued as 4F0B1", "250 2.0.0 Ok: queued as 4F0B1"),
            ("550 5.1.1 <ada@example.com>: no\r\nsuch\tuser", "550 5.1.1 <address> no such user"),
            ("550 to=ada@example.com,x", "550 <address>"),
            (
                "554 quoted(ABCD-EF2H); see https://help.example",
                "554 quoted(<code>); see https://help.example",
            ),
            ("554 https://id.example.com/account/set-password#ABCD-EF2H.", "554 <link>"),
            ("554 #ABCD-EF2H", "554 #<code>"),
        ] {
            assert_eq!(shown(answer, text), expected);
        }
        assert_eq!(shown(&"ü".repeat(300), "").chars().count(), LONGEST);
    }
}
