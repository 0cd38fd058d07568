//! What pages create. Readers follow pages in any order in one folder, so no two pages may create the same
//! tenant, client or file.

use std::collections::BTreeMap;

use super::block::{Block, Use};
use super::fragment;
use super::reading::Page;
use crate::workspace::Failure;

/// Refuses two pages that create the same thing.
pub(super) fn check_created(pages: &[Page]) -> Result<(), Failure> {
    let mut creators: BTreeMap<String, &str> = BTreeMap::new();
    for page in pages {
        for created in page.blocks.iter().flat_map(created) {
            let first = creators.entry(created.clone()).or_insert(&page.path);
            if *first != page.path {
                return Err(Failure::new(format!("{first} and {} both create {created}", page.path)));
            }
        }
    }
    Ok(())
}

/// The names of tenants, clients and files that a block creates.
fn created(block: &Block) -> Vec<String> {
    match &block.purpose {
        Use::File(name) => vec![format!("the file {name}")],
        Use::Fragment => {
            fragment::tenants(&block.text).into_iter().map(|tenant| format!("the tenant {tenant}")).collect()
        }
        Use::Run => block.text.lines().flat_map(by_commands).collect(),
        _ => Vec::new(),
    }
}

/// What the commands of a line create. A line that first tests for a file creates only what is missing.
fn by_commands(line: &str) -> Vec<String> {
    if line.starts_with("[ -e ") {
        return Vec::new();
    }
    let words: Vec<_> = line.split_whitespace().map(|word| word.trim_end_matches(')')).collect();
    let mut created = Vec::new();
    for (index, at) in words.windows(3).enumerate() {
        match at {
            ["tenant", "add", tenant] => created.push(format!("the tenant {tenant}")),
            ["client", "add", tenant] => {
                created.extend(words.get(index + 3).map(|client| format!("the client {tenant}/{client}")));
            }
            _ => {}
        }
    }
    for at in words.windows(2) {
        // Answers such as token.json are written again by each page.
        if let ["--secret-file" | ">", file] = at
            && !file.starts_with(['&', '/', '$', '"'])
            && !file.ends_with(".json")
        {
            created.push(format!("the file {file}"));
        }
    }
    created
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(path: &str, text: &str) -> Page {
        Page::new(path.to_owned(), text).unwrap()
    }

    #[test]
    fn two_pages_may_not_create_the_same_thing() {
        let declared = page("a.md", "```yaml fragment\n  acme:\n    clients:\n      svc:\n```\n");
        let by_command = page("b.md", "```sh\nlatchkey tenant add acme --client svc\n```\n");
        let client = page("c.md", "```sh\nlatchkey client add acme svc --secret-file a.secret\n```\n");
        let file = page("d.md", "```sh\n(umask 077; openssl rand -hex 24 > a.secret)\n```\n");
        let refused = |pages: &[Page]| check_created(pages).unwrap_err().to_string();
        assert_eq!(refused(&[declared, by_command]), "a.md and b.md both create the tenant acme");
        assert_eq!(refused(&[client, file]), "c.md and d.md both create the file a.secret");
        let twice = "```sh\nlatchkey tenant add x\n```\n";
        check_created(&[page("a.md", &twice.repeat(2))]).unwrap();
        let guarded = "```sh\n[ -e a.secret ] || latchkey admin init --secret-file a.secret\n```\n";
        check_created(&["a.md", "b.md"].map(|path| page(path, guarded))).unwrap();
    }
}
