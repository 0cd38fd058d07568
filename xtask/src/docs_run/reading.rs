//! The pages that run together: those that one reader follows in one folder, with one server.

use super::block::{Block, Use, blocks};
use crate::workspace::Failure;

/// The pages that a newcomer follows, in this order. Each uses the folder of the previous page, and the
/// server that runs there.
pub(super) const ROW: [&str; 8] = [
    "README.md",
    "docs/protect-an-api.md",
    "docs/clients.md",
    "docs/command-line.md",
    "docs/administration.md",
    "docs/configuration.md",
    "docs/signing-people-in.md",
    "docs/console.md",
];

/// The comment in a page that names the page which its reader has followed before.
const AFTER: &str = "<!-- docs-run: after ";

/// A page with its blocks.
pub(super) struct Page {
    /// The path from the root.
    pub(super) path: String,
    pub(super) blocks: Vec<Block>,
    /// The page before this one, even if this one runs alone.
    pub(super) after: Option<String>,
}

impl Page {
    pub(super) fn new(path: String, text: &str) -> Result<Self, Failure> {
        let after = text.lines().find_map(|line| line.strip_prefix(AFTER)?.strip_suffix(" -->"));
        Ok(Self { blocks: blocks(&path, text)?, after: after.map(str::to_owned), path })
    }

    pub(super) fn runs(&self) -> usize {
        self.blocks.iter().filter(|block| !matches!(block.purpose, Use::Elsewhere | Use::Shown)).count()
    }

    pub(super) fn elsewhere(&self) -> usize {
        self.blocks.iter().filter(|block| block.purpose == Use::Elsewhere).count()
    }
}

/// Pages that run one after another.
pub(super) type Reading<'a> = Vec<&'a Page>;

/// The first and the last page.
pub(super) fn name(reading: &Reading<'_>) -> String {
    match reading.as_slice() {
        [] => String::new(),
        [page] => page.path.clone(),
        [first, .., last] => format!("{}-to-{}", first.path, last.path),
    }
}

/// The row alone.
pub(super) fn row(pages: &[Page]) -> Result<Reading<'_>, Failure> {
    ROW.iter().map(|path| named(pages, path)).collect()
}

/// The row, and each other page by itself. The row is first, because it takes longest.
pub(super) fn all(pages: &[Page]) -> Result<Vec<Reading<'_>>, Failure> {
    let others = pages.iter().filter(|page| !ROW.contains(&page.path.as_str()));
    std::iter::once(row(pages)).chain(others.map(|page| alone(pages, page))).collect()
}

/// A page alone, after the page that it names as the previous one.
pub(super) fn alone<'a>(pages: &'a [Page], page: &'a Page) -> Result<Reading<'a>, Failure> {
    let before = page.after.as_deref().map(|path| named(pages, path)).transpose()?;
    Ok(before.into_iter().chain([page]).collect())
}

fn named<'a>(pages: &'a [Page], path: &str) -> Result<&'a Page, Failure> {
    pages
        .iter()
        .find(|page| page.path == path)
        .ok_or_else(|| Failure::new(format!("there is no page {path}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(texts: &[(&str, &str)]) -> Vec<Page> {
        texts.iter().map(|(path, text)| Page::new((*path).to_owned(), text).unwrap()).collect()
    }

    fn paths(reading: &Reading<'_>) -> Vec<String> {
        reading.iter().map(|page| page.path.clone()).collect()
    }

    const BLOCK: &str = "```sh\ntrue\n```\n";

    #[test]
    fn page_of_the_row_runs_only_in_the_row() {
        let mut texts: Vec<_> = ROW.iter().rev().map(|path| (*path, BLOCK)).collect();
        texts.push(("docs/usage.md", BLOCK));
        let pages = pages(&texts);
        let found: Vec<_> = all(&pages).unwrap().iter().map(paths).collect();
        assert_eq!(found, [ROW.map(str::to_owned).to_vec(), vec!["docs/usage.md".to_owned()]]);
        assert!(row(&pages[1..]).is_err(), "a page of the row is missing");
    }

    #[test]
    fn single_page_runs_after_its_named_page() {
        let after = |path: &str| format!("# T\n\n<!-- docs-run: after {path} -->\n{BLOCK}");
        let pages = pages(&[
            ("README.md", BLOCK),
            ("docs/clients.md", &after("README.md")),
            ("docs/usage.md", &after("docs/none.md")),
        ]);
        let alone = |index: usize| alone(&pages, &pages[index]).map(|found| paths(&found));
        assert_eq!(alone(0).unwrap(), ["README.md"]);
        assert_eq!(alone(1).unwrap(), ["README.md", "docs/clients.md"]);
        assert_eq!(alone(2).unwrap_err().to_string(), "there is no page docs/none.md");
    }
}
