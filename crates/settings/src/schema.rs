//! The JSON Schema of config.yaml, for editors. The program contains the committed file, which is built from
//! the types of the settings with the feature `schemas`.

#[cfg(feature = "schemas")]
mod made;

use serde_json::{Value, json};

#[cfg(feature = "schemas")]
pub(super) use administration::documents::schema::exactly_one;
pub(super) use administration::documents::schema::{
    NAME, PLAIN_URL, Rate, SCOPE, Span, TENANT_ID, given, texts,
};
#[cfg(feature = "schemas")]
pub(super) use made::at_most_one;
#[cfg(feature = "schemas")]
pub(super) use made::mail;
#[cfg(feature = "schemas")]
pub use made::schema;

/// A host name, without a port.
pub(super) const HOST: &str = "^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})$";
pub(super) const FETCHED: &str = r"^https?://[^#@\s]+$";
/// The address of Vault or KMS.
pub(super) const SERVICE: &str = r"^https?://[^/?#@\s]+/?$";

/// `Acme <no-reply@id.example.com>`, with or without the name.
pub(super) const SENDER: &str =
    r"^([^<>\x00-\x1F\x7F]*<[A-Za-z0-9._+=~-]+@[A-Za-z0-9.-]+>|[A-Za-z0-9._+=~-]+@[A-Za-z0-9.-]+)$";
pub(super) const MAIL_SERVER: &str = r"^smtps?://[^/?#@\s]+/?$";

pub(super) fn beginning(prefix: &str) -> Value {
    json!({ "type": "string", "pattern": format!("^{prefix}") })
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
    fn committed_schema_is_current() {
        let committed = fs::read_to_string(repository("config.schema.json")).unwrap_or_default();
        assert!(committed == schema(), "run `cargo xtask codegen`");
    }

    #[test]
    fn every_schema_key_is_in_the_reference() {
        let reference = fs::read_to_string(repository("docs/configuration.md")).unwrap_or_default();
        let mut keys = BTreeSet::new();
        collect(&serde_json::from_str(&schema()).unwrap(), &mut keys);
        let missing: Vec<_> = keys.iter().filter(|key| !reference.contains(&format!("`{key}`"))).collect();
        assert!(keys.len() > 50 && missing.is_empty(), "docs/configuration.md lacks {missing:?}");
    }

    #[test]
    fn every_schema_key_has_a_description() {
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

    /// Collects every key whose value is not an object with known keys. Tenants and the users of `admin` are
    /// left out, because their keys are names.
    fn settable(root: &Value, at: &Value, path: &str, found: &mut BTreeSet<String>) {
        let at = match &at["anyOf"] {
            Value::Array(either) if at.get("properties").is_none() => &either[0],
            _ => at,
        };
        let name = at["$ref"].as_str().and_then(|target| target.strip_prefix("#/$defs/"));
        let at = name.map_or(at, |name| &root["$defs"][name]);
        let Some(properties) = at["properties"].as_object() else {
            found.insert(path.to_owned());
            return;
        };
        for (key, property) in properties {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            if !["tenants", "admin.users"].contains(&&*path) {
                settable(root, property, &path, found);
            }
        }
    }

    #[test]
    fn every_setting_has_a_variable() {
        let schema: Value = serde_json::from_str(&schema()).unwrap();
        let mut expected = BTreeSet::new();
        settable(&schema, &schema, "", &mut expected);
        assert_eq!(crate::layers::keys().collect::<BTreeSet<_>>(), expected);
        let variables = schema["x-environment"].as_object().unwrap();
        let named: BTreeSet<_> =
            variables.values().filter_map(|variable| variable["key"].as_str()).map(str::to_owned).collect();
        assert_eq!(named, expected);
        for (name, form) in [
            ("SERVER__PUBLIC_URL", "text"),
            ("SERVER__LISTENERS", "JSON"),
            ("SERVER__OUTBOUND__ALLOWED_NETWORKS", "list"),
            ("SERVER__AUDIT__STREAM", "text or JSON"),
            ("KEYS__FORMER_SEALING_KEYS", "JSON"),
            ("KEYS__SEALING_KEY__VAULT__TOKEN__ENV", "text"),
            ("SECRET_STORES", "JSON"),
            ("ADMIN__APPLICATIONS", "list"),
        ] {
            assert_eq!(variables[&format!("LATCHKEY__{name}")]["form"], form, "{name}");
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
