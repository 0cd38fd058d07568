//! Aligned columns. Other people write the texts of cells, so control characters are escaped.

use std::io::stdout;

use super::time::readable_member;
use administration::documents::{Shape, Shaped};
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::Value;
use terminal_size::{Width, terminal_size_of};
use values::{Lifetime, printable};

/// A width that fits every terminal.
pub(super) const NARROW: u16 = 80;

pub(crate) struct DocumentTable {
    /// The line to show for an empty list.
    pub(crate) none: &'static str,
    /// The member of each column, optionally followed by `as` and a heading and `or` and a default cell. The
    /// default heading is the name of the member without `_at`. The default cell is empty.
    pub(crate) columns: &'static str,
}

impl DocumentTable {
    pub(crate) fn table<T: Serialize>(&self, items: &[T]) -> String {
        let (mut heads, mut members) = (Vec::new(), Vec::new());
        for column in self.columns.split(", ") {
            let (named, none) = column.split_once(" or ").unwrap_or((column, ""));
            let member = named.split(' ').next().unwrap_or_default();
            let of_member = || member.trim_end_matches("_at").replace('_', " ").to_uppercase();
            heads.push(named.split_once(" as ").map_or_else(of_member, |(_, head)| head.to_owned()));
            members.push((member, none));
        }
        let row = |item: &T| {
            let document = to_value(item);
            members.iter().map(|(member, none)| cell(member, &document[*member], none)).collect()
        };
        let heads: Vec<_> = heads.iter().map(String::as_str).collect();
        table(self.none, &heads, items.iter().map(row).collect())
    }
}

/// Rows with headings, or one line if there are no rows.
pub(crate) fn table(none: &str, head: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return format!("{none}\n");
    }
    // A table without column names has no headings.
    columns(Some(head).filter(|head| head.iter().any(|name| !name.is_empty())), &rows)
}

/// Rows without headings, at most 80 characters wide even without a terminal.
pub(super) fn narrow(rows: &[Vec<String>]) -> String {
    aligned(None, rows, Some(terminal_width().unwrap_or(NARROW).min(NARROW)))
}

/// One document, with one line for each member. Nested members are written with a dot, durations with their
/// unit.
pub(crate) fn details<T: Serialize + Shaped>(document: &T) -> String {
    details_of(document, &T::shape())
}

/// The document may have members that its shape lacks.
pub(crate) fn details_of(document: &impl Serialize, shape: &Shape) -> String {
    let mut rows = Vec::new();
    flatten("", &to_value(document), Some(shape), &mut rows);
    columns(None, &rows)
}

fn to_value(document: &impl Serialize) -> Value {
    serde_json::to_value(document).expect("documents are plain JSON")
}

/// An object in a cell is shown only by the names of its members. The API names instants in lists `at` or
/// `…_at`.
fn cell(member: &str, value: &Value, none: &str) -> String {
    match value {
        Value::Null => none.to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if member == "at" || member.ends_with("_at") => readable_member(member, text),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            items.iter().map(|item| cell(member, item, none)).collect::<Vec<_>>().join(" ")
        }
        Value::Object(members) => members.keys().cloned().collect::<Vec<_>>().join(" "),
    }
}

fn terminal_width() -> Option<u16> {
    terminal_size_of(stdout()).map(|(Width(width), _)| width)
}

fn columns(head: Option<&[&str]>, rows: &[Vec<String>]) -> String {
    fitted(head, rows, terminal_width())
}

/// A table with headings that is wider than the terminal is shown as one block for each row, because very
/// narrow cells are unreadable.
fn fitted(head: Option<&[&str]>, rows: &[Vec<String>], width: Option<u16>) -> String {
    let whole = aligned(head, rows, None);
    let fits = |width: u16| whole.lines().all(|line| line.chars().count() <= usize::from(width));
    match (head, width.filter(|width| !fits(*width))) {
        (_, None) => whole,
        (None, width) => aligned(None, rows, width),
        (Some(head), width) => {
            let blocks = rows.iter().map(|row| {
                let named = head.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
                let lines: Vec<_> =
                    named.map(|(name, cell)| vec![(*name).to_owned(), cell.clone()]).collect();
                aligned(None, &lines, width)
            });
            blocks.collect::<Vec<_>>().join("\n")
        }
    }
}

