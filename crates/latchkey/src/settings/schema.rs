//! The JSON Schema of config.yaml, for editors, from the types that read it.

use super::document::Document;

/// The schema as the committed `config.schema.json` has it, with a newline at its end.
pub(crate) fn schema() -> String {
    let schema = schemars::schema_for!(Document);
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    text.push('\n');
    text
}
