//! What is generated and committed: files, and parts of pages between `<!-- generated: NAME -->` and
//! `<!-- end -->`; `tidy::marks` writes and checks those that tests show. The program has the committed
//! files, so an example that has the schemas of the types makes them. Tests hold the files equal to what the
//! types say and to what the program prints.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::tidy::{self, marks};
use crate::workspace::{Doing, Failure, TEST_PROFILE, Workspace, read_output, read_text};

const FILES: [&str; 4] = [
    "config.schema.json",
    OPENAPI,
    "crates/administration/src/documents/shapes.json",
    "crates/gateway/src/documents/shapes.json",
];
const OPENAPI: &str = "docs/openapi.json";

/// A page, the name of its generated part, and what makes that part.
const PARTS: [(&str, &str, Maker); 4] = [
    ("docs/administration.md", "operations", operations),
    ("docs/configuration.md", "variables", variables),
    ("docs/operations.md", "reasons", reasons),
    ("docs/ARCHITECTURE.md", "crates", tidy::crate_graph),
];

type Maker = fn(&Workspace) -> Result<String, Failure>;

/// Regenerates everything.
pub(crate) fn write(workspace: &Workspace) -> Result<(), Failure> {
    marks::write(workspace)?;
    each(workspace, |file, text| {
        println!("{file} written");
        fs::write(workspace.root.join(file), text).doing(format_args!("write {file}"))
    })
}

/// Compares in memory, so that a failed check does not change the tree.
pub(crate) fn check(workspace: &Workspace) -> Result<(), Failure> {
    let mut stale = Vec::new();
    each(workspace, |file, text| {
        let committed = fs::read(workspace.root.join(file)).unwrap_or_default();
        stale.extend(difference(file, &committed, text));
        Ok(())
    })?;
    if stale.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("{}\nrun `cargo xtask codegen` and commit what it writes", stale.join("\n"))))
}

/// Passes on each file with its generated text: the document of the API before the table of its operations.
fn each(
    workspace: &Workspace,
    mut use_text: impl FnMut(&str, &[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for file in FILES {
        use_text(file, &generate(workspace, file)?)?;
    }
    for (file, name, make) in PARTS {
        let text = replaced(&read(workspace, file)?, name, &make(workspace)?)
            .ok_or_else(|| Failure::new(format!("{file} has no part {name}")))?;
        use_text(file, text.as_bytes())?;
    }
    Ok(())
}

fn read(workspace: &Workspace, file: &str) -> Result<String, Failure> {
    fs::read_to_string(workspace.root.join(file)).doing(format_args!("read {file}"))
}

fn generate(workspace: &Workspace, file: &str) -> Result<Vec<u8>, Failure> {
    let example = ["--package", "settings", "--example", "generated"];
    let run = [&["run", "--quiet", "--profile", TEST_PROFILE], &example[..], &["--", file]].concat();
    read_output(&mut workspace.cargo(&run))
}

/// The reasons of refused requests, which an example of their crate prints.
fn reasons(workspace: &Workspace) -> Result<String, Failure> {
    let run = ["run", "--quiet", "--profile", TEST_PROFILE, "--package", "registry", "--example", "reasons"];
    read_text(&mut workspace.cargo(&run))
}

/// The environment variables, of the committed schema.
fn variables(workspace: &Workspace) -> Result<String, Failure> {
    let file = FILES[0];
    let schema: Value = serde_json::from_str(&read(workspace, file)?)
        .map_err(|error| Failure::new(format!("{file}: {error}")))?;
    let rows: String = schema["x-environment"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, variable)| {
            let [key, form] = ["key", "form"].map(|member| variable[member].as_str().unwrap_or_default());
            format!("| `{name}` | `{key}` | {form} |\n")
        })
        .collect();
    Ok(format!("| variable | key | form |\n|---|---|---|\n{rows}"))
}

/// The operations of the admin API, of the committed OpenAPI document.
fn operations(workspace: &Workspace) -> Result<String, Failure> {
    let document = serde_json::from_str(&read(workspace, OPENAPI)?)
        .map_err(|error| Failure::new(format!("{OPENAPI}: {error}")))?;
    Ok(table_of_operations(&document))
}

/// A row for each operation that takes a token for administration. One that takes any such scope names none.
fn table_of_operations(document: &Value) -> String {
    let mut rows = BTreeMap::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let Some(scopes) = operation["security"][0]["admin_token"].as_array() else { continue };
            let scopes: Vec<String> =
                scopes.iter().filter_map(Value::as_str).map(|scope| format!("`{scope}`")).collect();
            let scopes = if scopes.is_empty() { "any".to_owned() } else { scopes.join(", ") };
            let what = operation["summary"].as_str().unwrap_or_default();
            let row = format!("| `{} {path}` | {scopes} | {what} |\n", method.to_uppercase());
            rows.insert((path, method), row);
        }
    }
    let rows: String = rows.into_values().collect();
    format!("| operation | scope | what |\n|---|---|---|\n{rows}")
}

