//! The JSON Schema of config.yaml, for editors, from the types that read it.

use schemars::{
    Schema,
    generate::SchemaSettings,
    transform::{RecursiveTransform, Transform as _},
};
use serde_json::{Map, Value, json};

use super::document::Document;

/// The id of a tenant.
pub(super) const TENANT_ID: &str = "^[a-z0-9][a-z0-9-]{0,62}$";
/// What people may call things: no control characters.
pub(super) const NAME: &str = r"^[^\x00-\x1F\x7F-\x9F]+$";
/// RFC 6749 §3.3, one scope.
pub(super) const SCOPE: &str = r"^[\x21\x23-\x5B\x5D-\x7E]+$";
/// An http or https URL without query and fragment.
pub(super) const PLAIN_URL: &str = r"^[Hh][Tt][Tt][Pp][Ss]?://[\x21\x24-\x3E\x40-\x5B\x5D-\x7E]+$";
/// A URI with its scheme and without a fragment.
pub(super) const ABSOLUTE_URI: &str = r"^[A-Za-z][A-Za-z0-9+.-]*:[^#\s\x00-\x1F]+$";
/// A host name, without a port.
pub(super) const HOST: &str = "^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})$";
/// Where Vault or KMS answers.
pub(super) const SERVICE: &str = r"^https?://[^/?#@\s]+/?$";
/// A span of time of 1s or more.
pub(super) const SOME_TIME: &str = "^0*[1-9][0-9]*[smhd]$";
/// A hash that can be imported.
pub(super) const PHC: &str = r"^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$";

/// The schema as the committed `config.schema.json` has it, with a newline at its end.
pub(crate) fn schema() -> String {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Document>();
    RecursiveTransform(left_empty).transform(&mut schema);
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    text.push('\n');
    text
}

/// A list of such texts.
pub(super) fn texts(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

/// A list of such names, none of which is the platform's.
pub(super) fn names(pattern: &str) -> Value {
    json!({ "type": "string", "minLength": 1, "pattern": pattern, "not": beginning("urn:latchkey:") })
}

/// A list of scopes that a file may grant.
pub(super) fn scopes() -> Value {
    json!({ "type": "string", "pattern": SCOPE, "not": beginning("latchkey:") })
}

/// The keys of clients and resource servers.
pub(super) fn ids() -> Value {
    json!({ "minLength": 1, "maxLength": 255, "pattern": NAME, "not": beginning("urn:latchkey:") })
}

pub(super) fn beginning(prefix: &str) -> Value {
    json!({ "type": "string", "pattern": format!("^{prefix}") })
}

/// Exactly one of these keys is given.
pub(super) fn exactly_one<const N: usize>(schema: &mut Schema, keys: [&str; N]) {
    schema.insert("oneOf".to_owned(), given(keys));
}

/// One of these keys is given, or none.
pub(super) fn at_most_one<const N: usize>(schema: &mut Schema, keys: [&str; N]) {
    let none: Map<_, _> = keys.iter().map(|key| ((*key).to_owned(), json!({ "type": "null" }))).collect();
    schema.insert(
        "anyOf".to_owned(),
        json!([{ "properties": none }, { "type": "object", "oneOf": given(keys) }]),
    );
}

pub(super) fn given<const N: usize>(keys: [&str; N]) -> Value {
    let given =
        |key: &str| json!({ "required": [key], "properties": { key: { "not": { "type": "null" } } } });
    Value::Array(keys.map(given).into())
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
