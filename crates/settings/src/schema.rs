//! The JSON Schema of config.yaml, for editors, from the types that it is read into.

use protocol::Lifetime;
use schemars::{
    Schema,
    generate::SchemaSettings,
    transform::{RecursiveTransform, Transform as _},
};
use serde_json::{Map, Value, json};

use super::document::Document;

pub(super) use administration::schema::{
    NAME, PLAIN_URL, Rate, SCOPE, Span, TENANT_ID, exactly_one, given, texts,
};

/// A host name, without a port.
pub(super) const HOST: &str = "^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})$";
/// What the server fetches.
pub(super) const FETCHED: &str = r"^https?://[^#@\s]+$";
/// The address of Vault or KMS.
pub(super) const SERVICE: &str = r"^https?://[^/?#@\s]+/?$";

/// The schema as the committed `config.schema.json` has it, with a newline at its end.
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

pub(super) fn beginning(prefix: &str) -> Value {
    json!({ "type": "string", "pattern": format!("^{prefix}") })
}

/// One of these keys is given, or none.
pub(super) fn at_most_one<const N: usize>(schema: &mut Schema, keys: [&str; N]) {
    let none: Map<_, _> = keys.iter().map(|key| ((*key).to_owned(), json!({ "type": "null" }))).collect();
    schema.insert(
        "anyOf".to_owned(),
        json!([{ "properties": none }, { "type": "object", "oneOf": given(keys) }]),
    );
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

/// A default that is an object repeats those of its members; a span of time is shown as text. A file is only read.
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

#[cfg(test)]
mod schema_agreement;

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::PathBuf};

    use super::*;

    fn repository(file: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(file)
    }

    #[test]
    fn the_committed_schema_is_the_one_of_the_types() {
        let committed = fs::read_to_string(repository("config.schema.json")).unwrap_or_default();
        assert!(committed == schema(), "run `cargo run -- schema > config.schema.json`");
    }

    #[test]
    fn every_key_of_the_schema_is_in_the_reference() {
        let reference = fs::read_to_string(repository("docs/configuration.md")).unwrap_or_default();
        let mut keys = BTreeSet::new();
        collect(&serde_json::from_str(&schema()).unwrap(), &mut keys);
        let missing: Vec<_> = keys.iter().filter(|key| !reference.contains(&format!("`{key}`"))).collect();
        assert!(keys.len() > 50 && missing.is_empty(), "docs/configuration.md lacks {missing:?}");
    }

    #[test]
    fn every_key_of_the_schema_says_what_it_is() {
        let schema: Value = serde_json::from_str(&schema()).unwrap();
        let definitions = schema["$defs"].as_object().unwrap();
        for (name, definition) in
            definitions.iter().map(|(name, value)| (name.as_str(), value)).chain([("", &schema)])
        {
            for (key, property) in definition["properties"].as_object().into_iter().flatten() {
                assert!(property["description"].is_string(), "{name}.{key}");
            }
        }
    }

    fn collect(schema: &Value, keys: &mut BTreeSet<String>) {
        match schema {
            Value::Object(members) => {
                if let Some(Value::Object(properties)) = members.get("properties") {
                    keys.extend(properties.keys().cloned());
                }
                members.values().for_each(|member| collect(member, keys));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, keys)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}