fn aligned(head: Option<&[&str]>, rows: &[Vec<String>], width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    if let Some(head) = head {
        table.set_header(head);
    }
    for row in rows {
        table.add_row(row.iter().map(|cell| printable(cell)).collect::<Vec<_>>());
    }
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn flatten(path: &str, value: &Value, shape: Option<&Shape>, rows: &mut Vec<Vec<String>>) {
    match value {
        Value::Number(seconds) if matches!(shape, Some(Shape::Span)) => {
            let span = Lifetime::from_seconds(seconds.as_u64().unwrap_or_default());
            rows.push(vec![path.to_owned(), span.to_string()]);
        }
        Value::String(text) if matches!(shape, Some(Shape::Instant)) => {
            rows.push(vec![path.to_owned(), readable_member(path, text)]);
        }
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(&path, member, shape.and_then(|shape| shape.member(name)), rows);
            }
        }
        value => rows.push(vec![path.to_owned(), text(value)]),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "-".to_owned(),
        Value::Array(items) if items.iter().all(|item| !item.is_object()) => {
            items.iter().map(text).collect::<Vec<_>>().join(" ")
        }
        Value::Object(members) if members.is_empty() => "-".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use administration::documents::TenantSettings;
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_are_aligned_without_trailing_spaces() {
        let rows = [["acme", "Acme Inc", ""], ["globex-europe", "x", "y"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec()).to_vec();
        insta::assert_snapshot!(table("No rows.", &["ID", "NAME", "MORE"], rows), @r"
        ID             NAME      MORE
        acme           Acme Inc
        globex-europe  x         y
        ");
        assert_eq!(table("No rows.", &["ID"], Vec::new()), "No rows.\n");
    }

    #[test]
    fn wide_table_becomes_one_block_per_row() {
        let head = ["ID", "NAME", "SCOPES"];
        let rows =
            [["acme-shipping", "", "orders:read orders:write"], ["web", "The web shop", "orders:read"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(fitted(Some(&head), &rows, Some(80)), fitted(Some(&head), &rows, None));
        insta::assert_snapshot!(fitted(Some(&head), &rows, Some(30)), @r"
        ID      acme-shipping
        SCOPES  orders:read
                orders:write

        ID      web
        NAME    The web shop
        SCOPES  orders:read
        ");
        let widest = fitted(Some(&head), &rows, Some(30)).lines().map(str::len).max();
        assert!(widest <= Some(30), "{widest:?}");
    }

    #[test]
    fn document_members_become_cells() {
        let columns = DocumentTable { none: "No rows.", columns: "id, scopes, live, ends or never" };
        let rows = [
            json!({"id": "a", "scopes": ["x", "y"], "live": true, "ends": null}),
            json!({"id": 7, "scopes": [], "live": false, "ends": {"from": 1, "to": 2}}),
            json!({}),
        ];
        insta::assert_snapshot!(columns.table(&rows), @r"
        ID  SCOPES  LIVE  ENDS
        a   x y     yes   never
        7           no    from to
                          never
        ");
    }

    #[test]
    fn document_shows_one_member_per_line() {
        let document =
            json!({"id": "acme", "signing": {"skew": 60}, "scopes": ["a", "b"], "none": null, "no": []});
        insta::assert_snapshot!(details_of(&document, &Shape::new::<TenantSettings>()), @r"
        id            acme
        no            -
        none          -
        scopes        a b
        signing.skew  1m
        ");
    }

    #[test]
    fn control_characters_are_escaped() {
        let shown = table("", &["NAME"], vec![vec!["\u{1b}[2Jx\ny".to_owned()]]);
        assert!(!shown.contains('\u{1b}') && shown.contains("[2Jx\u{fffd}y"), "{shown:?}");
    }
}
