//! The blocks of a page as one shell script: variables and background processes of a block are there for the next.

use super::block::{Block, Use};
use super::fragment;
use crate::workspace::Failure;

const PRELUDE: &str = include_str!("prelude.sh");
/// Ends the text of a file in the script.
const END: &str = "END_OF_A_BLOCK_OF_DOCS_RUN";

/// The script of a page that begins with this `config.yaml`.
pub(super) fn script(page: &str, blocks: &[Block], sample: &str) -> Result<String, Failure> {
    let mut config = sample.to_owned();
    let mut script = PRELUDE.to_owned();
    for Block { line, purpose, text } in blocks {
        let part = match purpose {
            Use::Elsewhere | Use::Shown => continue,
            Use::Run => text.clone(),
            Use::Refused => {
                format!("if (\n{text}); then fail 'this must be refused, and was not'; fi\n")
            }
            Use::Server => format!(
                "server_of_page() {{\n{text}}}\nserver_of_page > server.log 2>&1 &\nawait_server $!\n"
            ),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_block_has_its_part_in_order() {
        let block = |line, purpose, text: &str| Block { line, purpose, text: text.to_owned() };
        let blocks = [
            block(1, Use::Server, "latchkey\n"),
            block(5, Use::Elsewhere, "docker build\n"),
            block(9, Use::Refused, "curl x\n"),
            block(12, Use::Fragment, "tenants:\n  b: {}\n"),
        ];
        let script = script("p.md", &blocks, "tenants:\n  a: {}\n").unwrap();
        let places = [
            "at 'p.md:1'",
            "await_server $!",
            "at 'p.md:9'",
            "if (\ncurl x\n)",
            "at 'p.md:12'",
            "  b: {}\n  a: {}\n",
        ]
        .map(|part| script.find(part).unwrap_or_else(|| panic!("no {part} in {script}")));
        assert!(places.is_sorted(), "{script}");
        assert!(!script.contains("docker"));
    }
}
