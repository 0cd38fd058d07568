//! The JSON Schema of config.yaml, for editors, from the types that read it.

use super::document::Document;

/// The schema as the committed `config.schema.json` has it, with a newline at its end.
pub(crate) fn schema() -> String {
    let schema = schemars::schema_for!(Document);
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::PathBuf};

    use serde_json::Value;

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
    fn every_key_of_the_schema_stands_in_the_reference() {
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
