//! The schema from the types.

use schemars::{
    Schema,
    generate::SchemaSettings,
    transform::{RecursiveTransform, Transform as _},
};
use serde_json::{Map, Value, json};
use values::Lifetime;

use super::{beginning, given};
use crate::{document::Document, layers};

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
    let variables = variables(schema.as_value());
    schema.insert("x-environment".to_owned(), variables);
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    text.push('\n');
    text
}

/// The environment variables by name, each with its key and the form of its text.
fn variables(schema: &Value) -> Value {
    let variable = |key: String| {
        let mut at = schema.clone();
        for segment in key.split('.') {
            at = resolved(schema, &at["properties"][segment]);
        }
        let is_object =
            |at: &Value| at.get("properties").is_some() || at["type"] == json!(["object", "null"]);
        let form = match &at["items"] {
            Value::Null if is_object(&at) => "JSON",
            Value::Null if at["oneOf"][1].get("properties").is_some() => "text or JSON",
            Value::Null => "text",
            items if is_object(&resolved(schema, items)) => "JSON",
            _ => "list",
        };
        (layers::variable_of(&key), json!({ "key": key, "form": form }))
    };
    layers::keys().map(variable).collect::<Map<_, _>>().into()
}

/// Resolves a reference, also of a key that may be null.
fn resolved(root: &Value, schema: &Value) -> Value {
    let schema = match &schema["anyOf"] {
        Value::Array(either) if schema.get("properties").is_none() => &either[0],
        _ => schema,
    };
    let name = schema["$ref"].as_str().and_then(|target| target.strip_prefix("#/$defs/"));
    name.map_or_else(|| schema.clone(), |name| root["$defs"][name].clone())
}

/// At most one of these keys may be given.
pub(crate) fn at_most_one<const N: usize>(schema: &mut Schema, keys: [&str; N]) {
    let none: Map<_, _> = keys.iter().map(|key| ((*key).to_owned(), json!({ "type": "null" }))).collect();
    schema.insert(
        "anyOf".to_owned(),
        json!([{ "properties": none }, { "type": "object", "oneOf": given(keys) }]),
    );
}

/// Nothing, or a sender with a mail server or a folder.
pub(crate) fn mail(schema: &mut Schema) {
    let given = json!({ "type": "object", "required": ["from"], "oneOf": given(["smtp", "folder"]) });
    schema.insert("anyOf".to_owned(), json!([{ "maxProperties": 0 }, given]));
}

/// Names that only the platform uses, which no file may name or grant.
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

/// A default that is an object repeats those of its members. A duration is shown as text. The schema is for
/// reading only.
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

/// A key with nothing after it is all defaults, where there are defaults.
fn left_empty(schema: &mut Schema) {
    let needs_something = ["required", "oneOf", "minItems"].into_iter().any(|key| schema.get(key).is_some());
    if !needs_something
        && let Some(kind) = schema.get_mut("type")
        && (*kind == "object" || *kind == "array")
    {
        *kind = json!([kind, "null"]);
    }
}
