//! The blocks of one page, or of several pages one after another, as one shell script, so that later blocks
//! see the variables and background processes of a block.

use super::block::{Block, Use};
use super::fragment;
use super::reading::Page;
use crate::workspace::Failure;

const PRELUDE: &str = include_str!("prelude.sh");
/// Ends the text of a file in the script.
const END: &str = "END_OF_A_BLOCK_OF_DOCS_RUN";

/// The script of pages that begin with this `config.yaml`.
pub(super) fn script(pages: &[&Page], sample: &str) -> Result<String, Failure> {
    let mut config = sample.to_owned();
    let mut script = PRELUDE.to_owned();
    let mut serving = None;
    let blocks = pages.iter().flat_map(|page| page.blocks.iter().map(|block| (&page.path, block)));
    for (page, Block { line, purpose, text }) in blocks {
        let part = match purpose {
            Use::Elsewhere | Use::Shown => continue,
            Use::Run => text.clone(),
            Use::Refused => {
                format!("if (\n{text}); then fail 'this must be refused, and was not'; fi\n")
            }
            // The running server of an earlier page is the one that this block would start.
            Use::Server if serving == Some(command(text)) => "server_runs\n".to_owned(),
            Use::Server | Use::Restart => {
                serving = Some(command(text));
                format!("server_of_page() {{\n{text}}}\nstart_server\n")
            }
            Use::Configuration => {
                let name = format!("check-{line}.yaml");
                format!("{}latchkey check --config {name}\n", file(&name, text))
            }
            Use::Fragment => {
                config = fragment::merge(&config, text)
                    .map_err(|why| Failure::new(format!("{page}:{line}: {why}")))?;
                let file = file("config.yaml", &config);
                format!("before=$(generations)\n{file}latchkey check\nawait_generation \"$before\"\n")
            }
            Use::File(name) => file(name, text),
        };
        script.push_str(&format!("\nat '{page}:{line}'\n{part}"));
    }
    script.push_str("\nat 'the end'\n");
    Ok(script)
}

fn file(name: &str, text: &str) -> String {
    format!("mkdir -p \"$(dirname '{name}')\"\ncat > '{name}' <<'{END}'\n{text}{END}\n")
}

/// The commands of a server block in a comparable form: without comments, and without the commands that build
/// the program.
fn command(text: &str) -> String {
    let line = |line: &str| line.split(" #").next().unwrap_or_default().trim().to_owned();
    let lines: Vec<_> = text.lines().map(line).filter(|line| !line.is_empty()).collect();
    let text = lines.join("\n");
    match text.as_str() {
        "cargo run --release" | "latchkey" => "latchkey serve".to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(path: &str, blocks: Vec<Block>) -> Page {
        Page { path: path.to_owned(), blocks, after: None }
    }

    fn block(line: usize, purpose: Use, text: &str) -> Block {
        Block { line, purpose, text: text.to_owned() }
    }

    #[test]
    fn script_keeps_the_order_of_blocks() {
        let blocks = vec![
            block(1, Use::Server, "latchkey\n"),
            block(5, Use::Elsewhere, "docker build\n"),
            block(9, Use::Refused, "curl x\n"),
            block(12, Use::Fragment, "tenants:\n  b: {}\n"),
        ];
        let script = script(&[&page("p.md", blocks)], "tenants:\n  a: {}\n").unwrap();
        let places = [
            "at 'p.md:1'",
            "}\nstart_server\n",
            "at 'p.md:9'",
            "if (\ncurl x\n)",
            "at 'p.md:12'",
            "  b: {}\n  a: {}\n",
        ]
        .map(|part| script.find(part).unwrap_or_else(|| panic!("no {part} in {script}")));
        assert!(places.is_sorted(), "{script}");
        assert!(!script.contains("docker"));
    }

    #[test]
    fn later_page_uses_the_server_of_the_earlier_one() {
        let begins = block(1, Use::Server, "cargo run --release   # with config.yaml\n");
        let first = page("a.md", vec![begins, block(2, Use::Fragment, "tenants:\n  b: {}\n")]);
        let same = page("b.md", vec![block(3, Use::Server, "latchkey serve\n")]);
        let again = page("c.md", vec![block(4, Use::Restart, "latchkey serve\n")]);
        let begins = block(5, Use::Server, "latchkey serve --config other.yaml\n");
        let other = page("d.md", vec![begins, block(6, Use::Fragment, "tenants:\n  c: {}\n")]);
        let script = script(&[&first, &same, &again, &other], "tenants:\n  a: {}\n").unwrap();
        let part = |at: &str| script.split("\nat '").find(|part| part.starts_with(at)).unwrap().to_owned();
        assert!(part("a.md:1").ends_with("}\nstart_server\n"), "{script}");
        assert!(part("b.md:3").ends_with("'\nserver_runs\n"), "{script}");
        assert!(part("c.md:4").contains("latchkey serve\n}\nstart_server\n"), "{script}");
        assert!(part("d.md:5").contains("latchkey serve --config other.yaml\n}\nstart_server\n"), "{script}");
        assert!(part("d.md:6").contains("tenants:\n  c: {}\n  b: {}\n  a: {}\n"), "{script}");
    }
}
