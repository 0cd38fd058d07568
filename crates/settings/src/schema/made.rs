//! Builds the schema from the types.

use schemars::{
    Schema,
    generate::SchemaSettings,
    transform::{RecursiveTransform, Transform as _},
};
use serde_json::{Map, Value, json};
use values::Lifetime;

use super::{beginning, given};
use crate::document::Document;

/// The schema as the committed `config.schema.json` contains it, with a newline at its end.
///
/// # Panics
/// Never: a schema is JSON.
#[must_use]
pub fn schema() -> String {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Document>();
    RecursiveTransform(left_empty).transform(&mut schema);
    RecursiveTransform(without_reserved_names).transform(&mut schema);
    RecursiveTransform(plain_defaults).transform(&mut schema);
    schema.insert("$id".to_owned(), concat!("urn:latchkey:config:", env!("CARGO_PKG_VERSION")).into());
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    text.push('\n');
    text
}

/// At most one of these keys may be set.
pub(crate) fn at_most_one<const N: usize>(schema: &mut Schema, keys: [&str; N]) {
    let none: Map<_, _> = keys.iter().map(|key| ((*key).to_owned(), json!({ "type": "null" }))).collect();
    schema.insert(
        "anyOf".to_owned(),
        json!([{ "properties": none }, { "type": "object", "oneOf": given(keys) }]),
    );
}

/// Excludes names that are reserved for the platform, which files must not use or grant.
fn without_reserved_names(schema: &mut Schema) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (name, property) in properties {
        let (parts, prefix) = match name.as_str() {
            "scopes" => (&["items", "propertyNames"][..], "latchkey:"),
            "audiences" | "resources" | "issuer_aliases" => (&["items"][..], "urn:latchkey:"),
            "resource_servers" | "clients" => (&["propertyNames"][..], "urn:latchkey:"),
            _ => continue,
        };
        for part in parts {
            if let Some(part) = property.get_mut(part) {
                part["not"] = beginning(prefix);
            }
        }
    }
}

/// Simplifies the defaults, which are only documentation: a default that is an object would repeat the
/// defaults of its members, and a duration is shown as text.
fn plain_defaults(schema: &mut Schema) {
    schema.remove("writeOnly");
    schema.remove("x-file-only");
    let is_span = schema.get("$ref").is_some_and(|target| *target == "#/$defs/Lifetime");
    match schema.get("default") {
        Some(Value::Object(_)) => _ = schema.remove("default"),
        Some(Value::Number(seconds)) if is_span => {
            let span = Lifetime::from_seconds(seconds.as_u64().unwrap_or_default());
            schema.insert("default".to_owned(), json!(span.to_string()));
        }
        _ => {}
    }
}

/// A key without a value has its defaults, if it has defaults.
fn left_empty(schema: &mut Schema) {
    let needs_something = ["required", "oneOf", "minItems"].into_iter().any(|key| schema.get(key).is_some());
    if !needs_something
        && let Some(kind) = schema.get_mut("type")
        && (*kind == "object" || *kind == "array")
    {
        *kind = json!([kind, "null"]);
    }
}
