//! The blocks of a page, and how each is used. The words after a fence's language decide it; CONTRIBUTING.md
//! lists them.

use crate::workspace::Failure;

/// A comment with commands that readers do not see, such as waiting for a result that a reader sees.
const COMMENT: &str = "<!-- docs-run:";

/// How a block is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Runs, and must succeed.
    Run,
    /// Runs, and must fail: the example shows a refusal.
    Refused,
    /// Runs in the background until the end of the page. The next block waits until the server is ready. If
    /// an earlier page has started the same server, that one stays; another one ends.
    Server,
    /// Ends the running server, and starts a new one.
    Restart,
    /// Is a complete configuration, which `latchkey check` accepts.
    Configuration,
    /// Is added to `config.yaml` of the page's folder, which a running server then applies.
    Fragment,
    /// Becomes this file in the page's folder.
    File(String),
    /// Needs another machine: is listed.
    Elsewhere,
    /// Is an answer, a picture or a text.
    Shown,
}

/// A block of a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// The line of its fence, from 1.
    pub(super) line: usize,
    pub(super) purpose: Use,
    pub(super) text: String,
}

/// All blocks of a page in their order.
pub(super) fn blocks(page: &str, text: &str) -> Result<Vec<Block>, Failure> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let (purpose, end) = if let Some(words) = line.trim_start().strip_prefix("```") {
            let purpose =
                purpose(words).map_err(|why| Failure::new(format!("{page}:{}: {why}", index + 1)))?;
            (purpose, "```")
        } else if line.starts_with(COMMENT) && !line.contains("-->") {
            (Use::Run, "-->")
        } else {
            continue;
        };
        let mut block = String::new();
        let mut is_closed = false;
        for (_, line) in lines.by_ref() {
            if line.trim_start().starts_with(end) {
                is_closed = true;
                break;
            }
            block.push_str(line);
            block.push('\n');
        }
        if !is_closed {
            return Err(Failure::new(format!("{page}:{}: no line `{end}` closes this block", index + 1)));
        }
        found.push(Block { line: index + 1, purpose, text: block });
    }
    Ok(found)
}

fn purpose(info: &str) -> Result<Use, String> {
    let mut words = info.split_whitespace();
    let language = words.next().ok_or(
        "the block has no language; write `sh` or `yaml`, which docs-run runs, or `text`, which it does not",
    )?;
    let attribute = words.next();
    if words.next().is_some() {
        return Err("a block has one word after its language".to_owned());
    }
    match (language, attribute) {
        (_, Some("elsewhere")) => Ok(Use::Elsewhere),
        (_, Some(word)) if word.starts_with("file=") => Ok(Use::File(word["file=".len()..].to_owned())),
        ("sh", None) => Ok(Use::Run),
        ("sh", Some("refused")) => Ok(Use::Refused),
        ("sh", Some("server")) => Ok(Use::Server),
        ("sh", Some("restart")) => Ok(Use::Restart),
        ("yaml", None) => Ok(Use::Configuration),
        ("yaml", Some("fragment")) => Ok(Use::Fragment),
        ("bash" | "shell" | "console" | "yml", _) => Err(format!("write `sh` or `yaml`, not `{language}`")),
        (_, None) => Ok(Use::Shown),
        (_, Some(word)) => Err(format!("`{word}` is no word that docs-run knows after `{language}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_after_the_fence_select_the_use() {
        for (info, expected) in [
            ("sh", Ok(Use::Run)),
            ("sh refused", Ok(Use::Refused)),
            ("sh server", Ok(Use::Server)),
            ("sh restart", Ok(Use::Restart)),
            ("sh elsewhere", Ok(Use::Elsewhere)),
            ("yaml", Ok(Use::Configuration)),
            ("yaml fragment", Ok(Use::Fragment)),
            ("yaml elsewhere", Ok(Use::Elsewhere)),
            ("python file=verify.py", Ok(Use::File("verify.py".to_owned()))),
            ("json", Ok(Use::Shown)),
            ("text", Ok(Use::Shown)),
            ("", Err("no language")),
            ("bash", Err("write `sh`")),
            ("sh skip", Err("`skip` is no word")),
            ("json fragment", Err("`fragment` is no word")),
            ("sh server refused", Err("one word")),
        ] {
            match (purpose(info), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{info}"),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{info}: {found}"),
                (found, expected) => panic!("{info}: {found:?}, not {expected:?}"),
            }
        }
    }

    #[test]
    fn blocks_and_comments_are_found_with_lines() {
        let text =
            "# T\n\n```sh\na\nb\n```\n<!-- docs-run: waits\nsleep 1\n-->\n<!-- no -->\n```json\n{}\n```\n";
        let found = blocks("p.md", text).unwrap();
        let seen: Vec<_> = found.iter().map(|block| (block.line, block.text.as_str())).collect();
        assert_eq!(seen, [(3, "a\nb\n"), (7, "sleep 1\n"), (11, "{}\n")]);
        let open = blocks("p.md", "\n```sh\na\n").unwrap_err().to_string();
        assert_eq!(open, "p.md:2: no line ````` closes this block");
    }
}