/// The page with another text in this part, or nothing if it has no such part.
fn replaced(page: &str, name: &str, text: &str) -> Option<String> {
    let (before, rest) = page.split_once(&format!("<!-- generated: {name} -->\n"))?;
    let (_, after) = rest.split_once("<!-- end -->\n")?;
    Some(format!("{before}<!-- generated: {name} -->\n{}\n<!-- end -->\n{after}", text.trim_end()))
}

fn difference(file: &str, committed: &[u8], generated: &[u8]) -> Option<String> {
    if committed == generated {
        return None;
    }
    let [committed, generated] = [committed, generated].map(String::from_utf8_lossy);
    let equal = committed.lines().zip(generated.lines()).take_while(|(old, new)| old == new).count();
    Some(format!("{file}:{}: differs from what is generated", equal + 1))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn difference_names_the_first_line() {
        let cases = [
            ("a\nb\n", "a\nb\n", None),
            ("a\nb\n", "a\nc\n", Some("f:2: differs from what is generated")),
            ("", "a\n", Some("f:1: differs from what is generated")),
            ("a\n", "a", Some("f:2: differs from what is generated")),
        ];
        for (committed, generated, expected) in cases {
            assert_eq!(difference("f", committed.as_bytes(), generated.as_bytes()).as_deref(), expected);
        }
    }

    #[test]
    fn only_the_named_part_is_replaced() {
        let page = "a\n<!-- generated: x -->\nold\n<!-- end -->\nb\n<!-- generated: y -->\n<!-- end -->\n";
        let expected =
            "a\n<!-- generated: x -->\nnew\n<!-- end -->\nb\n<!-- generated: y -->\n<!-- end -->\n";
        assert_eq!(replaced(page, "x", "new\n").unwrap(), expected);
        assert_eq!(replaced(page, "z", "new"), None);
    }

    #[test]
    fn administration_operations_have_rows() {
        let document = json!({ "paths": { "/a": {
            "get": { "summary": "Read it.", "security": [{ "admin_token": ["s:read"] }] },
            "post": { "summary": "Open it.", "security": [{ "admin_token": [] }] },
            "put": { "summary": "Not one.", "security": [{ "client": [] }] },
        } } });
        let expected = "| operation | scope | what |\n|---|---|---|\n| `GET /a` | `s:read` | Read it. |\n| `POST /a` | any | Open it. |\n";
        assert_eq!(table_of_operations(&document), expected);
    }

    #[test]
    fn committed_table_matches_the_openapi_document() {
        let document = serde_json::from_str(include_str!("../../docs/openapi.json")).unwrap();
        let page = include_str!("../../docs/administration.md");
        let generated = replaced(page, "operations", &table_of_operations(&document));
        assert!(generated.as_deref() == Some(page), "run `cargo xtask codegen`");
    }
}
