//! A report for people, in lines of 80 columns: a title, then parts with headings.

use values::printable;

use super::table::{NARROW, narrow};

pub(crate) type CellRow = Vec<String>;
pub(crate) type CellRows = Vec<CellRow>;

/// How the cells of rows are aligned.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Layout {
    /// Columns as wide as their cells. A word that is wider than its column is broken.
    Columns,
    /// The last cell begins at this column. Words are never broken, so that they can be copied.
    From(usize),
}

pub(crate) fn report<'a>(head: String, parts: impl Iterator<Item = (&'a str, Layout, CellRows)>) -> String {
    parts.fold(head, |text, (name, layout, rows)| format!("{text}\n{name}\n{}", layout.lines(rows)))
}

impl Layout {
    pub(crate) fn lines(self, rows: CellRows) -> String {
        match self {
            Self::Columns => narrow(&rows),
            Self::From(column) => rows.iter().map(|row| wrapped(column, row)).collect(),
        }
    }
}

fn wrapped(column: usize, row: &[String]) -> String {
    let (text, first) = row.split_last().expect("a row has cells");
    let (mut lines, mut line) = (String::new(), format!("{:<column$}", first.concat()));
    let mut has_word = false;
    for word in text.split(' ').map(printable) {
        if has_word && line.chars().count() + 1 + word.chars().count() > usize::from(NARROW) {
            lines.push_str(&line);
            lines.push('\n');
            line = " ".repeat(column);
            has_word = false;
        }
        if has_word {
            line.push(' ');
        }
        line.push_str(&word);
        has_word = true;
    }
    lines + line.trim_end() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_wrapped_with_an_indent() {
        let lines = |column, word: &str, text: &str| {
            Layout::From(column).lines(vec![vec![word.to_owned(), text.to_owned()]])
        };
        let wrapped = lines(13, "refused", "word ".repeat(40).trim());
        assert!(wrapped.lines().count() > 2 && wrapped.lines().all(|line| line.chars().count() <= 80));
        assert!(wrapped.lines().skip(1).all(|line| line.starts_with("             word")), "{wrapped}");
        let url = "https://id.example.com/".repeat(5);
        assert!(lines(13, "iss", &url).ends_with(&format!(" {url}\n")), "a URL can be copied whole");
        assert_eq!(lines(2, "a", "b\u{1b}[2J"), "a b\u{fffd}[2J\n");
    }
}
