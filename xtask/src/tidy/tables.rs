//! Tables of documents: rows by the names of their columns.

/// A row below the header of its table.
pub(super) struct Row {
    /// From 1.
    pub(super) line: usize,
    pub(super) cells: Vec<String>,
    header: Vec<String>,
}

impl Row {
    pub(super) fn cell(&self, column: &str) -> Option<&str> {
        let place = self.header.iter().position(|name| name == column)?;
        self.cells.get(place).map(String::as_str)
    }

    pub(super) fn is_whole(&self) -> bool {
        self.cells.len() == self.header.len()
    }
}

/// The rows of all tables of a page.
pub(super) fn rows(text: &str) -> Vec<Row> {
    let (mut rows, mut header) = (Vec::new(), None);
    for (index, line) in text.lines().enumerate() {
        let Some(cells) = cells(line) else {
            header = None;
            continue;
        };
        match &header {
            None => header = Some(cells),
            Some(_) if cells.iter().all(|cell| cell.starts_with("--")) => {}
            Some(header) => rows.push(Row { line: index + 1, cells, header: header.clone() }),
        }
    }
    rows
}

/// The cells of a table's row; `\|` is a bar within one.
pub(super) fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let inner = inner.replace("\\|", "\u{0}");
    Some(inner.split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect())
}

/// The texts between backticks.
pub(super) fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}
