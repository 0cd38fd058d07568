//! Aligned columns. The text of a cell comes from callers, so control characters are shown and not obeyed.

use comfy_table::{Table, presets};
use serde_json::Value;

/// Rows under their heads; where there is none, a line that says so.
pub(crate) fn table(none: &str, head: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return format!("{none}\n");
    }
    columns(Some(head), rows)
}

/// One document, a line a member. Members of members are written with a dot.
pub(crate) fn details(document: &Value) -> String {
    let mut rows = Vec::new();
    flatten("", document, &mut rows);
    columns(None, rows)
}

fn columns(head: Option<&[&str]>, rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    if let Some(head) = head {
        table.set_header(head);
    }
    for row in rows {
        table.add_row(row.iter().map(|cell| printable(cell)).collect::<Vec<_>>());
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn flatten(path: &str, value: &Value, rows: &mut Vec<Vec<String>>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(&path, member, rows);
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

fn printable(cell: &str) -> String {
    cell.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_end_where_they_end() {
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
    fn a_document_is_a_line_a_member() {
        let document =
            json!({"id": "acme", "signing": {"skew": 60}, "scopes": ["a", "b"], "none": null, "no": []});
        insta::assert_snapshot!(details(&document), @r"
        id            acme
        no            -
        none          -
        scopes        a b
        signing.skew  60
        ");
    }

    #[test]
    fn a_name_does_not_steer_the_terminal() {
        let shown = table("", &["NAME"], vec![vec!["\u{1b}[2Jx\ny".to_owned()]]);
        assert!(!shown.contains('\u{1b}') && shown.contains("[2Jx\u{fffd}y"), "{shown:?}");
    }
}
