//! Parses the Markdown of the document: plain text, code, strong text, and numbered lists.

use pages::{Paragraph, Said, TextSpan};
use serde_json::Value;

pub(super) fn text(words: &str) -> Said {
    if words.is_empty() { Vec::new() } else { vec![TextSpan::Text(words.to_owned())] }
}

pub(super) fn code(words: &str) -> Said {
    vec![TextSpan::Code(words.to_owned())]
}

/// Empty if there is no description.
pub(super) fn said(description: &Value) -> Said {
    parts(description.as_str().unwrap_or_default())
}

fn parts(description: &str) -> Said {
    let mut all = Vec::new();
    for (at, part) in description.split('`').enumerate() {
        if at % 2 == 1 {
            all.extend(code(part));
            continue;
        }
        for (at, words) in part.split("**").enumerate() {
            all.extend(match at % 2 {
                1 => vec![TextSpan::Strong(words.to_owned())],
                _ => text(words),
            });
        }
    }
    all
}

/// Blank lines separate paragraphs.
pub(super) fn paragraphs(description: &str) -> Vec<Paragraph> {
    let blocks = description.split("\n\n").filter(|block| !block.is_empty());
    let paragraph = |block: &str| {
        let steps: Option<Vec<_>> = block.lines().map(step).collect();
        steps.map_or_else(|| Paragraph::Text(parts(block)), Paragraph::Steps)
    };
    blocks.map(paragraph).collect()
}

/// A line such as `1. Do this`.
fn step(line: &str) -> Option<Said> {
    let (number, rest) = line.split_once(". ")?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then(|| parts(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_bold_text_and_steps_are_recognized() {
        assert_eq!(
            parts("A `b` **c** d `**`"),
            [
                TextSpan::Text("A ".to_owned()),
                TextSpan::Code("b".to_owned()),
                TextSpan::Text(" ".to_owned()),
                TextSpan::Strong("c".to_owned()),
                TextSpan::Text(" d ".to_owned()),
                TextSpan::Code("**".to_owned()),
            ]
        );
        let found = paragraphs("First. All.\n\n1. One\n2. Two\n\nLast");
        assert!(
            matches!(&found[..], [Paragraph::Text(_), Paragraph::Steps(steps), Paragraph::Text(_)] if steps.len() == 2)
        );
    }
}
